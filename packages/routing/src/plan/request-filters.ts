import type { Capability, Deployment, Exclusion, RoutingOverrides } from "@tuloy/contract";

import { refusedParameter } from "../parameters.ts";
import { excluded } from "./exclude.ts";
import { allowsQuantization } from "./fidelity.ts";
import type { PlanInput } from "./shapes.ts";

/**
 * The hard filters that depend on the request. What is unknown about a deployment's abilities excludes nothing, since a
 * wrong guess would take away a working backup while a refusal costs one attempt; but what a request explicitly asks for
 * (retention) must be known.
 */
export function byRequest(deployment: Deployment, input: PlanInput): Exclusion | null {
  return (input.overrides === null ? null : byOverrides(deployment, input.overrides)) ?? byNeeds(deployment, input);
}

function byNeeds(deployment: Deployment, input: PlanInput): Exclusion | null {
  const { capabilities, tokens, parameterUse, overrides } = input;
  const lacking = firstLacking(capabilities, deployment.capabilities);
  if (lacking !== null) {
    return excluded(deployment, "capability", `the request uses ${lacking}, which this deployment does not offer`);
  }
  const obstacle = input.obstacle === null ? null : input.obstacle(deployment);
  if (obstacle !== null) return excluded(deployment, "capability", obstacle);
  if (deployment.contextTokens !== null && tokens > deployment.contextTokens) {
    const detail = `the request needs about ${tokens} tokens, the window holds ${deployment.contextTokens}`;
    return excluded(deployment, "context", detail);
  }
  const refused = refusedParameter(deployment.parameters, parameterUse, overrides?.requireParameters ?? false);
  return refused === null ? null : excluded(deployment, "parameters", refused);
}

function firstLacking(used: readonly Capability[], offered: ReadonlySet<Capability> | null): Capability | null {
  if (offered === null || used.length === 0) return null;
  for (const capability of used) {
    if (!offered.has(capability)) return capability;
  }
  return null;
}

function byOverrides(deployment: Deployment, overrides: RoutingOverrides): Exclusion | null {
  const { only, ignore, zdr, dataCollection, quantizations } = overrides;
  const { provider } = deployment;
  if (only !== null && !only.includes(provider)) {
    return excluded(deployment, "ignored_by_request", `the request allows only ${only.join(", ")}`);
  }
  if (ignore !== null && ignore.includes(provider)) {
    return excluded(deployment, "ignored_by_request", `the request ignores ${provider}`);
  }
  if (zdr && deployment.retains !== false) {
    const why = deployment.retains === null ? "nobody declared that it retains nothing" : "it retains what it is sent";
    return excluded(deployment, "retention", `the request asks for zero data retention: ${why}`);
  }
  if (dataCollection === "deny" && deployment.trains !== false) {
    const why = deployment.trains === null ? "nobody declared that it does not train on it" : "it trains on it";
    return excluded(deployment, "retention", `the request denies data collection: ${why}`);
  }
  if (quantizations !== null && !allowsQuantization(quantizations, deployment.quantization)) {
    const served = deployment.quantization ?? "unknown quantization";
    return excluded(deployment, "fidelity", `it serves ${served}, and the request allows ${quantizations.join(", ")}`);
  }
  return null;
}
