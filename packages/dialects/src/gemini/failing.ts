import { eventStream, type FailureForms, type SimulatedError, type SimulatedErrorName } from "../hub/failing.ts";

/** google.rpc.Status: https://ai.google.dev/gemini-api/docs/troubleshooting, https://google.aip.dev/193 */
const words: Readonly<Record<SimulatedErrorName, readonly [status: string, message: string]>> = {
  "500": ["INTERNAL", "An internal error has occurred."],
  "503": ["UNAVAILABLE", "The model is overloaded. Please try again later."],
  "529": ["UNAVAILABLE", "The model is overloaded. Please try again later."],
  "429": ["RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."],
  quota: ["RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."],
  "401": ["UNAUTHENTICATED", "Request had invalid authentication credentials."],
  "403": ["PERMISSION_DENIED", "The caller does not have permission."],
  "404": ["NOT_FOUND", "is not found for API version v1beta, or is not supported for generateContent."],
};

/** The wait stands in the body, in seconds, and in no header. */
function errorJson({ name, status: code, retryAfterMs, model }: SimulatedError): string {
  const [status, text] = words[name];
  const message = name === "404" ? `models/${model} ${text}` : text;
  const details =
    retryAfterMs === null
      ? {}
      : { details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${retryAfterMs / 1000}s` }] };
  return JSON.stringify({ error: { code, message, status, ...details } });
}

/** How Gemini fails, at AI Studio and on Vertex AI. */
export const geminiFailing: FailureForms = {
  streamType: eventStream,
  // Google sends none; a comment is one in any stream of events.
  keepAlive: Buffer.from(": PROCESSING\n\n"),
  brokenEvent: Buffer.from('data: {"candidates":[{"content":{"role":"model","parts":[{"text":" brok\n\n'),
  errorAnswer: (error) => ({ status: error.status, headers: {}, body: errorJson(error) }),
  errorEvent: (error) => Buffer.from(`data: ${errorJson(error)}\n\n`),
  emptyAnswer({ model, stream }) {
    const answer = JSON.stringify({
      candidates: [{ content: { role: "model" }, finishReason: "STOP", index: 0 }],
      usageMetadata: { promptTokenCount: 0, totalTokenCount: 0 },
      modelVersion: model,
      responseId: "drill",
    });
    return Buffer.from(stream ? `data: ${answer}\n\n` : answer);
  },
};
