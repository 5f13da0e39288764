import type { Deployment, Exclusion } from "@tuloy/contract";

import { excluded } from "./exclude.ts";
import { allowsQuantization, fidelityClass } from "./fidelity.ts";
import type { PlanPolicy } from "./policy.ts";
import { isWithin } from "./regions.ts";

/** The hard filters that are the same for every request of a route: its providers, its regions, its fidelity. */
export function byRoute(deployment: Deployment, policy: PlanPolicy): Exclusion | null {
  return byProviders(deployment, policy) ?? byRegion(deployment, policy) ?? byQuantization(deployment, policy);
}

function byProviders(deployment: Deployment, { providers }: PlanPolicy): Exclusion | null {
  if (providers === null || providers.includes(deployment.provider)) return null;
  return excluded(deployment, "not_in_route", `the route's providers do not include ${deployment.provider}`);
}

function byRegion(deployment: Deployment, { regions }: PlanPolicy): Exclusion | null {
  if (regions === null || isWithin(regions, deployment.region)) return null;
  const where = deployment.region === null ? "its region is unknown" : `it is in ${deployment.region}`;
  return excluded(deployment, "region", `${where}, and the route is pinned to ${regions.join(" or ")}`);
}

function byQuantization(deployment: Deployment, { fidelity, quantizations }: PlanPolicy): Exclusion | null {
  const { quantization } = deployment;
  if (quantization === null && fidelity === "strict") {
    return excluded(deployment, "fidelity", "its quantization is unknown, and the route's fidelity is strict");
  }
  if (quantizations === null || allowsQuantization(quantizations, quantization)) return null;
  const served = quantization ?? "unknown quantization";
  return excluded(deployment, "fidelity", `it serves ${served}, and the route allows ${quantizations.join(" or ")}`);
}

/**
 * A twin is of the primary's fidelity: a backup below that of the first listed deployment would answer worse unseen. One
 * above it is welcome. A list of quantizations takes this comparison's place.
 */
export function byTwinship(deployment: Deployment, first: Deployment, policy: PlanPolicy): Exclusion | null {
  if (policy.quantizations !== null) return null;
  if (fidelityClass(deployment.quantization) >= fidelityClass(first.quantization)) return null;
  const detail = `it serves ${deployment.quantization ?? "full"}, below ${first.quantization ?? "full"} of ${first.id}`;
  return excluded(deployment, "fidelity", detail);
}
