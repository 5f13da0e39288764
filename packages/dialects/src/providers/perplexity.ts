import { openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Perplexity's Sonar models, which search before they answer. From public facts; not yet verified. */
export const perplexity: ProviderPreset = {
  ...openaiLike,
  kind: "perplexity",
  baseUrl: "https://api.perplexity.ai",
  // User and assistant must take turns, and the last message must be the user's.
  continuation: "none",
  refuses: ["tools", "tool_choice", "logit_bias", "logprobs", "top_logprobs", "n", "seed", "stop"],
  quirks: [
    "Answers come from a search: the same model elsewhere does not give the same.",
    "It takes no tools.",
    "Each request costs a fee besides its tokens, which the price here does not have.",
  ],
  docs: "https://docs.perplexity.ai",
};
