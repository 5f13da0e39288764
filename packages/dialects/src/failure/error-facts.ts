import { isObject, text, type JsonObject } from "../json/value.ts";
import { readRetryDelay } from "./retry-after.ts";

/** What an error object says, wherever its provider puts it. */
export interface ErrorFacts {
  /** Machine-readable codes, the most telling first: OpenAI's `code`, then the `type`, which several causes share. */
  readonly codes: readonly string[];
  readonly message: string | null;
  /** An HTTP status given inside the object, as vLLM, llama.cpp, Google and OpenRouter do. */
  readonly status: number | null;
  /** How long it asks to wait, in milliseconds, where the object says it and not a header. */
  readonly retryAfterMs?: number | null;
}

function httpStatus(value: unknown): number | null {
  const number = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 400 && number <= 599 ? number : null;
}

/** A code in words; numbers are statuses, not codes. */
function word(value: unknown): string | null {
  const code = text(value);
  return code === null || /^\d+$/.test(code) ? null : code;
}

/**
 * Finds the error in a parsed answer or event. Known shapes: `{"error":{…}}` (OpenAI, Anthropic, newer vLLM, llama.cpp,
 * Azure), the same inside an array (Google), `{"error":"text"}` (Ollama's own API), `{"object":"error","message",…}` (older
 * vLLM, SGLang), `{"detail":…}` (FastAPI), `{"message",…}` and `{"errors":[…]}` without an answer beside it (gateways).
 * @returns null when there is none
 */
export function findError(found: unknown): ErrorFacts | null {
  // One array, not arrays in arrays: how deep they are is up to the provider.
  const value: unknown = Array.isArray(found) ? found[0] : found;
  if (!isObject(value)) return null;
  const { error } = value;
  if (isObject(error)) return errorFacts(error, value);
  if (text(error) !== null) return { ...errorFacts(value, value), message: text(value.message) ?? text(error) };
  if (value.object === "error" || value.type === "error") return errorFacts(value, value);
  // From here on only what cannot be an answer: answers have one of these.
  if ("choices" in value || "data" in value || "usage" in value) return null;
  if (Array.isArray(value.errors) && isObject(value.errors[0])) return errorFacts(value.errors[0], value);
  // AWS names an error by a type with its namespace, and its front door capitalises the message.
  if (text(value.Message) !== null || text(value.__type) !== null) return awsFacts(value);
  if (text(value.message) !== null) return errorFacts(value, value);
  return "detail" in value ? { codes: [], message: detailText(value.detail), status: null } : null;
}

function errorFacts(error: JsonObject, outer: JsonObject): ErrorFacts {
  const inner = isObject(error.innererror) ? error.innererror : isObject(error.inner_error) ? error.inner_error : null;
  const details = isObject(error.details) ? error.details : null;
  const rpc = rpcDetails(error.details);
  const found = [error.code, details?.error_code, rpc.reason, error.type, error.status, inner?.code, error.reason].map(
    word,
  );
  return {
    codes: [...new Set(found.filter((code) => code !== null))].filter((code) => code !== "error"),
    message: text(error.message) ?? text(outer.message) ?? detailText(error.detail),
    status:
      httpStatus(error.code) ??
      httpStatus(error.status) ??
      httpStatus(error.status_code) ??
      httpStatus(outer.statusCode),
    retryAfterMs: rpc.retryAfterMs,
  };
}

const noDetails = { reason: null, retryAfterMs: null };

/** What Google lists beside an error (google.rpc.ErrorInfo, RetryInfo): https://google.aip.dev/193. */
function rpcDetails(details: unknown): { readonly reason: string | null; readonly retryAfterMs: number | null } {
  if (!Array.isArray(details)) return noDetails;
  let reason: string | null = null;
  let retryAfterMs: number | null = null;
  for (const detail of details) {
    if (!isObject(detail)) continue;
    reason ??= text(detail.reason);
    retryAfterMs ??= readRetryDelay(detail.retryDelay);
  }
  return { reason, retryAfterMs };
}

function awsFacts({ __type: type, Message: capitalised, message }: JsonObject): ErrorFacts {
  const name = text(type)?.split("#").at(-1) ?? null;
  return { codes: name === null ? [] : [name], message: text(capitalised) ?? text(message), status: null };
}

/** FastAPI's `detail` is a text, or a list of what is wrong with each field. */
function detailText(detail: unknown): string | null {
  if (Array.isArray(detail)) {
    const first: unknown = detail[0];
    return isObject(first) ? text(first.msg) : text(first);
  }
  return isObject(detail) ? (text(detail.message) ?? text(detail.error)) : text(detail);
}
