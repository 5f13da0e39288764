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
  promptCaching: "automatic",
  // Paid use: kept for 55 days against abuse, not trained on. What is free may be trained on.
  retains: true,
  trains: null,
  dataPolicy: "https://ai.google.dev/gemini-api/docs/usage-policies",
  quirks: [
    "Whether it trains on requests depends on the key's project: what is used free of charge may be.",
    "It cannot go on with an answer that broke off.",
  ],
  verified: true,
  docs: "https://ai.google.dev/gemini-api/docs/troubleshooting",
};
