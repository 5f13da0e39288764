import { estimateUsd } from "@tuloy/catalog";
import type { PromptSize } from "@tuloy/dialects";
import { makePlan, type EquivalentOffer, type Health, type Plan, type PlanInput } from "@tuloy/routing";

import { offersOf, planBaseOf } from "../config/plan-bases.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { accountObstacles } from "./account-ids.ts";
import { plannedObstacles } from "./lane.ts";
import type { Asked } from "./read.ts";
import { spokenAs, type SpokenAs } from "./spoken.ts";

/** What a plan is made with, beyond the request. */
export interface Planning {
  readonly snapshot: Snapshot;
  readonly health: Health;
  readonly random: () => number;
  readonly now: number;
  /** The counted prompt; null: as estimated. */
  readonly size: PromptSize | null;
}

/** The deployments to try for a request, in order. */
export function planFor(asked: Asked, { snapshot, health, random, now, size }: Planning): Plan {
  const { entry, route, principal, lock, noFailover, session, overrides } = asked;
  const { facts } = asked.request;
  return makePlan(
    {
      base: planBaseOf(route, entry, principal.organization),
      lock,
      noFailover,
      capabilities: facts.capabilities,
      tokens: (size?.contextTokens ?? facts.contextTokens) + (facts.maxOutputTokens ?? 0),
      inputTokens: size?.inputTokens ?? facts.inputTokens,
      maxOutputTokens: facts.maxOutputTokens,
      stream: facts.stream,
      session,
      affinity: asked.affinity,
      overrides,
      parameterUse: facts,
      obstacle: obstaclesOf(asked, snapshot, spokenAs(health, now)),
      equivalents: equivalentsOf(asked, snapshot),
    },
    { health, random, estimate: estimateUsd, now },
  );
}

function obstaclesOf(asked: Asked, snapshot: Snapshot, spoken: SpokenAs | null): PlanInput["obstacle"] {
  const toTell = plannedObstacles(asked, snapshot, spoken);
  const toName = accountObstacles(asked, snapshot);
  if (toName === null) return toTell;
  return (deployment) => toName(deployment) ?? toTell?.(deployment) ?? null;
}

/** A request that lists models means these and no others; a lock and a route may forbid them. */
function equivalentsOf(
  { lock, route, entry, standIns, principal }: Asked,
  snapshot: Snapshot,
): readonly EquivalentOffer[] {
  const { organization } = principal;
  if (lock !== null) return nothing;
  if (standIns.length === 0) return offersOf(snapshot, route, entry, organization);
  if (route.equivalents === "never" || entry.operation === "embeddings") return nothing;
  return standIns.map((standIn) => ({
    base: planBaseOf(route, standIn.entry, organization),
    provider: standIn.lock,
    listed: true,
    score: null,
    why: `the request lists it for ${entry.model}`,
  }));
}

const nothing: readonly EquivalentOffer[] = [];
