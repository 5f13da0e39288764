import { anthropicRateLimits, openaiRateLimits } from "../rate-limits/headers.ts";
import type { ProviderPreset } from "./preset.ts";

/** Any server that speaks OpenAI's dialects: vLLM, SGLang, llama.cpp, Ollama, LM Studio, and providers without a preset. */
export const openaiCompatible: ProviderPreset = {
  kind: "openai-compatible",
  baseUrl: null,
  endpoints: {
    chat: [{ dialect: "openai-chat", path: "/chat/completions" }],
    embeddings: [{ dialect: "openai-embeddings", path: "/embeddings" }],
  },
  auth: { header: "authorization", prefix: "Bearer " },
  keyRequired: false,
  streamUsage: true,
  refuses: [],
  maxStops: null,
  // VLLM, SGLang and llama.cpp can, each in its way, and others cannot: it is found out.
  continuation: null,
  markers: [
    {
      status: 500,
      message: "maximum pending requests exceeded",
      class: "overloaded",
      because: "Ollama's full queue, which some proxies report as 500",
    },
  ],
  // Azure and Groq send OpenAI's, and Anthropic's own endpoint for this dialect may send Anthropic's.
  rateLimitHeaders: [openaiRateLimits, anthropicRateLimits],
  promptCaching: null,
  retains: null,
  trains: null,
  dataPolicy: null,
  quirks: ["Whether it can go on with an answer that broke off is found out by a small request before the first use."],
  verified: true,
  docs: null,
};
