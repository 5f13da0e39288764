import type { Failure, FailureClass } from "@tuloy/contract";

/**
 * What the loop does after a failure:
 * - `next`: another deployment, at once.
 * - `next_or_retry`: the same, and when none is left one more call to the same deployment, after a backoff.
 * - `larger_window`: only deployments whose known context window is larger.
 * - `surface_if_primary`: from the deployment that was tried first, stop; from a later one, go on without it.
 * - `once_elsewhere`: one other deployment, then the client gets what there is.
 * - `stop`: nothing further.
 */
export type NextStep = "next" | "next_or_retry" | "larger_window" | "surface_if_primary" | "once_elsewhere" | "stop";

/** How a breaker counts a failure. `slow_failure` counts like `failure`, but recovery is tried by probes, not by users' requests. */
export type BreakerEffect = "failure" | "slow_failure" | "soft" | "none";

/**
 * What happens to the key:
 * - `cool`: not used for this deployment for a while.
 * - `wait`: not used for this deployment for exactly as long as the provider asked.
 * - `throttle`: as `cool`, and fewer calls at a time afterwards.
 * - `quarantine`: not used at all until a trial succeeds; an alert.
 * - `disable`: not used for this deployment for 10 minutes, then a trial.
 */
export type KeyEffect = "none" | "cool" | "wait" | "throttle" | "quarantine" | "disable";

/** Who may see it: `always` the client, `retryable` the client when nothing answered, `never` the client. */
export type Surfacing = "always" | "retryable" | "never";

/** Everything that one failure class means to the loop. */
export interface Effect {
  readonly next: NextStep;
  readonly breaker: BreakerEffect;
  readonly key: KeyEffect;
  /** Another key of the same deployment is tried before another deployment. */
  readonly siblingFirst: boolean;
  readonly surfacing: Surfacing;
  /** Seen twice on different deployments, the request itself is the suspect. */
  readonly suspectsRequest: boolean;
}

const plain = { key: "none", siblingFirst: false, surfacing: "never", suspectsRequest: false } as const;

/** What each failure class makes the loop do, with the reason beside each row. */
export const failureEffects: Readonly<Record<FailureClass, Effect>> = {
  // Nothing reached the provider: trying elsewhere cannot do double work.
  refused: { ...plain, next: "next", breaker: "failure" },
  // The server, or something before it, fell over: perhaps because of this very prompt.
  reset: { ...plain, next: "next_or_retry", breaker: "failure", suspectsRequest: true },
  // The provider asks for less traffic; a retry at the same place would add to it.
  overloaded: { ...plain, next: "next", breaker: "failure", surfacing: "retryable" },
  // Often gone a moment later, so with no twin left it is worth one more call; twice alike may be the prompt's doing.
  server_error: {
    ...plain,
    next: "next_or_retry",
    breaker: "failure",
    surfacing: "retryable",
    suspectsRequest: true,
  },
  // The key's limit, not the server's health: the breaker stays out of it, another key may have room.
  rate_limited: {
    ...plain,
    next: "next",
    breaker: "none",
    key: "throttle",
    siblingFirst: true,
    surfacing: "retryable",
  },
  // Only money or a new month helps this key; and our account's state is not for the client to see.
  quota_exhausted: { ...plain, next: "next", breaker: "none", key: "quarantine", siblingFirst: true },
  // Our credential, not the client's: it must never see this 401. A 403 is about one model, see `keyEffect`.
  auth: { ...plain, next: "next", breaker: "none", key: "quarantine", siblingFirst: true },
  // This account does not have the model here; another provider may.
  model_missing: { ...plain, next: "next", breaker: "none", key: "disable" },
  // The same size would fail again anywhere with the same window.
  context_length: { ...plain, next: "larger_window", breaker: "none", surfacing: "always" },
  // The primary's word on the request is the client's answer; a backup's may be only a quirk of that backup.
  invalid_request: { ...plain, next: "surface_if_primary", breaker: "none", surfacing: "always" },
  // Going elsewhere would evade a filter.
  content_filter: { ...plain, next: "stop", breaker: "none", surfacing: "always" },
  // It was slow once for this request and would be again.
  first_token_timeout: { ...plain, next: "next", breaker: "slow_failure" },
  // Alive by its socket, dead by its output.
  stall: { ...plain, next: "next", breaker: "slow_failure" },
  // It ended without saying so: never a success.
  truncated: { ...plain, next: "next", breaker: "failure" },
  // A 200 that carries no answer comes from a proxy or a broken server.
  garbled: { ...plain, next: "next", breaker: "failure" },
  // Sometimes a hiccup, sometimes the model's true answer: one second opinion, and only half a failure.
  empty: { ...plain, next: "once_elsewhere", breaker: "soft" },
  // The client's doing.
  cancelled: { ...plain, next: "stop", breaker: "none" },
  // Ours: no other deployment would help, and none is to blame.
  internal: { ...plain, next: "stop", breaker: "none" },
};

/** The table's key effect, except that a 403 is about one model: the key itself is good and only cools there. */
export function keyEffect(failure: Failure): KeyEffect {
  if (failure.class === "auth" && failure.auth === "forbidden") return "cool";
  return failureEffects[failure.class].key;
}
