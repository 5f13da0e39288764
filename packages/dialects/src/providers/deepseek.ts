import { chat, messages, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** DeepSeek (https://api-docs.deepseek.com). */
export const deepseek: ProviderPreset = {
  ...openaiLike,
  kind: "deepseek",
  baseUrl: "https://api.deepseek.com",
  // https://api-docs.deepseek.com/guides/anthropic_api
  endpoints: {
    chat: [
      { ...chat, messages: { reasoningWithCalls: true } },
      {
        ...messages,
        path: "/anthropic/v1/messages",
        auth: { header: "x-api-key", prefix: "" },
        // https://api-docs.deepseek.com/quick_start/rate_limit. Claude Code's is a JSON document: "Invalid 'user_id': string does not
        // match pattern". It keeps caches apart by it, so it is not left out: the same user must stay the same.
        body: { userId: { at: ["metadata", "user_id"], longest: 512 } },
      },
    ],
  },
  // https://api-docs.deepseek.com/api/create-chat-completion: it knows `thinking` and takes no seed, no n, no bias.
  refuses: ["logit_bias", "seed", "n", "max_completion_tokens"],
  maxStops: 16,
  // https://api-docs.deepseek.com/guides/chat_prefix_completion: under /beta only.
  continuation: "deepseek",
  markers: [
    {
      status: 402,
      class: "quota_exhausted",
      because: "the balance is used up (https://api-docs.deepseek.com/quick_start/error_codes)",
    },
    {
      status: 422,
      class: "invalid_request",
      because: "a parameter is not valid (https://api-docs.deepseek.com/quick_start/error_codes)",
    },
  ],
  promptCaching: "automatic",
  quirks: [
    "While it is busy it sends comment lines, or empty lines before a JSON answer: they are no progress.",
    "Reasoning comes as reasoning_content. Sent back, it is ignored, except in messages with tool calls, where it is required: an empty one is added.",
    "In Anthropic's dialect, names that begin with claude are answered by its own models.",
    "It goes on with an answer under /beta only.",
    "In Anthropic's dialect a user's id of other characters than letters, digits, _ and - is answered with 400: it is sent as its digest.",
  ],
  verified: true,
  docs: "https://api-docs.deepseek.com",
};
