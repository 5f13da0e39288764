import { googleMarkers } from "./google.ts";
import type { ProviderPreset } from "./preset.ts";

/** Gemini by an API key of AI Studio. */
export const gemini: ProviderPreset = {
  kind: "gemini",
  baseUrl: "https://generativelanguage.googleapis.com/v1beta",
  endpoints: {
    chat: [
      {
        dialect: "gemini",
        path: "/models/{model}:generateContent",
        streamPath: "/models/{model}:streamGenerateContent?alt=sse",
      },
    ],
    // Its endpoint in OpenAI's dialect (https://ai.google.dev/gemini-api/docs/openai#embeddings), which wants the key otherwise.
    embeddings: [
      {
        dialect: "openai-embeddings",
        path: "/openai/embeddings",
        auth: { header: "authorization", prefix: "Bearer " },
      },
    ],
  },
  auth: { header: "x-goog-api-key", prefix: "" },
  keyRequired: true,
  streamUsage: true,
  // Current models answer both with 400 "Penalty is not enabled for this model".
  refuses: ["presence_penalty", "frequency_penalty"],
  // https://ai.google.dev/api/generate-content#GenerationConfig
  maxStops: 5,
  continuation: "none",
  markers: [
    ...googleMarkers,
    {
      status: 400,
      code: "FAILED_PRECONDITION",
      class: "auth",
      because: "the free tier is not available where the gateway is, and the key's project has no billing",
    },
  ],
  rateLimitHeaders: [],
  docs: "https://ai.google.dev/gemini-api/docs/troubleshooting",
};
