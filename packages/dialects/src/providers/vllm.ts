import { chat, embeddings, messages, responses, selfHosted } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** A vLLM server of one's own (https://docs.vllm.ai/en/stable/serving/openai_compatible_server/). */
export const vllm: ProviderPreset = {
  ...selfHosted,
  kind: "vllm",
  baseUrlForm: "http://localhost:8000/v1",
  endpoints: {
    chat: [chat, { ...messages, countPath: "/messages/count_tokens" }, responses],
    embeddings: [embeddings],
  },
  continuation: "vllm",
  markers: [
    {
      status: 400,
      message: "maximum context length",
      class: "context_length",
      because: "its code is the status as a number; only the words tell",
    },
  ],
  promptCaching: "automatic",
  quirks: [
    "A base_url without a path gets /v1.",
    "It answers in Anthropic's dialect and the Responses API too, since late 2025. An older server is found out by its 404 and asked in OpenAI's chat dialect, for an hour at a time; dialect: openai-chat at each model spares it that.",
    "Only Authorization: Bearer is accepted, in every dialect, and only where it was started with --api-key.",
    "user and parallel_tool_calls are ignored. Tools need --enable-auto-tool-choice and a parser at its start.",
    "The model's own generation_config.json sets sampling defaults.",
  ],
  verified: true,
  docs: "https://docs.vllm.ai/en/stable/serving/openai_compatible_server/",
};
