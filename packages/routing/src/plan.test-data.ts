import type { Deployment, RoutingOverrides } from "@tuloy/contract";

import { steadyHealth } from "./fixtures.test-data.ts";
import { planBase } from "./plan/base.ts";
import type { PlanPolicy } from "./plan/policy.ts";
import type { EquivalentOffer, PlanContext, PlanInput } from "./plan/shapes.ts";

/** A route that asks nothing. */
function policy(fields: Partial<PlanPolicy> = {}): PlanPolicy {
  return {
    strategy: "order",
    providers: null,
    weights: null,
    regions: null,
    fidelity: "same",
    quantizations: null,
    maxPrice: null,
    maxCostMultiplier: null,
    equivalents: "off",
    ...fields,
  };
}

/** A request of 100 tokens in and 100 out that asks nothing else. */
export function planInput(
  deployments: readonly Deployment[],
  route: Partial<PlanPolicy> = {},
  fields: Partial<PlanInput> = {},
  organization = "ours",
): PlanInput {
  return {
    base: planBase(deployments, policy(route), organization),
    lock: null,
    noFailover: false,
    capabilities: [],
    tokens: 200,
    inputTokens: 100,
    maxOutputTokens: 100,
    stream: true,
    session: null,
    affinity: null,
    overrides: null,
    parameterUse: { parameters: [], stops: 0 },
    obstacle: null,
    equivalents: [],
    ...fields,
  };
}

export function overrides(fields: Partial<RoutingOverrides>): RoutingOverrides {
  return {
    order: null,
    only: null,
    ignore: null,
    allowFallbacks: true,
    sort: null,
    maxPrice: null,
    zdr: false,
    dataCollection: null,
    requireParameters: false,
    quantizations: null,
    models: [],
    ...fields,
  };
}

export function context(fields: Partial<PlanContext> = {}): PlanContext {
  return {
    health: steadyHealth(),
    random: () => 0.5,
    estimate: (price, input, output) => (input * price.input + output * price.output) / 1_000_000,
    now: 0,
    ...fields,
  };
}

/** Another model's deployments as an offer under a route. */
export function offer(
  deployments: readonly Deployment[],
  route: Partial<PlanPolicy> = {},
  fields: Partial<EquivalentOffer> = {},
): EquivalentOffer {
  return {
    base: planBase(deployments, policy(route), "ours"),
    provider: null,
    listed: false,
    score: 0.8,
    why: "it is near",
    ...fields,
  };
}

/** Numbers that look like chance and are the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
