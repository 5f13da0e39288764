import { chat, embeddings, messages, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Fireworks AI (https://docs.fireworks.ai/tools-sdks/openai-compatibility). */
export const fireworks: ProviderPreset = {
  ...openaiLike,
  kind: "fireworks",
  baseUrl: "https://api.fireworks.ai/inference/v1",
  // Not its Responses API: that keeps conversations for 30 days unless it is told not to.
  endpoints: { chat: [chat, messages], embeddings: [embeddings] },
  markers: [
    {
      status: 412,
      class: "auth",
      because:
        "the account is suspended (https://fireworks.ai/docs/guides/inference-error-codes); not the request's fault",
    },
  ],
  promptCaching: "automatic",
  // Prompts and answers of open models are in volatile memory only.
  retains: false,
  trains: false,
  dataPolicy: "https://docs.fireworks.ai/guides/security_compliance/data_handling",
  quirks: [
    "Ids are resource names: accounts/fireworks/models/MODEL.",
    "Usage is in the last chunk of a stream also when it is not asked for.",
    "A model that is not deployed, or not yours, is answered with 404; a suspended account with 412.",
    "It tells its limits with each answer, but not what is left of them.",
    "Its Responses API keeps conversations for 30 days by default, so it is not used.",
  ],
  verified: true,
  docs: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
};
