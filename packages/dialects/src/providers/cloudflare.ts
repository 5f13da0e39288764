import { chat, embeddings, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Cloudflare Workers AI. From public facts; not yet verified. */
export const cloudflare: ProviderPreset = {
  ...openaiLike,
  kind: "cloudflare",
  baseUrl: null,
  baseUrlForm: "https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1",
  endpoints: { chat: [chat], embeddings: [embeddings] },
  markers: [
    {
      status: 429,
      message: "capacity temporarily exceeded",
      class: "overloaded",
      because: "code 3040: it is the server that has no room, not the key",
    },
  ],
  quirks: ["The account is part of base_url.", "Ids begin with @cf/."],
  docs: "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
};
