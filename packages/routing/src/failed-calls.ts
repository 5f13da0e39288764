import type { Deployment, Failure } from "@tuloy/contract";

import type { Call } from "./attempt.ts";
import { failureEffects } from "./effects.ts";

/** One failed call of a request. */
export interface FailedCall {
  readonly deployment: Deployment;
  readonly key: string;
  readonly failure: Failure;
  readonly at: number;
  readonly startedAt: number;
}

/** Notes a failure in the order in which the calls began, whichever of two that ran side by side failed first. */
export function noteFailure(failed: FailedCall[], call: Call, failure: Failure, at: number): void {
  const { deployment, key, startedAt } = call;
  let place = failed.length;
  while (place > 0 && (failed[place - 1]?.startedAt ?? 0) > startedAt) place -= 1;
  failed.splice(place, 0, { deployment, key: key.name, failure, at, startedAt });
}

/**
 * The failure that the client sees when nothing answered, or null for a neutral error: what the deployment that was
 * tried first said about the request itself, else the first failure that a client may retry and that came as an HTTP
 * error. Our keys, our accounts and our plumbing are never the client's business.
 */
export function surfacedFailure(failed: readonly FailedCall[]): Failure | null {
  const primary = failed[0]?.deployment;
  for (const { deployment, failure } of failed) {
    if (deployment !== primary) break;
    if (failureEffects[failure.class].surfacing === "always") return failure;
  }
  for (const { failure } of failed) {
    const isHttpError = failure.status !== null && failure.status >= 400;
    if (isHttpError && failureEffects[failure.class].surfacing === "retryable") return failure;
  }
  return null;
}

/** The last failure at each deployment, in the order in which they were first tried. */
export function lastFailures(failed: readonly FailedCall[]): readonly FailedCall[] {
  const last = new Map<string, FailedCall>();
  for (const call of failed) last.set(call.deployment.id, call);
  return [...last.values()];
}

/** The keys that a request used at a deployment: none of them is a sibling. */
export function keysUsed(failed: readonly FailedCall[], deployment: Deployment): ReadonlySet<string> {
  return new Set(failed.filter((call) => call.deployment === deployment).map((call) => call.key));
}

/** The keys that a request must not use at a deployment again. A rate limit passes; the rest does not within one request. */
export function keysSpent(failed: readonly FailedCall[], deployment: Deployment): ReadonlySet<string> {
  const spent = failed.filter(({ failure }) => {
    const { key } = failureEffects[failure.class];
    return key === "quarantine" || key === "disable";
  });
  return keysUsed(spent, deployment);
}
