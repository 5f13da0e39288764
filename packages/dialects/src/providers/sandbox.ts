import type { ProviderPreset } from "./preset.ts";

/** The built-in simulated provider. It listens on loopback only and its configuration gives its address. */
export const sandbox: ProviderPreset = {
  kind: "sandbox",
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
  continuation: "assistant-prefix",
  markers: [],
  rateLimitHeaders: [],
  promptCaching: null,
  retains: false,
  trains: false,
  // It runs inside Tuloy.
  dataPolicy: null,
  quirks: ["It simulates: its answers are made up and cost nothing."],
  verified: true,
  docs: null,
};
