import type { Exclusion, Deployment } from "@tuloy/contract";

import { excluded } from "./exclude.ts";
import { inOrder } from "./order.ts";
import { byCostCap, byPrice, costCap } from "./price-caps.ts";
import type { CostCap } from "./price-caps.ts";
import { byRequest } from "./request-filters.ts";
import type { PlanContext, PlanInput, PlannedEquivalent } from "./shapes.ts";

/**
 * The deployments of other models that may stand in: under the same hard filters and caps as twins, in the order of the
 * offers, and within one model in the route's order.
 */
export function planEquivalents(
  candidates: readonly Deployment[],
  cap: CostCap | null,
  input: PlanInput,
  context: PlanContext,
  exclusions: Exclusion[],
): readonly PlannedEquivalent[] {
  const { equivalents: offers } = input;
  if (offers.length === 0) return [];
  const failsOver = !input.noFailover && input.overrides?.allowFallbacks !== false;
  const planned: PlannedEquivalent[] = [];
  // With no candidate left, the first equivalent is the primary.
  let against = cap;
  for (const { base, provider, listed, score, why } of offers) {
    if (listed) exclusions.push(...base.plan.exclusions);
    const allowed = base.plan.candidates.filter((deployment) => {
      if (provider !== null && deployment.provider !== provider) return false;
      const exclusion = byRequest(deployment, input) ?? byPrice(deployment, input, context);
      if (exclusion !== null) exclusions.push(exclusion);
      return exclusion === null;
    });
    for (const deployment of inOrder(allowed, input, context, [])) {
      const isPrimary = candidates.length + planned.length === 0;
      const exclusion = isPrimary
        ? null
        : failsOver
          ? against && byCostCap(deployment, against, input, context.estimate)
          : excluded(deployment, "no_failover", "the request asked for no failover");
      if (exclusion !== null) {
        exclusions.push(exclusion);
        continue;
      }
      const { maxCostMultiplier } = input.base.policy;
      if (isPrimary && maxCostMultiplier !== null) {
        against = costCap(deployment, maxCostMultiplier, input, context.estimate);
      }
      planned.push({ deployment, listed, score, why });
    }
  }
  return planned;
}
