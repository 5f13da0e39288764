import type { Deployment } from "@tuloy/contract";

import type { Principal } from "../../config/key-ring.ts";

/** Whose requests a drill touches: every condition that is given must hold. */
export interface DrillScope {
  /** Null: every environment but production; every one, when production is included. */
  readonly environment: string | null;
  readonly workspace: string | null;
  /** The name of an API key. */
  readonly key: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** Without it no request of the environment `production` is in scope, whatever else is said. */
  readonly includeProduction: boolean;
}

/** What a drill makes fail. */
export interface DrillTarget {
  readonly provider: string;
  /** Null: all its models. */
  readonly model: string | null;
  /** Null: all its regions. */
  readonly region: string | null;
}

export function inScope(scope: DrillScope, principal: Principal, tags: Readonly<Record<string, string>>): boolean {
  const { environment, workspace, key } = scope;
  if (principal.environment === "production" && !scope.includeProduction) return false;
  return (
    (environment === null || environment === principal.environment) &&
    (workspace === null || workspace === principal.workspace) &&
    (key === null || key === principal.key) &&
    Object.entries(scope.tags).every(([name, value]) => Object.hasOwn(tags, name) && tags[name] === value)
  );
}

export function isTarget({ provider, model, region }: DrillTarget, deployment: Deployment): boolean {
  return (
    provider === deployment.provider &&
    (model === null || model === deployment.model) &&
    (region === null || region === deployment.region)
  );
}
