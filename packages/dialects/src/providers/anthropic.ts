import { anthropicRateLimits } from "../rate-limits/headers.ts";
import type { Endpoint, FailureMarker, ProviderPreset } from "./preset.ts";

/** A client that names no version gets the one there has been since 2023 (https://platform.claude.com/docs/en/api/versioning). */
const messagesEndpoint: Endpoint = {
  dialect: "anthropic-messages",
  path: "/messages",
  countPath: "/messages/count_tokens",
  headers: { "anthropic-version": "2023-06-01" },
};

/** https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use: `^[a-zA-Z0-9_-]{1,128}$`, where it once was 64. */
export const longestToolName = 128;

/** What Anthropic says in words alone, beside what the general tables have of it. */
export const messagesMarkers: readonly FailureMarker[] = [
  {
    message: "output blocked by content filtering policy",
    class: "content_filter",
    because: "its own filter stopped the answer; observed under 400, under 500 and inside streams",
  },
  {
    status: 400,
    message: "organization has been disabled",
    class: "auth",
    because: "the account behind the key is closed, which it calls an invalid request",
  },
  {
    status: 400,
    message: "only authorized for use with claude code",
    class: "auth",
    because: "a subscription's token in place of a key; it calls the request invalid",
  },
];

export const anthropic: ProviderPreset = {
  kind: "anthropic",
  baseUrl: "https://api.anthropic.com/v1",
  endpoints: { chat: [{ ...messagesEndpoint, longestToolName }] },
  auth: { header: "x-api-key", prefix: "" },
  keyRequired: true,
  streamUsage: true,
  // Its dialect has no names for other servers' parameters: they are left out where a request is written in it.
  refuses: [],
  maxStops: null,
  // It differs from model to model: see `claudeWays`.
  continuation: null,
  markers: messagesMarkers,
  rateLimitHeaders: [anthropicRateLimits],
  promptCaching: "marks",
  // Kept for up to 30 days, unless another term was agreed; not trained on.
  retains: true,
  trains: false,
  dataPolicy: "https://platform.claude.com/docs/en/build-with-claude/api-and-data-retention",
  quirks: [
    "Models up to Claude 4.5 go on with an answer that broke off; later ones refuse a last assistant message.",
    "max_tokens is required: a request from another dialect that has none gets the model's own limit.",
  ],
  verified: true,
  docs: "https://platform.claude.com/docs/en/api/overview",
};

/** Any server that speaks Anthropic's dialect for models of its own: DeepSeek's, MiniMax's, Moonshot's, vLLM's, gateways. */
export const anthropicCompatible: ProviderPreset = {
  ...anthropic,
  kind: "anthropic-compatible",
  endpoints: { chat: [messagesEndpoint] },
  baseUrl: null,
  keyRequired: false,
  promptCaching: null,
  retains: null,
  trains: null,
  dataPolicy: null,
  quirks: ["Servers differ in what they take of the dialect: marks for caching and thinking above all."],
  docs: null,
};
