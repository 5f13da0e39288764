import { chat, embeddings, messages, responses, selfHosted } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** A llama.cpp server of one's own (https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md). */
export const llamacpp: ProviderPreset = {
  ...selfHosted,
  kind: "llamacpp",
  baseUrlForm: "http://localhost:8080/v1",
  endpoints: {
    chat: [chat, { ...messages, countPath: "/messages/count_tokens" }, responses],
    embeddings: [embeddings],
  },
  // From a last assistant message, without being asked to.
  continuation: "assistant-prefix",
  markers: [
    {
      status: 503,
      code: "unavailable_error",
      class: "overloaded",
      because: "it is loading its model",
    },
    {
      code: "exceed_context_size_error",
      class: "context_length",
      because: "the prompt is longer than the server's context, under 400 or 500",
    },
  ],
  promptCaching: "automatic",
  quirks: [
    "It serves the model it was started with, whatever name a request has, unless it runs as a router of several.",
    "The context is what it was started with (-c), shared by its slots: write it as context at each model.",
    "Tools need --jinja at its start.",
    "A base_url without a path gets /v1.",
  ],
  verified: true,
  docs: "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
};
