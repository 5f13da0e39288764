import type { Deployment } from "@tuloy/contract";

import { demandOf } from "./attempt.ts";
import type { CourseInput } from "./attempt.ts";
import { backoffMs } from "./backoff.ts";
import { failureEffects } from "./effects.ts";
import { keysSpent, lastFailures } from "./failed-calls.ts";
import type { FailedCall } from "./failed-calls.ts";
import type { Health } from "./health.ts";

/** One more call to a deployment that failed already. */
export interface Retry {
  readonly deployment: Deployment;
  /** Not before. */
  readonly at: number;
  /** `retry`: after a backoff. `wait`: because the provider said when to come back. Each is allowed once a request. */
  readonly kind: "retry" | "wait";
}

/** The soonest further call to a deployment that failed for a passing reason, before the deadline; null: none is worth it. */
export function soonestRetry(
  input: CourseInput,
  health: Health,
  failed: readonly FailedCall[],
  allowed: { readonly retry: boolean; readonly wait: boolean },
  now: number,
  random: () => number,
): Retry | null {
  let best: Retry | null = null;
  for (const call of lastFailures(failed)) {
    if (!health.breaker(call.deployment.id).wouldAcquire(now)) continue;
    const waitMs = askedMs(input, health, call, now);
    if (waitMs !== null && waitMs > input.settings.patienceMs) continue;
    const retry =
      (allowed.retry ? afterBackoff(call, waitMs, now, random) : null) ??
      (allowed.wait ? afterWait(call, waitMs) : null);
    if (retry === null || retry.at >= input.deadlineAt || (best !== null && retry.at >= best.at)) continue;
    if (hasKeyAt(input, health, failed, retry)) best = retry;
  }
  return best;
}

function afterBackoff(call: FailedCall, waitMs: number | null, now: number, random: () => number): Retry | null {
  if (failureEffects[call.failure.class].next !== "next_or_retry") return null;
  const at = Math.max(now + backoffMs(0, random), call.at + (waitMs ?? 0));
  return { deployment: call.deployment, at, kind: "retry" };
}

function afterWait(call: FailedCall, waitMs: number | null): Retry | null {
  if (waitMs === null || failureEffects[call.failure.class].surfacing !== "retryable") return null;
  return { deployment: call.deployment, at: call.at + waitMs, kind: "wait" };
}

/** The provider's Retry-After; after a rate limit without one, until the key's own cooldown ends. */
function askedMs(input: CourseInput, health: Health, call: FailedCall, now: number): number | null {
  const { deployment, failure } = call;
  if (failure.retryAfterMs !== null || failure.class !== "rate_limited") return failure.retryAfterMs;
  const pool = health.keyPool(deployment.provider);
  const keyMs = pool.msUntilUsable(deployment.id, now, demandOf(input));
  return keyMs === null ? null : now - call.at + keyMs;
}

/** Waiting is of no use when even then no key is free: another call may have cooled it for longer. */
function hasKeyAt(input: CourseInput, health: Health, failed: readonly FailedCall[], retry: Retry): boolean {
  const { deployment, at } = retry;
  return health.keyPool(deployment.provider).usable(deployment.id, at, {
    ...demandOf(input),
    exclude: keysSpent(failed, deployment),
    ignoreAdaptive: true,
  });
}
