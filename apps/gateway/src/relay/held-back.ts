import { clientError, type AttemptRecord, type ClientError } from "@tuloy/contract";
import { type Plan, type Stop } from "@tuloy/routing";

import type { Attempted } from "./attempt.ts";
import { planFor, type Planning } from "./plan.ts";
import type { Asked } from "./read.ts";
import { summaries } from "./surface.ts";

/**
 * What a request that found no answer is told when a policy held healthy deployments back from it: that the pinned region
 * has none left, or that those left cost more than the cap. Else the attempts' own end stands.
 */
export function toldWhatHeldBack(attempted: Attempted, asked: Asked, plan: Plan, planning: Planning): Attempted {
  const { result, records } = attempted;
  if (result.kind !== "stopped" || plan.exclusions.length === 0 || !couldHaveGoneOn(result.stop)) return attempted;
  const error = regionsError(result.stop, records, asked, plan, planning) ?? capsError(records, asked, plan, planning);
  return error === null ? attempted : { ...attempted, result: { kind: "held_back", error } };
}

/** The deployments failed, not the request. A rate limit ends by itself: its own words help more. */
function couldHaveGoneOn({ because, failure, suspectsRequest }: Stop): boolean {
  if (suspectsRequest) return false;
  if (because === "no_healthy_deployment" || because === "upstream_failed") return true;
  return because === "surface" && (failure?.class === "overloaded" || failure?.class === "server_error");
}

function regionsError(
  stop: Stop,
  records: readonly AttemptRecord[],
  asked: Asked,
  plan: Plan,
  planning: Planning,
): ClientError | null {
  const { route, entry } = asked;
  if (route.regions === null) return null;
  const kept = new Set(plan.exclusions.filter(({ reason }) => reason === "region").map(({ deployment }) => deployment));
  if (kept.size === 0) return null;
  const anywhere = planFor({ ...asked, route: { ...route, regions: null } }, planning);
  const elsewhere = anywhere.candidates.filter(({ id }) => kept.has(id) && planning.health.breaker(id).isClosed);
  if (elsewhere.length === 0) return null;
  return clientError(
    "region_unavailable",
    `No deployment of ${entry.model} in ${route.regions.join(" or ")} could answer, and route ${route.name} allows no other region.`,
    {
      attempts: summaries(records),
      ...(stop.retryAfterMs === null ? {} : { retryAfterMs: stop.retryAfterMs }),
    },
  );
}

function capsError(
  records: readonly AttemptRecord[],
  { entry }: Asked,
  { exclusions }: Plan,
  { health }: Planning,
): ClientError | null {
  const kept = exclusions.filter(
    ({ reason, deployment }) =>
      (reason === "price_cap" || reason === "no_price") && health.breaker(deployment).isClosed,
  );
  if (kept.length === 0) return null;
  const words = kept.map(({ deployment, detail }) => `${deployment}: ${detail}`).join("; ");
  return clientError(
    "no_deployment_allowed",
    `No deployment of ${entry.model} within the price cap could answer; left out were ${words}.`,
    { attempts: summaries(records) },
  );
}
