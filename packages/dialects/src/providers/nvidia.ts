import { chat, embeddings, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** NVIDIA NIM, as a service. From public facts; not yet verified. */
export const nvidia: ProviderPreset = {
  ...openaiLike,
  kind: "nvidia",
  baseUrl: "https://integrate.api.nvidia.com/v1",
  endpoints: { chat: [chat], embeddings: [embeddings] },
  quirks: [
    "Meant for trying models: limits are low. A NIM of one's own has the same API: give its base_url.",
    "Embedding models need input_type (query or passage) in the request.",
  ],
  docs: "https://docs.api.nvidia.com/nim/",
};
