import { chat, embeddings, selfHosted } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** An SGLang server of one's own. From public facts; not yet verified. */
export const sglang: ProviderPreset = {
  ...selfHosted,
  kind: "sglang",
  baseUrlForm: "http://localhost:30000/v1",
  endpoints: { chat: [chat], embeddings: [embeddings] },
  continuation: "vllm",
  promptCaching: "automatic",
  quirks: ["A base_url without a path gets /v1.", "Tools need --tool-call-parser at its start."],
  docs: "https://docs.sglang.ai",
};
