import { chat, embeddings, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** DeepInfra. From public facts; not yet verified. */
export const deepinfra: ProviderPreset = {
  ...openaiLike,
  kind: "deepinfra",
  baseUrl: "https://api.deepinfra.com/v1/openai",
  endpoints: { chat: [chat], embeddings: [embeddings] },
  promptCaching: "automatic",
  dataPolicy: "https://docs.deepinfra.com/account/data-privacy",
  quirks: [
    "It keeps nothing and trains on nothing, but models of Google and Anthropic go to their own services: write retains: false and trains: false where you use none of those.",
  ],
  docs: "https://docs.deepinfra.com",
};
