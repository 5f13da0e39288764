import type { HubFinish } from "../hub/answer.ts";

/** What an end means. `broken`: the model wrote something that nobody can use, so it is no answer. */
interface End {
  readonly means: HubFinish | "broken";
  readonly because: string;
}

/**
 * Why a candidate ended (https://ai.google.dev/api/generate-content#FinishReason and Vertex AI's page of the same name). A model
 * that calls functions ends with STOP too.
 */
const ends: ReadonlyMap<string, End> = new Map<string, End>([
  ["STOP", { means: "stop", because: "its natural end, or a stop sequence" }],
  ["MAX_TOKENS", { means: "length", because: "maxOutputTokens is reached, thinking included" }],
  [
    "CONTINUATION",
    { means: "length", because: "the limit of tokens of one request is reached, and the answer is not" },
  ],
  ["SAFETY", { means: "content_filter", because: "the safety settings cut it" }],
  ["RECITATION", { means: "content_filter", because: "it recited a source; asking elsewhere would evade that" }],
  ["LANGUAGE", { means: "content_filter", because: "an unsupported language" }],
  ["BLOCKLIST", { means: "content_filter", because: "a forbidden term" }],
  ["PROHIBITED_CONTENT", { means: "content_filter", because: "prohibited content; cannot be configured" }],
  ["SPII", { means: "content_filter", because: "sensitive personal information" }],
  ["MODEL_ARMOR", { means: "content_filter", because: "Vertex AI's own filter in front of the model" }],
  ["IMAGE_SAFETY", { means: "content_filter", because: "an image that the safety settings cut" }],
  ["IMAGE_PROHIBITED_CONTENT", { means: "content_filter", because: "an image of prohibited content" }],
  ["IMAGE_RECITATION", { means: "content_filter", because: "an image too close to a source" }],
  [
    "OTHER",
    { means: "content_filter", because: "the troubleshooting page: against the terms of service, or not supported" },
  ],
  ["IMAGE_OTHER", { means: "content_filter", because: "as OTHER, of an image" }],
  ["NO_IMAGE", { means: "stop", because: "no image came of it; the text stands" }],
  ["MALFORMED_FUNCTION_CALL", { means: "broken", because: "the call is no valid one, and is not sent" }],
  ["MALFORMED_RESPONSE", { means: "broken", because: "the model wrote what the server cannot read" }],
  ["UNEXPECTED_TOOL_CALL", { means: "broken", because: "a call without a tool for it" }],
  ["TOO_MANY_TOOL_CALLS", { means: "broken", because: "calls without an end, so the server stopped it" }],
  ["MISSING_THOUGHT_SIGNATURE", { means: "broken", because: "a signature of the history is missing" }],
]);

/** In every event but the last, where servers write it at all. */
export const notFinished = "FINISH_REASON_UNSPECIFIED";

/** @returns null for a reason that is not known here */
export function endOf(finishReason: string): HubFinish | "broken" | null {
  return ends.get(finishReason)?.means ?? null;
}
