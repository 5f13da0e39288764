import type { AttemptKind, Deployment, Failure, FailoverSettings } from "@tuloy/contract";

import type { Permit } from "./breaker.ts";
import type { KeyLease } from "./key-pool.ts";
import type { Caller, Demand } from "./key-state.ts";
import type { Plan } from "./plan/shapes.ts";

/** What one request brings to its course. Times are milliseconds of one monotonic clock. */
export interface CourseInput {
  readonly plan: Plan;
  readonly settings: FailoverSettings;
  readonly startedAt: number;
  /** No attempt and no wait outlives it. */
  readonly deadlineAt: number;
  readonly stream: boolean;
  /** Estimated input, for the first-token limit. */
  readonly inputTokens: number;
  /** Estimated input plus requested output, for the keys' tokens a minute; absent: `inputTokens`. */
  readonly tokens?: number;
  /** The request is locked to one provider: nothing is ever called beside its call. */
  readonly locked?: boolean;
  /** The request asks for high reasoning effort. */
  readonly highEffort: boolean;
  /** A digest of the request's body; called at most once, and only after a `reset` or `server_error`. */
  readonly fingerprint: () => string;
  /** Under which the deployment that answers is remembered for the session's next turn. Null or absent: it is not. */
  readonly affinity?: string | null;
  /** `deadlineAt` is the client's own, shorter limit: running into it is not the deployment's fault. */
  readonly clientShortened: boolean;
  /**
   * Why a deployment can't be told this request, in words; asked before the first call to it, since finding out may cost more than
   * a plan may. Null or absent: every one can.
   */
  readonly obstacle?: ((deployment: Deployment) => string | null) | null;
  /** Who asks, for provider keys that are reserved; absent: every key may be used. */
  readonly caller?: Caller;
  /** See `Demand`. */
  readonly onlyKey?: string | null;
}

/** What every call of a request asks of a key. */
export function demandOf({ tokens, inputTokens, caller, onlyKey }: CourseInput): Demand {
  return { tokens: tokens ?? inputTokens, inputTokens, caller, onlyKey };
}

/** A continuation probe is a small request of its own: some fifty tokens of prompt, and eight of answer. */
export const continuationProbeSize = { tokens: 64, inputTokens: 56 } as const;

/** One call to one deployment with one key, handed out by `Course.next`; ended by exactly one of `finished`, `failed`, `broke`, `cancelled`. */
export interface Call {
  readonly deployment: Deployment;
  readonly key: KeyLease;
  readonly permit: Permit;
  readonly kind: AttemptKind;
  /** The breaker was half-open and this call is its trial. */
  readonly trial: boolean;
  readonly startedAt: number;
  /**
   * Milliseconds from `startedAt` to the commit: the first-token limit of a stream (half of it for a trial), or the
   * answer limit of a whole JSON answer. The deadline may come sooner.
   */
  readonly firstTokenMs: number;
}

/** What to do next: make a call, wait and ask again, or give up. */
export type Step =
  | { readonly do: "call"; readonly call: Call }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "stop"; readonly stop: Stop };

/**
 * - `surface`: `failure` is the upstream's word to the client; its status and body are passed on.
 * - `empty_answer`: the last empty answer, which the caller kept, is passed on as it was.
 * - `upstream_failed`: calls were made, and none failed in a way that is for the client to see: a neutral 502.
 * - `no_healthy_deployment`: no call was possible: 503.
 * - `deadline_exceeded`: 504.
 * - `internal`: our own fault: 500.
 * - `cancelled`: the client went away; there is nobody to answer.
 */
export type StopCause =
  | "surface"
  | "empty_answer"
  | "upstream_failed"
  | "no_healthy_deployment"
  | "deadline_exceeded"
  | "internal"
  | "cancelled";

/** Why the course ended without an answer. */
export interface Stop {
  readonly because: StopCause;
  /** The failure to surface with `surface`, the fault with `internal`; otherwise null. */
  readonly failure: Failure | null;
  /** In words, for the trace and for the client's error. Names no key. */
  readonly detail: string;
  /** Asking again after this long would help; null: it would not, or nobody knows. */
  readonly retryAfterMs: number | null;
  /** The request itself is the likely cause, so that no other deployment would have helped. */
  readonly suspectsRequest: boolean;
}
