/**
 * What can go wrong with an attempt, as a fixed list. The loop knows only these classes; which signals of which
 * provider mean which class is declared in `@tuloy/dialects`, and what each class makes the loop do in
 * `@tuloy/routing`.
 */
export const failureClasses = [
  "refused",
  "reset",
  "overloaded",
  "server_error",
  "rate_limited",
  "quota_exhausted",
  "auth",
  "model_missing",
  "context_length",
  "invalid_request",
  "content_filter",
  "first_token_timeout",
  "stall",
  "truncated",
  "garbled",
  "empty",
  "cancelled",
  "internal",
] as const;

export type FailureClass = (typeof failureClasses)[number];

/** One failed attempt, as the loop, the trace and the client's error see it. Never holds a secret. */
export interface Failure {
  readonly class: FailureClass;
  /** The reason in words, for people. At most a few hundred characters; provider text is cut and cleaned of secrets. */
  readonly reason: string;
  /** The upstream's HTTP status, or null when none arrived. */
  readonly status: number | null;
  /** The provider's own machine-readable code, as text, or null. */
  readonly code: string | null;
  /** How long the provider asks us to wait, in milliseconds, or null when it did not say. */
  readonly retryAfterMs: number | null;
  /** 401 and 403 are both `auth` but have different effects on the key. Only set for `auth`. */
  readonly auth?: "rejected" | "forbidden";
  /** The server has nothing at the path that was asked: it says so before it looks at a request. Absent: it has, as far as is known. */
  readonly missingPath?: true;
  /** What the provider sent, kept so that it can be surfaced unchanged. Absent when nothing whole arrived. */
  readonly response?: UpstreamError;
}

/** An upstream's error answer, as bytes, for `invalid_request` and the like, which are surfaced unchanged. */
export interface UpstreamError {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: Uint8Array;
}
