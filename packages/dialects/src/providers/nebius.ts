import { chat, embeddings, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Nebius Token Factory. From public facts; not yet verified. */
export const nebius: ProviderPreset = {
  ...openaiLike,
  kind: "nebius",
  baseUrl: "https://api.tokenfactory.nebius.com/v1",
  endpoints: { chat: [chat], embeddings: [embeddings] },
  quirks: ["Models come in a fast and a base form, under two ids with two prices."],
  docs: "https://docs.tokenfactory.nebius.com/",
};
