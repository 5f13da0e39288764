import type { Deployment, Exclusion, ExclusionReason } from "@tuloy/contract";

import type { Health } from "./health.ts";
import type { Demand } from "./key-state.ts";

/** Why a candidate was passed over while the plan was carried out, in words. */
export function passedOver(
  health: Health,
  deployment: Deployment,
  reason: ExclusionReason,
  demand: Demand,
  now: number,
): Exclusion {
  return { deployment: deployment.id, reason, detail: words(health, deployment, reason, demand, now) };
}

function words(health: Health, deployment: Deployment, reason: ExclusionReason, demand: Demand, now: number): string {
  if (reason === "no_usable_key") {
    const why = health.keyPool(deployment.provider).why(deployment.id, now, demand);
    return why === "" ? "no key has room for a call of this size" : why;
  }
  const view = health.breaker(deployment.id).view(now);
  if (view.state === "isolated") return "switched off by a person";
  if (view.state === "open") return `the breaker is open for another ${Math.ceil((view.until - now) / 1000)} s`;
  if (view.state === "half_open" && view.trialInFlight) return "the breaker is half-open and its trial is under way";
  return "the breaker is half-open and awaits a probe";
}

/**
 * How long until some candidate may take a call again, in milliseconds. Null when nobody knows: nothing stands in the
 * way by time, so asking later is no better than asking now.
 */
export function soonestMs(
  health: Health,
  candidates: readonly Deployment[],
  demand: Demand,
  now: number,
): number | null {
  let soonest = Infinity;
  for (const { id, provider } of candidates) {
    const breakerMs = health.breaker(id).msUntilTrial(now);
    const keyMs = health.keyPool(provider).msUntilUsable(id, now, demand);
    if (breakerMs !== null && keyMs !== null) soonest = Math.min(soonest, Math.max(breakerMs, keyMs));
  }
  return soonest > 0 && soonest < Infinity ? soonest : null;
}
