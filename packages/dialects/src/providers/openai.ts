import { openaiRateLimits } from "../rate-limits/headers.ts";
import { chat, embeddings, responses } from "./openai-like.ts";
import type { MessageWish, ProviderPreset } from "./preset.ts";

/** https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools: "with a maximum length of 64". */
const longestToolName = 64;

/**
 * What a conversation may hold that began elsewhere. It answers a call's longer id with 400 "string too long. Expected a string with
 * maximum length 40" (vLLM's have 46), and a member that it does not know with 400 "Unknown parameter:
 * 'messages[2].tool_calls[0].index'", stricter for newer models.
 */
const messages: MessageWish = {
  longestCallId: 40,
  // Reasoning by the names that others have for it: it means nothing there, and signatures are for those who made them.
  without: ["reasoning", "reasoning_content", "reasoning_details", "cache_control"],
  // Google's signature, and the place in a stream that clients keep who put calls together from one.
  callsWithout: ["extra_content", "index"],
  // Marks for Anthropic's caching.
  partsWithout: ["cache_control"],
};

export const openai: ProviderPreset = {
  kind: "openai",
  baseUrl: "https://api.openai.com/v1",
  endpoints: {
    chat: [
      { ...chat, longestToolName, messages },
      { ...responses, longestToolName },
    ],
    embeddings: [embeddings],
  },
  auth: { header: "authorization", prefix: "Bearer " },
  keyRequired: true,
  streamUsage: true,
  // It answers an argument that it does not know with 400. These are OpenRouter's and vLLM's, and none of its own.
  refuses: [
    "reasoning",
    "include_reasoning",
    "top_k",
    "min_p",
    "top_a",
    "repetition_penalty",
    "transforms",
    "route",
    "usage",
  ],
  // https://platform.openai.com/docs/api-reference/chat/create#chat-create-stop
  maxStops: 4,
  // A last assistant message is taken for a finished turn.
  continuation: "none",
  markers: [
    {
      // Under 400, and without a status as the `error` of a response that failed.
      code: "invalid_prompt",
      class: "content_filter",
      because: "reasoning models refuse a prompt that their safety check flags with this code",
    },
    {
      status: 403,
      code: "unsupported_country_region_territory",
      class: "auth",
      because: "the gateway's own address is refused; the client's request is not at fault",
    },
  ],
  rateLimitHeaders: [openaiRateLimits],
  promptCaching: "automatic",
  // Kept for 30 days against abuse, unless another term was agreed; not trained on.
  retains: true,
  trains: false,
  dataPolicy: "https://platform.openai.com/docs/guides/your-data",
  quirks: [
    "Reasoning models take max_completion_tokens only, and show nothing of their reasoning in chat completions.",
    "It cannot go on with an answer that broke off: a last assistant message is taken for a finished turn.",
    "Of a conversation that began elsewhere, reasoning, marks for caching and signatures are left out, and ids of calls of more than 40 characters are replaced, consistently.",
  ],
  verified: true,
  docs: "https://platform.openai.com/docs/guides/error-codes",
};
