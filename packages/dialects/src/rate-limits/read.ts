import type { RateBudget, RateLimits } from "@tuloy/contract";

import type { RateLimitHeaders } from "./headers.ts";

/** An answer's headers by lower-case name, as HTTP clients give them. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

const unitMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** No provider writes more than this into one of these headers. */
const longestText = 40;
/** A bare number above this is a moment in seconds since 1970, and above the other one in milliseconds. */
const epochSeconds = 1e9;
const epochMs = 1e12;

/**
 * What an answer says about the budgets of the key that was used. A value that is no sensible number is as good as none;
 * nothing here throws, whatever the headers hold.
 * @param families tried in order; the first one whose requests header is there counts
 * @param wall milliseconds since 1970, now
 * @returns null when the answer says nothing: the common case, told by one look-up per family
 */
export function readRateLimits(
  families: readonly RateLimitHeaders[],
  headers: AnswerHeaders,
  wall: number,
): RateLimits | null {
  for (const family of families) {
    if (headers[family.requests.remaining] === undefined) continue;
    const limits = {
      refill: family.refill,
      requests: readBudget(family.requests, headers, wall),
      tokens: readBudget(family.tokens, headers, wall),
      inputTokens: readBudget(family.inputTokens, headers, wall),
      outputTokens: readBudget(family.outputTokens, headers, wall),
    };
    const { requests, tokens, inputTokens, outputTokens } = limits;
    return requests === null && tokens === null && inputTokens === null && outputTokens === null ? null : limits;
  }
  return null;
}

function readBudget(names: RateLimitHeaders["tokens"], headers: AnswerHeaders, wall: number): RateBudget | null {
  if (names === null) return null;
  const remaining = readCount(headers[names.remaining]);
  if (remaining === null) return null;
  const limit = readCount(headers[names.limit]);
  // A budget of nothing would mean that the key can never be used, while it was used a moment ago.
  if (limit === 0) return null;
  return { remaining, limit, resetMs: readReset(headers[names.reset], wall) };
}

/** Azure's -1 for "not known" is none either. */
function readCount(text: string | string[] | undefined): number | null {
  if (typeof text !== "string" || !startsWithDigit(text)) return null;
  const count = Number(text);
  return count <= Number.MAX_SAFE_INTEGER ? count : null;
}

/**
 * Milliseconds until a reset: `12ms`, `6m0s`, `2m59.56s`, `55` (seconds), a moment in seconds or milliseconds since 1970,
 * or one in RFC 3339. What has passed is 0. Null: none of these.
 */
export function readReset(text: string | string[] | undefined, wall: number): number | null {
  if (typeof text !== "string" || text.length > longestText || !startsWithDigit(text)) return null;
  // `2026-11-24T08:10:41Z`
  if (text.charCodeAt(4) === 0x2d) {
    const at = Date.parse(text);
    return Number.isNaN(at) ? null : Math.max(0, at - wall);
  }
  const bare = Number(text);
  if (bare < epochSeconds) return bare * 1000;
  if (bare >= epochSeconds) return Math.max(0, (bare < epochMs ? bare * 1000 : bare) - wall);
  return readDuration(text);
}

/** By hand: an expression for this takes more than the microsecond that all of it may. */
function readDuration(text: string): number | null {
  let total = 0;
  let at = 0;
  while (at < text.length) {
    const from = at;
    while (isDigit(text.charCodeAt(at)) || text.charCodeAt(at) === 0x2e) at += 1;
    const amount = Number(text.slice(from, at));
    const unitAt = at;
    while (at < text.length && !isDigit(text.charCodeAt(at))) at += 1;
    const unit = unitMs.get(text.slice(unitAt, at));
    if (from === unitAt || unit === undefined || Number.isNaN(amount)) return null;
    total += amount * unit;
  }
  return Number.isFinite(total) ? total : null;
}

function startsWithDigit(text: string): boolean {
  return isDigit(text.charCodeAt(0));
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
