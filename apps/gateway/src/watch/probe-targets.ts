import type { Deployment, FailoverSettings } from "@tuloy/contract";

import { routeFor } from "../config/match.ts";
import type { ModelEntry, Provider, Snapshot } from "../config/snapshot.ts";

/** A deployment that may be probed. */
export interface ProbeTarget {
  readonly deployment: Deployment;
  readonly provider: Provider;
  /** Everything that serves its model, itself included. */
  readonly twins: readonly Deployment[];
  /** Of the route that an ordinary production request for the model would take. */
  readonly settings: FailoverSettings;
}

/** Every deployment that some route may use and whose provider is probed at all. */
export function probeTargets(snapshot: Snapshot): ProbeTarget[] {
  const targets: ProbeTarget[] = [];
  for (const entry of snapshot.models.values()) {
    const { operation, model, deployments } = entry;
    const facts = { operation, model, workspace: "default", environment: "production" };
    const { failover: settings } = routeFor(snapshot, facts);
    for (const deployment of deployments) {
      const provider = snapshot.providers.get(deployment.provider);
      if (provider === undefined || provider.probes.everyMs === null || !isRouted(deployment, entry, snapshot))
        continue;
      targets.push({ deployment, provider, twins: deployments, settings });
    }
  }
  return targets;
}

function isRouted({ provider }: Deployment, { operation, model }: ModelEntry, { routes }: Snapshot): boolean {
  return routes.some(
    ({ match, providers }) =>
      (match.operation === null || match.operation === operation) &&
      (match.models === null || match.models.some((glob) => glob.test(model))) &&
      (providers === null || providers.includes(provider)),
  );
}
