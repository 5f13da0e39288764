import type { Capability, Deployment, Exclusion, ExclusionReason, ParameterUse } from "@tuloy/contract";

import { refusedParameter } from "./parameters.ts";

/** The ordered deployments for one request, and those excluded, each with its reason. */
export interface Plan {
  readonly candidates: readonly Deployment[];
  readonly exclusions: readonly Exclusion[];
}

/** What a plan is made from: the model's deployments, the route's wish, and the facts of the request. */
export interface PlanInput {
  /** Everything that serves the model, in the file's order of providers. */
  readonly deployments: readonly Deployment[];
  /** The route's providers in order of preference; null: all, in the file's order. */
  readonly providers: readonly string[] | null;
  /** The provider that the request is locked to, or null. */
  readonly lock: string | null;
  /** The client asked that nothing but the primary be tried. */
  readonly noFailover: boolean;
  /** What the request uses beyond plain text. */
  readonly capabilities: readonly Capability[];
  /** Estimated input plus requested output, in tokens. */
  readonly tokens: number;
  readonly parameterUse: ParameterUse;
  /** A deployment must take every parameter, also those without which the answer would be much the same. */
  readonly requireParameters: boolean;
}

const nothingExcluded: readonly Exclusion[] = [];

/**
 * Applies the hard filters and the route's order (`order` strategy). What is unknown about a deployment (capabilities,
 * context) excludes nothing: a wrong guess would take away a working backup, while a refusal costs one attempt.
 * @returns a plan that shares the input's array when nothing is excluded or moved, since that is the common case
 */
export function makePlan(input: PlanInput): Plan {
  const { deployments } = input;
  if (input.providers === null && !(input.noFailover && deployments.length > 1) && allFit(input)) {
    return { candidates: deployments, exclusions: nothingExcluded };
  }
  const candidates: Deployment[] = [];
  const exclusions: Exclusion[] = [];
  for (const deployment of inRouteOrder(input)) {
    const exclusion = filter(deployment, input) ?? beyondPrimary(deployment, input, candidates);
    if (exclusion === null) candidates.push(deployment);
    else exclusions.push(exclusion);
  }
  return { candidates, exclusions };
}

function allFit(input: PlanInput): boolean {
  for (const deployment of input.deployments) {
    if (filter(deployment, input) !== null) return false;
  }
  return true;
}

/** The listed providers' deployments by preference, then those of unlisted providers so that they get their exclusion. */
function inRouteOrder(input: PlanInput): readonly Deployment[] {
  const { providers, deployments } = input;
  if (providers === null) return deployments;
  const listed = providers.flatMap((name) => deployments.filter((deployment) => deployment.provider === name));
  return [...new Set([...listed, ...deployments])];
}

function filter(deployment: Deployment, input: PlanInput): Exclusion | null {
  const { lock, providers, tokens } = input;
  if (lock !== null && deployment.provider !== lock) {
    return excluded(deployment, "locked_elsewhere", `the request is locked to provider ${lock}`);
  }
  if (providers !== null && !providers.includes(deployment.provider)) {
    return excluded(deployment, "not_in_route", `the route's providers do not include ${deployment.provider}`);
  }
  const lacking = firstLacking(input.capabilities, deployment.capabilities);
  if (lacking !== null) {
    return excluded(deployment, "capability", `the request uses ${lacking}, which this deployment does not offer`);
  }
  if (deployment.contextTokens !== null && tokens > deployment.contextTokens) {
    const detail = `the request needs about ${tokens} tokens, the window holds ${deployment.contextTokens}`;
    return excluded(deployment, "context", detail);
  }
  const refused = refusedParameter(deployment.parameters, input.parameterUse, input.requireParameters);
  return refused === null ? null : excluded(deployment, "parameters", refused);
}

function beyondPrimary(deployment: Deployment, input: PlanInput, before: readonly Deployment[]): Exclusion | null {
  if (!input.noFailover || before.length === 0) return null;
  return excluded(deployment, "no_failover", "the request asked for no failover");
}

function firstLacking(used: readonly Capability[], offered: ReadonlySet<Capability> | null): Capability | null {
  if (offered === null || used.length === 0) return null;
  for (const capability of used) {
    if (!offered.has(capability)) return capability;
  }
  return null;
}

function excluded(deployment: Deployment, reason: ExclusionReason, detail: string): Exclusion {
  return { deployment: deployment.id, reason, detail };
}
