import { cerebrasRateLimits } from "../rate-limits/headers.ts";
import { chat, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Cerebras. From public facts; not yet verified. */
export const cerebras: ProviderPreset = {
  ...openaiLike,
  kind: "cerebras",
  baseUrl: "https://api.cerebras.ai/v1",
  endpoints: {
    chat: [
      {
        ...chat,
        // What it does not know is answered with 400: "property 'messages.2.assistant.reasoning_content' is unsupported".
        messages: { without: ["reasoning_content", "reasoning_details"], callsWithout: ["extra_content"] },
      },
    ],
  },
  refuses: ["frequency_penalty", "presence_penalty", "logit_bias"],
  rateLimitHeaders: [cerebrasRateLimits],
  promptCaching: "automatic",
  quirks: [
    "Limits are those of a day for requests and of a minute for tokens.",
    "It answers 400 to what it does not know in messages: the reasoning of other providers is left out.",
  ],
  docs: "https://inference-docs.cerebras.ai",
};
