import { chat, messages, openaiLike, responses } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** MiniMax. From public facts; not yet verified. */
export const minimax: ProviderPreset = {
  ...openaiLike,
  kind: "minimax",
  baseUrl: "https://api.minimax.io/v1",
  endpoints: { chat: [chat, { ...messages, basePath: "/anthropic/v1" }, responses] },
  refuses: ["logit_bias", "n", "presence_penalty", "frequency_penalty"],
  markers: [
    {
      message: "insufficient balance",
      class: "quota_exhausted",
      because: "code 1008: prepaid credit is used up",
    },
  ],
  promptCaching: "automatic",
  quirks: [
    "Most models put their thinking into the content, between <think> tags, when they are asked in OpenAI's dialect; in Anthropic's it is apart.",
    "Accounts of the Chinese platform need base_url: https://api.minimaxi.com/v1.",
  ],
  docs: "https://platform.minimax.io/docs",
};
