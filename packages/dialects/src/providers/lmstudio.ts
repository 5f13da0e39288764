import { chat, embeddings, responses, selfHosted } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** An LM Studio server of one's own. From public facts; not yet verified. */
export const lmstudio: ProviderPreset = {
  ...selfHosted,
  kind: "lmstudio",
  baseUrlForm: "http://localhost:1234/v1",
  endpoints: { chat: [chat, responses], embeddings: [embeddings] },
  refuses: ["max_completion_tokens", "n"],
  quirks: [
    "A base_url without a path gets /v1.",
    "A prompt that is longer than the loaded context is cut, by the policy set in the app: write that context at each model.",
  ],
  docs: "https://lmstudio.ai/docs/developer/openai-compat",
};
