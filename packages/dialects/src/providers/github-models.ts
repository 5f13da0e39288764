import { openaiRateLimits } from "../rate-limits/headers.ts";
import { chat, embeddings, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** GitHub Models. From public facts; not yet verified. */
export const githubModels: ProviderPreset = {
  ...openaiLike,
  kind: "github-models",
  baseUrl: "https://models.github.ai/inference",
  endpoints: { chat: [chat], embeddings: [embeddings] },
  markers: [
    {
      status: 413,
      code: "tokens_limit_reached",
      class: "context_length",
      because: "the free tier takes far shorter prompts than the model's window",
    },
  ],
  rateLimitHeaders: [openaiRateLimits],
  quirks: [
    "The key is a GitHub token with the permission models: read.",
    "Free use is for trying: prompts are limited to a few thousand tokens, whatever the model's window.",
  ],
  docs: "https://docs.github.com/en/github-models",
};
