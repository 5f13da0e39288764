import { chat, embeddings, messages, responses, selfHosted } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** An Ollama server of one's own (https://docs.ollama.com/api/openai-compatibility). */
export const ollama: ProviderPreset = {
  ...selfHosted,
  kind: "ollama",
  baseUrlForm: "http://localhost:11434/v1",
  endpoints: { chat: [chat, messages, responses], embeddings: [embeddings] },
  // The page's list of fields has none of these; what is not in it is ignored, which for them would be another answer.
  refuses: ["max_completion_tokens", "n", "logit_bias", "parallel_tool_calls"],
  markers: [
    {
      status: 500,
      message: "maximum pending requests exceeded",
      class: "overloaded",
      because: "a full queue is 503, which some proxies report as 500",
    },
    {
      status: 404,
      message: "try pulling it first",
      class: "model_missing",
      because: "the model is not on this server",
    },
  ],
  promptCaching: "automatic",
  quirks: [
    "A prompt that is longer than its context (num_ctx, often 4096) is cut at the beginning without a word, and this API cannot set it: set OLLAMA_CONTEXT_LENGTH or num_ctx in the Modelfile, and write the same number as context at each model here.",
    "A base_url without a path gets /v1.",
    "A model has one request at a time per loaded copy: others wait in its queue.",
    "The Responses API is without memory: previous_response_id is not served.",
    "Models with cloud in their name are answered by Ollama's own service, not by this server.",
  ],
  verified: true,
  docs: "https://docs.ollama.com/api/openai-compatibility",
};
