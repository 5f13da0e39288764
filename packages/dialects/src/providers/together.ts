import { plainRateLimits } from "../rate-limits/headers.ts";
import { chat, embeddings, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Together AI (https://docs.together.ai/docs/openai-api-compatibility). */
export const together: ProviderPreset = {
  ...openaiLike,
  kind: "together",
  baseUrl: "https://api.together.xyz/v1",
  endpoints: { chat: [chat], embeddings: [embeddings] },
  markers: [
    {
      status: 403,
      message: "context length",
      class: "context_length",
      because:
        "its 403 means that prompt and max_tokens exceed the model's window (https://docs.together.ai/docs/error-codes)",
    },
    {
      status: 403,
      message: "max_new_tokens",
      class: "context_length",
      because: "the same, in the words of the server behind it",
    },
    {
      status: 429,
      code: "dynamic_request_limited",
      class: "rate_limited",
      because: "more than the organization's current rate (https://docs.together.ai/docs/rate-limits)",
    },
    {
      status: 429,
      code: "dynamic_token_limited",
      class: "rate_limited",
      because: "more than the organization's current rate (https://docs.together.ai/docs/rate-limits)",
    },
  ],
  // Without `-requests` in their names.
  rateLimitHeaders: [plainRateLimits],
  promptCaching: "automatic",
  // One page says that nothing is stored by default, another names a history that can be deleted.
  retains: null,
  trains: false,
  dataPolicy: "https://docs.together.ai/docs/privacy-and-security",
  quirks: [
    "Ids are AUTHOR/MODEL; several models exist in a cheaper, more quantized form under another id.",
    "Limits move with recent traffic: a sudden rise is answered with 429 although no fixed limit is reached.",
    "Passthrough models go to their authors' own service, under its data policy.",
  ],
  verified: true,
  docs: "https://docs.together.ai/docs/openai-api-compatibility",
};
