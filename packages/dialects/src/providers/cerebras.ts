import { cerebrasRateLimits } from "../rate-limits/headers.ts";
import { openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Cerebras. From public facts; not yet verified. */
export const cerebras: ProviderPreset = {
  ...openaiLike,
  kind: "cerebras",
  baseUrl: "https://api.cerebras.ai/v1",
  refuses: ["frequency_penalty", "presence_penalty", "logit_bias"],
  rateLimitHeaders: [cerebrasRateLimits],
  promptCaching: "automatic",
  quirks: ["Limits are those of a day for requests and of a minute for tokens."],
  docs: "https://inference-docs.cerebras.ai",
};
