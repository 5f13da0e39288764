import type { ClientError } from "@tuloy/contract";

/** https://platform.claude.com/docs/en/api/errors */
const types: ReadonlyMap<number, string> = new Map([
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [409, "conflict_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [503, "overloaded_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);

function typeOf(status: number): string {
  return types.get(status) ?? (status >= 500 ? "api_error" : "invalid_request_error");
}

/** Of a prompt that is too long; Anthropic has no code for it, and its clients shorten their history when they read them. */
const tooLong = "prompt is too long";

function wordsOf({ message, code }: ClientError): string {
  return code === "context_length_exceeded" && !message.includes(tooLong) ? `${tooLong}: ${message}` : message;
}

/** `details` is where Anthropic puts what a type alone does not say; its SDKs show `error_code` of it. */
function errorJson(error: ClientError, traceId: string): string {
  const { status, code, param, attempts } = error;
  return JSON.stringify({
    type: "error",
    error: {
      type: typeOf(status),
      message: wordsOf(error),
      details: {
        error_code: code,
        param,
        attempts: attempts.map(({ provider, model, failure, status: answered }) => ({
          provider,
          model,
          failure,
          status: answered,
        })),
      },
    },
    request_id: traceId,
  });
}

/** An error as Anthropic's clients expect it. */
export function writeMessagesError(error: ClientError, traceId: string): Buffer {
  return Buffer.from(errorJson(error, traceId));
}

/** An error inside a stream, on which the SDKs raise; nothing may follow it. */
export function writeMessagesErrorEvent(error: ClientError, traceId: string): Buffer {
  return Buffer.from(`event: error\ndata: ${errorJson(error, traceId)}\n\n`);
}

/** Anthropic's own sign of life. */
export const ping: Buffer = Buffer.from('event: ping\ndata: {"type":"ping"}\n\n');
