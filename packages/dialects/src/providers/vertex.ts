import { longestToolName, messagesMarkers } from "./anthropic.ts";
import { googleMarkers, googleRegions } from "./google.ts";
import type { ProviderPreset } from "./preset.ts";

/** Vertex AI: Google's Gemini and Anthropic's Claude in a project of Google Cloud. */
export const vertex: ProviderPreset = {
  kind: "vertex",
  baseUrl: "https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}",
  // https://docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations, and what Google's own SDKs do.
  locationHosts: new Map([
    ["global", "aiplatform.googleapis.com"],
    ["us", "aiplatform.us.rep.googleapis.com"],
    ["eu", "aiplatform.eu.rep.googleapis.com"],
  ]),
  locationRegions: googleRegions,
  endpoints: {
    chat: [
      // https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai: the model is in the path, the version in the body.
      {
        dialect: "anthropic-messages",
        idPrefix: "claude-",
        path: "/publishers/anthropic/models/{model}:rawPredict",
        streamPath: "/publishers/anthropic/models/{model}:streamRawPredict",
        body: { set: { anthropic_version: "vertex-2023-10-16" }, saidElsewhere: ["model"] },
        longestToolName,
      },
      {
        dialect: "gemini",
        idPrefix: "gemini-",
        path: "/publishers/google/models/{model}:generateContent",
        streamPath: "/publishers/google/models/{model}:streamGenerateContent?alt=sse",
      },
    ],
  },
  auth: { scheme: "google-oauth" },
  keyRequired: true,
  streamUsage: true,
  // Gemini's current models answer both with 400 "Penalty is not enabled for this model", and Claude has no words for them.
  refuses: ["presence_penalty", "frequency_penalty"],
  // Five for Gemini, which its dialect knows; any number for Claude.
  maxStops: null,
  // By the model: Claude up to 4.5 goes on exactly, Gemini and newer Claudes do not.
  continuation: null,
  // Claude's own errors come as Anthropic writes them.
  markers: [...googleMarkers, ...messagesMarkers],
  rateLimitHeaders: [],
  promptCaching: "automatic",
  // Caching in memory and monitoring of abuse can be switched off for a project.
  retains: null,
  trains: false,
  dataPolicy: "https://docs.cloud.google.com/vertex-ai/generative-ai/docs/vertex-ai-zero-data-retention",
  quirks: [
    "Its address holds a project and a location: write both.",
    "Claude's caching goes by marks in the request, Gemini's by itself.",
  ],
  verified: true,
  docs: "https://docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/overview",
};
