import type { Endpoint, ProviderPreset } from "./preset.ts";

export const chat: Endpoint = { dialect: "openai-chat", path: "/chat/completions" };
export const responses: Endpoint = { dialect: "openai-responses", path: "/responses" };
export const embeddings: Endpoint = { dialect: "openai-embeddings", path: "/embeddings" };
/** Anthropic's dialect beside OpenAI's. Few of those who have it count tokens. */
export const messages: Endpoint = {
  dialect: "anthropic-messages",
  path: "/messages",
  headers: { "anthropic-version": "2023-06-01" },
};

/**
 * What is so at most who took over OpenAI's dialect, so that a provider's file says only what is particular. What nobody has
 * looked up is unknown here, never assumed: caching, retention, training, and whether it can go on with an answer.
 */
export const openaiLike = {
  endpoints: { chat: [chat] },
  auth: { header: "authorization", prefix: "Bearer " },
  keyRequired: true,
  streamUsage: true,
  refuses: [],
  maxStops: null,
  continuation: null,
  markers: [],
  rateLimitHeaders: [],
  promptCaching: null,
  retains: null,
  trains: null,
  dataPolicy: null,
  quirks: [],
  verified: false,
} satisfies Partial<ProviderPreset>;

/** A server of one's own: it has an address, often no key, and the models that its owner gave it. */
export const selfHosted = { ...openaiLike, baseUrl: null, keyRequired: false } satisfies Partial<ProviderPreset>;
