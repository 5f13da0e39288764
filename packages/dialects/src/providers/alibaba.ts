import { chat, embeddings, messages, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Alibaba Cloud Model Studio (Qwen), its international region. From public facts; not yet verified. */
export const alibaba: ProviderPreset = {
  ...openaiLike,
  kind: "alibaba",
  baseUrl: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
  endpoints: { chat: [chat, { ...messages, basePath: "/apps/anthropic/v1" }], embeddings: [embeddings] },
  markers: [
    {
      code: "Arrearage",
      class: "quota_exhausted",
      because: "the account is in arrears, under 400",
    },
    {
      code: "data_inspection_failed",
      class: "content_filter",
      because: "its filter refused the prompt or the answer",
    },
  ],
  promptCaching: "automatic",
  quirks: [
    "Keys belong to a region: elsewhere they are answered with 401. Regions and workspaces have addresses of their own, given as base_url.",
    "Some models stream only.",
    "It goes on with an answer when the last assistant message has partial: true, which is not used yet.",
  ],
  docs: "https://www.alibabacloud.com/help/en/model-studio/",
};
