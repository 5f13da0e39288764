/** No provider's limit lasts longer than a day; a longer wait is a mistake or a clock far off. */
const longestMs = 24 * 60 * 60 * 1000;

function bounded(ms: number): number | null {
  return Number.isFinite(ms) ? Math.min(Math.max(0, Math.ceil(ms)), longestMs) : null;
}

/**
 * How long an upstream asks us to wait: `retry-after-ms` (OpenAI, Azure), else `retry-after` as seconds or as an HTTP date
 * (RFC 9110, 10.2.3). A date in the past means now.
 * @param wall milliseconds since 1970, now
 * @returns milliseconds from 0 to a day, or null when neither header says anything sensible
 */
export function readRetryAfter(headers: (name: string) => string | undefined, wall: number): number | null {
  const ms = headers("retry-after-ms")?.trim();
  if (ms !== undefined && /^\d+(?:\.\d+)?$/.test(ms)) return bounded(Number(ms));
  const after = headers("retry-after")?.trim();
  if (after === undefined) return null;
  if (/^\d+(?:\.\d+)?$/.test(after)) return bounded(Number(after) * 1000);
  // Only real dates: `Date.parse` also takes "-1" or "6" for one.
  if (!/^[A-Z][a-z]{2,8},? /.test(after)) return null;
  const at = Date.parse(after);
  return Number.isNaN(at) ? null : bounded(at - wall);
}

/**
 * Google's `RetryInfo.retryDelay`, a protobuf duration as JSON writes it: `22s`, `10.689924287s`.
 * @returns milliseconds from 0 to a day, or null for anything else
 */
export function readRetryDelay(value: unknown): number | null {
  return typeof value === "string" && /^\d+(?:\.\d+)?s$/.test(value)
    ? bounded(Number(value.slice(0, -1)) * 1000)
    : null;
}
