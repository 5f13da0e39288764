import { chat, messages, openaiLike, responses } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Moonshot AI (Kimi). From public facts; not yet verified. */
export const moonshot: ProviderPreset = {
  ...openaiLike,
  kind: "moonshot",
  baseUrl: "https://api.moonshot.ai/v1",
  endpoints: {
    chat: [{ ...chat, messages: { reasoningWithCalls: true } }, { ...messages, basePath: "/anthropic/v1" }, responses],
  },
  refuses: ["logit_bias", "parallel_tool_calls"],
  markers: [
    {
      code: "exceeded_current_quota_error",
      class: "quota_exhausted",
      because: "the balance is used up, under 429 or 403",
    },
    {
      code: "engine_overloaded_error",
      class: "overloaded",
      because: "under 429, but it is the server that has too much to do, not the key",
    },
    {
      status: 400,
      message: "considered high risk",
      class: "content_filter",
      because: "its filter refused the request",
    },
  ],
  promptCaching: "automatic",
  quirks: [
    "Accounts of the Chinese platform need base_url: https://api.moonshot.cn/v1; keys of the two are not exchangeable.",
    "It goes on with an answer when the last assistant message has partial: true, which is not used yet.",
    "With thinking on, reasoning_content must be sent back with tool calls: where it is missing, an empty one is added.",
  ],
  docs: "https://platform.moonshot.ai/docs",
};
