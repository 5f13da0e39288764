import {
  clientError,
  errorCodes,
  type AttemptRecord,
  type AttemptSummary,
  type ClientError,
  type Failure,
  type UpstreamError,
} from "@tuloy/contract";
import type { Stop } from "@tuloy/routing";

/** What the client is told when there is no answer: an upstream's own error, unchanged, or one of ours. */
export type Surfaced =
  | { readonly kind: "upstream"; readonly response: UpstreamError; readonly failure: Failure }
  | { readonly kind: "own"; readonly error: ClientError };

/** Faults of the request itself: the provider's own words help the client most, so they are passed on as they came. */
const passedOnUnchanged: ReadonlySet<string> = new Set(["invalid_request", "context_length", "content_filter"]);

/** Puts the end of a course without an answer into words for the client. */
export function surface(stop: Stop, records: readonly AttemptRecord[]): Surfaced {
  const attempts = summaries(records);
  const { failure } = stop;
  if (failure?.response && passedOnUnchanged.has(failure.class))
    return { kind: "upstream", response: failure.response, failure };
  const retry = stop.retryAfterMs === null ? {} : { retryAfterMs: stop.retryAfterMs };
  return { kind: "own", error: ownError(stop, attempts, retry) };
}

function ownError(stop: Stop, attempts: readonly AttemptSummary[], retry: { retryAfterMs?: number }): ClientError {
  switch (stop.because) {
    case "surface":
    case "empty_answer":
    case "cancelled":
      return stop.failure
        ? upstreamsWord(stop.failure, stop.detail, attempts, retry)
        : clientError("upstream_failed", stop.detail, { attempts, ...retry });
    case "upstream_failed":
      return clientError("upstream_failed", stop.detail, { attempts, ...retry });
    case "no_healthy_deployment":
      return clientError("no_healthy_deployment", stop.detail, { attempts, ...retry });
    case "deadline_exceeded":
      return clientError("deadline_exceeded", stop.detail, { attempts });
    case "internal":
      return clientError(
        "internal_error",
        "The gateway failed on this request; its log has the reason under the trace id.",
        { attempts },
      );
  }
}

/** Clients look for these two by name. */
const askersCodes = {
  invalid_request: "invalid_request",
  context_length: "context_length_exceeded",
  content_filter: "content_filter",
} as const;

/** A retryable error of an upstream, in the client's dialect: its status, and what it said. */
function upstreamsWord(
  failure: Failure,
  detail: string,
  attempts: readonly AttemptSummary[],
  retry: { retryAfterMs?: number },
): ClientError {
  const message = detail === "" || detail === failure.reason ? failure.reason : `${failure.reason} (${detail})`;
  if (failure.class === "rate_limited") return clientError("rate_limit_exceeded", message, { attempts, ...retry });
  const status = failure.status !== null && failure.status >= 500 ? failure.status : errorCodes.upstream_failed.status;
  if (failure.class === "overloaded" || failure.class === "server_error")
    return clientError("upstream_failed", message, { attempts, status, ...retry });
  if (failure.class === "invalid_request" || failure.class === "context_length" || failure.class === "content_filter") {
    const asked = failure.status !== null && failure.status >= 400 && failure.status < 500 ? failure.status : 400;
    return clientError(askersCodes[failure.class], message, { attempts, status: asked });
  }
  return clientError("upstream_failed", message, { attempts, ...retry });
}

export function summaries(records: readonly AttemptRecord[]): AttemptSummary[] {
  return records.map(({ provider, model, failure, status }) => ({
    provider,
    model,
    failure: failure ?? "none",
    status,
  }));
}
