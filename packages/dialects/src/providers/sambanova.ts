import { chat, embeddings, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** SambaNova Cloud. From public facts; not yet verified. */
export const sambanova: ProviderPreset = {
  ...openaiLike,
  kind: "sambanova",
  baseUrl: "https://api.sambanova.ai/v1",
  endpoints: { chat: [chat], embeddings: [embeddings] },
  refuses: ["logit_bias", "n", "seed", "presence_penalty", "frequency_penalty"],
  docs: "https://docs.sambanova.ai",
};
