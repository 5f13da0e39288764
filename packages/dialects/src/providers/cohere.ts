import { chat, embeddings, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Cohere by its OpenAI-compatible endpoint. From public facts; not yet verified. */
export const cohere: ProviderPreset = {
  ...openaiLike,
  kind: "cohere",
  baseUrl: "https://api.cohere.ai/compatibility/v1",
  endpoints: { chat: [chat], embeddings: [embeddings] },
  refuses: ["logit_bias", "n", "top_logprobs", "parallel_tool_calls", "store", "service_tier"],
  quirks: [
    "This is its compatibility endpoint: documents, citations and connectors of its own API are not in it.",
    "reasoning_effort knows only none and high.",
  ],
  docs: "https://docs.cohere.com/docs/compatibility-api",
};
