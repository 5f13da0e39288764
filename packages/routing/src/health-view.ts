import type { Deployment } from "@tuloy/contract";

import type { BreakerView } from "./breaker.ts";
import type { Health } from "./health.ts";
import type { KeyView } from "./key-pool.ts";
import type { ProbeBudgetView } from "./probe-budget.ts";
import type { ProbeView } from "./probe-state.ts";

/** What is known of one deployment. Times in a breaker's view are of the clock that is passed in. */
export interface DeploymentHealth {
  readonly deployment: string;
  readonly provider: string;
  readonly model: string;
  readonly region: string | null;
  readonly breaker: BreakerView;
  /** Up or down by the last probe that said something; null: none did yet. */
  readonly up: boolean | null;
  readonly probe: ProbeView | null;
  /** Milliseconds since traffic last ended here; null: none ever did. */
  readonly trafficAgoMs: number | null;
  /** Of the time to the first token, in milliseconds; null while fewer than 20 recent ones are known. */
  readonly firstTokenP99Ms: number | null;
  readonly keys: readonly KeyView[];
}

export interface HealthView {
  readonly deployments: readonly DeploymentHealth[];
  /** What each provider's probes did today, by its name. */
  readonly probes: ReadonlyMap<string, ProbeBudgetView>;
}

/**
 * What is known of the given deployments: for people, never for the hot path. Holds names of keys and no secret.
 * @param now of the monotonic clock
 * @param wall milliseconds since 1970
 */
export function healthView(health: Health, deployments: Iterable<Deployment>, now: number, wall: number): HealthView {
  const seen: DeploymentHealth[] = [];
  const probes = new Map<string, ProbeBudgetView>();
  for (const deployment of deployments) {
    const { provider } = deployment;
    seen.push(deploymentHealth(health, deployment, now));
    if (!probes.has(provider)) probes.set(provider, health.probeBudget(provider).view(wall));
  }
  return { deployments: seen, probes };
}

/** As `healthView`, of one deployment. */
export function deploymentHealth(
  health: Health,
  { id, provider, model, region }: Deployment,
  now: number,
): DeploymentHealth {
  const breaker = health.breaker(id);
  const probe = health.probe(id, now);
  return {
    deployment: id,
    provider,
    model,
    region,
    breaker: breaker.view(now),
    up: probe.up,
    probe: probe.view(now),
    trafficAgoMs: breaker.lastTrafficAt === null ? null : now - breaker.lastTrafficAt,
    firstTokenP99Ms: health.latency(id).p99(now),
    keys: health.keyPool(provider).view(id, now),
  };
}
