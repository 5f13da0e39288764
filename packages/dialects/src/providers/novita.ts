import { chat, embeddings, messages, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Novita AI. From public facts; not yet verified. */
export const novita: ProviderPreset = {
  ...openaiLike,
  kind: "novita",
  baseUrl: "https://api.novita.ai/openai/v1",
  endpoints: { chat: [chat, { ...messages, basePath: "/anthropic/v1" }], embeddings: [embeddings] },
  markers: [
    {
      status: 403,
      code: "NOT_ENOUGH_BALANCE",
      class: "quota_exhausted",
      because: "prepaid credit is used up, which it reports as 403",
    },
    {
      status: 403,
      message: "not enough balance",
      class: "quota_exhausted",
      because: "the same in words",
    },
  ],
  quirks: ["An empty balance is answered with 403, not 402."],
  docs: "https://novita.ai/docs/guides/introduction",
};
