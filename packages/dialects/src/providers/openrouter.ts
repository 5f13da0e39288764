import { plainRateLimits } from "../rate-limits/headers.ts";
import { chat, embeddings, messages, openaiLike, responses } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** OpenRouter, itself a gateway to many providers (https://openrouter.ai/docs). */
export const openrouter: ProviderPreset = {
  ...openaiLike,
  kind: "openrouter",
  baseUrl: "https://openrouter.ai/api/v1",
  endpoints: {
    chat: [{ ...chat, reasoningDetails: true }, messages, responses],
    embeddings: [embeddings],
  },
  maxStops: 4,
  // Who answers changes from request to request, and with it whether it can.
  continuation: "none",
  // https://openrouter.ai/docs/api-reference/errors
  markers: [
    {
      status: 402,
      class: "quota_exhausted",
      because: "the account or the key has no credits left",
    },
    {
      status: 403,
      message: "moderation",
      class: "content_filter",
      because: "the model's provider requires moderation, and the input was flagged",
    },
    {
      status: 404,
      message: "no endpoints found",
      class: "model_missing",
      because: "no provider of the model fits the account's data policy or the request's parameters",
    },
    {
      status: 408,
      class: "server_error",
      because: "the provider behind it took too long",
    },
  ],
  // Of keys without credit only, and with refusals only.
  rateLimitHeaders: [plainRateLimits],
  promptCaching: "marks",
  // It depends on the provider that answers and on the account's settings.
  quirks: [
    "It is a gateway itself: which company answers, in which region, with which data policy, is its choice. Restrict it in its settings, or prefer the companies themselves.",
    "Errors come under 200 once an answer has begun, as an event with an error in it.",
    "While it waits it sends comment lines (: OPENROUTER PROCESSING): they are no progress.",
    "Reasoning comes as reasoning and reasoning_details; the latter must be sent back unchanged for tool use.",
    "It may serve a quantized form of a model unless it is told which ones are allowed.",
  ],
  verified: true,
  docs: "https://openrouter.ai/docs",
};
