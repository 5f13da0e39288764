import type { Deployment, Exclusion } from "@tuloy/contract";

import { planEquivalents } from "./plan/equivalents.ts";
import { excluded } from "./plan/exclude.ts";
import { inOrder } from "./plan/order.ts";
import { byCostCap, byPrice, costCap } from "./plan/price-caps.ts";
import type { CostCap } from "./plan/price-caps.ts";
import { byRequest } from "./plan/request-filters.ts";
import { byRoute } from "./plan/route-filters.ts";
import type { Plan, PlanContext, PlanInput } from "./plan/shapes.ts";

/**
 * Applies the hard filters, then the order, then what is measured against the first in that order.
 * @returns the base's own plan when nothing of the request stands against any of it, since that is the common case
 */
export function makePlan(input: PlanInput, context: PlanContext): Plan {
  const { base } = input;
  if (base.plain && isPlain(input) && allFit(input)) return base.plan;
  const exclusions: Exclusion[] = [];
  const notes: string[] = [];
  const allowed = filter(input, context, exclusions);
  const ordered = inOrder(allowed, input, context, notes);
  const cap = capOf(ordered[0], input, context, notes);
  const candidates = keepOne(underCap(ordered, cap, input, context, exclusions), input, exclusions);
  const equivalents = planEquivalents(candidates, cap, input, context, exclusions);
  return {
    candidates,
    exclusions,
    ...(equivalents.length === 0 ? {} : { equivalents }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

/** The deployment that everything else is compared with: the first planned, before anything about breakers. */
export function primaryOf(plan: Plan): Deployment | null {
  return plan.candidates[0] ?? plan.equivalents?.[0]?.deployment ?? null;
}

/** All that a plan holds, in order: the model's own deployments, then those of others. */
export function plannedOf({ candidates, equivalents }: Plan): readonly Deployment[] {
  return equivalents === undefined ? candidates : [...candidates, ...equivalents.map(({ deployment }) => deployment)];
}

function isPlain({ base, lock, noFailover, overrides, equivalents }: PlanInput): boolean {
  if (lock !== null || overrides !== null || equivalents.length > 0) return false;
  return !noFailover || base.plan.candidates.length < 2;
}

function allFit(input: PlanInput): boolean {
  for (const deployment of input.base.plan.candidates) {
    if (byRequest(deployment, input) !== null) return false;
  }
  return true;
}

/** The hard filters. What the route excludes is known beforehand, unless a lock comes before it. */
function filter(input: PlanInput, context: PlanContext, exclusions: Exclusion[]): readonly Deployment[] {
  const { base, lock } = input;
  exclusions.push(...(lock === null ? base.plan.exclusions : base.hidden));
  return (lock === null ? base.plan.candidates : base.listed).filter((deployment) => {
    const exclusion =
      (lock === null ? null : byLock(deployment, lock, input)) ??
      byRequest(deployment, input) ??
      byPrice(deployment, input, context);
    if (exclusion !== null) exclusions.push(exclusion);
    return exclusion === null;
  });
}

/** A lock names one deployment, which is therefore nobody's twin: its fidelity is compared with no other's. */
function byLock(deployment: Deployment, lock: string, { base }: PlanInput): Exclusion | null {
  if (deployment.provider !== lock) {
    return excluded(deployment, "locked_elsewhere", `the request is locked to provider ${lock}`);
  }
  return byRoute(deployment, base.policy);
}

const freePrimary = "the primary costs nothing, so that max_cost_multiplier does not apply";

function capOf(
  primary: Deployment | undefined,
  input: PlanInput,
  { estimate }: PlanContext,
  notes: string[],
): CostCap | null {
  const { maxCostMultiplier } = input.base.policy;
  if (primary === undefined || maxCostMultiplier === null) return null;
  const cap = costCap(primary, maxCostMultiplier, input, estimate);
  if (cap === null) notes.push(freePrimary);
  return cap;
}

function underCap(
  ordered: readonly Deployment[],
  cap: CostCap | null,
  input: PlanInput,
  { estimate }: PlanContext,
  exclusions: Exclusion[],
): readonly Deployment[] {
  if (cap === null) return ordered;
  return ordered.filter((deployment, index) => {
    const exclusion = index === 0 ? null : byCostCap(deployment, cap, input, estimate);
    if (exclusion !== null) exclusions.push(exclusion);
    return exclusion === null;
  });
}

/** With no failover, the first in order or nothing. */
function keepOne(candidates: readonly Deployment[], input: PlanInput, exclusions: Exclusion[]): readonly Deployment[] {
  if (!input.noFailover && input.overrides?.allowFallbacks !== false) return candidates;
  for (const deployment of candidates.slice(1)) {
    exclusions.push(excluded(deployment, "no_failover", "the request asked for no failover"));
  }
  return candidates.slice(0, 1);
}
