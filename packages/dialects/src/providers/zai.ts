import { chat, embeddings, messages, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Z.AI (GLM). From public facts; not yet verified. */
export const zai: ProviderPreset = {
  ...openaiLike,
  kind: "zai",
  baseUrl: "https://api.z.ai/api/paas/v4",
  endpoints: { chat: [chat, { ...messages, basePath: "/api/anthropic/v1" }], embeddings: [embeddings] },
  refuses: ["logit_bias", "logprobs", "top_logprobs", "n"],
  markers: [
    {
      message: "insufficient balance",
      class: "quota_exhausted",
      because: "the account is in arrears, under 429; its code 1113 is a number, like every status",
    },
  ],
  promptCaching: "automatic",
  quirks: [
    "Subscribers of its coding plan have another address: base_url: https://api.z.ai/api/coding/paas/v4.",
    "Thinking is switched by its own member thinking: { type }.",
  ],
  docs: "https://docs.z.ai",
};
