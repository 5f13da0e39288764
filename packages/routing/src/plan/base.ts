import type { Deployment, Exclusion } from "@tuloy/contract";

import type { PlanPolicy } from "./policy.ts";
import { byRoute, byTwinship } from "./route-filters.ts";
import type { PlanBase } from "./shapes.ts";

const nothingExcluded: readonly Exclusion[] = [];

const hiddenExclusion: Exclusion = {
  deployment: "a private deployment",
  reason: "visibility",
  detail: "it belongs to another organization",
};

/**
 * Applies what a route asks to everything that serves a model, in the file's order of providers. To an organization,
 * others' private deployments do not exist: they are compared with nothing, and their exclusion does not name them.
 * @returns a base whose plan shares the given array when nothing is excluded or moved
 */
export function planBase(deployments: readonly Deployment[], policy: PlanPolicy, organization: string): PlanBase {
  const visible = deployments.filter(({ owner }) => owner === null || owner === organization);
  const hidden = Array.from({ length: deployments.length - visible.length }, () => hiddenExclusion);
  const listed = inRouteOrder(hidden.length === 0 ? deployments : visible, policy.providers);
  const candidates: Deployment[] = [];
  const exclusions: Exclusion[] = [...hidden];
  for (const deployment of listed) {
    const first = candidates[0];
    const exclusion =
      byRoute(deployment, policy) ?? (first === undefined ? null : byTwinship(deployment, first, policy));
    if (exclusion === null) candidates.push(deployment);
    else exclusions.push(exclusion);
  }
  const plan =
    exclusions.length === 0 ? { candidates: listed, exclusions: nothingExcluded } : { candidates, exclusions };
  return {
    policy,
    listed,
    hidden,
    plan,
    plain: policy.strategy === "order" && policy.maxPrice === null && policy.maxCostMultiplier === null,
  };
}

/** The listed providers' deployments by preference, then those of unlisted providers so that they get their exclusion. */
function inRouteOrder(deployments: readonly Deployment[], providers: readonly string[] | null): readonly Deployment[] {
  if (providers === null) return deployments;
  const chosen = providers.flatMap((name) => deployments.filter((deployment) => deployment.provider === name));
  const ordered = [...new Set([...chosen, ...deployments])];
  return ordered.every((deployment, index) => deployment === deployments[index]) ? deployments : ordered;
}
