/**
 * Every error that Tuloy makes itself (as against an upstream's, which is passed on), in one table: its HTTP status and
 * OpenAI's `type` for it. The messages are made where the facts are.
 */
export const errorCodes = {
  invalid_json: { status: 400, type: "invalid_request_error" },
  invalid_request: { status: 400, type: "invalid_request_error" },
  context_length_exceeded: { status: 400, type: "invalid_request_error" },
  content_filter: { status: 400, type: "invalid_request_error" },
  no_deployment_allowed: { status: 400, type: "invalid_request_error" },
  invalid_api_key: { status: 401, type: "authentication_error" },
  forbidden_origin: { status: 403, type: "permission_error" },
  model_not_found: { status: 404, type: "invalid_request_error" },
  response_not_found: { status: 404, type: "invalid_request_error" },
  not_found: { status: 404, type: "invalid_request_error" },
  method_not_allowed: { status: 405, type: "invalid_request_error" },
  request_timeout: { status: 408, type: "invalid_request_error" },
  idempotency_in_flight: { status: 409, type: "invalid_request_error" },
  idempotent_replay_unavailable: { status: 409, type: "invalid_request_error" },
  request_too_large: { status: 413, type: "invalid_request_error" },
  unsupported_media_type: { status: 415, type: "invalid_request_error" },
  idempotency_mismatch: { status: 422, type: "invalid_request_error" },
  rate_limit_exceeded: { status: 429, type: "rate_limit_error" },
  internal_error: { status: 500, type: "server_error" },
  upstream_failed: { status: 502, type: "server_error" },
  stream_broken: { status: 502, type: "server_error" },
  no_healthy_deployment: { status: 503, type: "server_error" },
  region_unavailable: { status: 503, type: "server_error" },
  shutting_down: { status: 503, type: "server_error" },
  deadline_exceeded: { status: 504, type: "server_error" },
} as const satisfies Record<string, { status: number; type: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** One attempt, as an error answer lists it. */
export interface AttemptSummary {
  readonly provider: string;
  readonly model: string;
  readonly failure: string;
  readonly status: number | null;
}

/** An error for the client, before it is put into the client's dialect. */
export interface ClientError {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly param: string | null;
  readonly attempts: readonly AttemptSummary[];
  /** Waiting this long would help: sent as `retry-after-ms` and `retry-after`, and `x-should-retry` is left out. */
  readonly retryAfterMs: number | null;
}

/** A `ClientError` from its code, with the table's status and type. */
export function clientError(
  code: ErrorCode,
  message: string,
  extra: { param?: string; attempts?: readonly AttemptSummary[]; retryAfterMs?: number; status?: number } = {},
): ClientError {
  const row = errorCodes[code];
  return {
    code,
    status: extra.status ?? row.status,
    type: row.type,
    message,
    param: extra.param ?? null,
    attempts: extra.attempts ?? [],
    retryAfterMs: extra.retryAfterMs ?? null,
  };
}
