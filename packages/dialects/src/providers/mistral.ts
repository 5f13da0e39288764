import { chat, embeddings, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Mistral's La Plateforme (https://docs.mistral.ai/api). */
export const mistral: ProviderPreset = {
  ...openaiLike,
  kind: "mistral",
  baseUrl: "https://api.mistral.ai/v1",
  endpoints: {
    chat: [
      {
        ...chat,
        // It answers what it does not know with 422 `extra_forbidden`, and call ids of any other form with 400 `invalid_function_call`.
        body: { without: ["stream_options", "user", "prompt_cache_key"], rename: { seed: "random_seed" } },
        messages: {
          without: ["reasoning_content", "reasoning", "reasoning_details", "name", "refusal"],
          // Google's signature, which a chat client gives back with a call of a Gemini model.
          callsWithout: ["extra_content"],
          callIdLength: 9,
        },
      },
    ],
    embeddings: [{ ...embeddings, body: { without: ["user"] } }],
  },
  // Streams have usage in their last chunk without being asked.
  streamUsage: false,
  // Of the two spellings of a limit it takes `max_tokens`.
  refuses: [
    "max_completion_tokens",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "store",
    "service_tier",
    "functions",
    "function_call",
    "reasoning",
    "top_k",
    "min_p",
    "repetition_penalty",
  ],
  continuation: "mistral",
  markers: [
    {
      status: 422,
      class: "invalid_request",
      because: "a member that it does not know, `extra_forbidden`, or a value that is not valid",
    },
  ],
  // The API keeps requests for 30 days against abuse. Whether it trains on them depends on the plan: the free one may.
  retains: true,
  trains: null,
  dataPolicy:
    "https://help.mistral.ai/en/articles/455207-can-i-opt-out-of-my-input-or-output-data-being-used-for-training",
  quirks: [
    "It answers 422 to what it does not know: OpenAI's other parameters are renamed (max_tokens, random_seed) or left out, as are reasoning and names in messages.",
    "Ids of tool calls must be nine letters and digits: those of other providers are replaced, consistently.",
    "It goes on with an answer when the last assistant message has prefix: true, and repeats what it was given.",
    "Models that reason answer with content in parts; thinking is one of them.",
    "Whether it trains on requests depends on the plan: the free one does unless that is switched off.",
  ],
  verified: true,
  docs: "https://docs.mistral.ai/api",
};
