import type { Catalog } from "@tuloy/catalog";
import type { Config, ConfigIssue, RouteConfig } from "@tuloy/contract";
import { isWithin } from "@tuloy/routing";

import { canonicalName } from "./deployments.ts";
import type { Serving } from "./deployments.ts";

type IssuePath = ConfigIssue["path"];

function issue(path: IssuePath, message: string, more: Partial<ConfigIssue> = {}): ConfigIssue {
  return { path, at: "value", message, valid: [], expected: null, ...more };
}

/** Faults of what a route demands of its deployments: nobody could ever meet it, or nothing reads it. */
export function policyIssues(config: Config, servings: readonly Serving[]): ConfigIssue[] {
  return config.routes.flatMap((route, index) => {
    const path = ["routes", index];
    return [...weightIssues(path, route, config), ...regionIssues(path, route, servings), ...headerIssues(path, route)];
  });
}

function weightIssues(path: IssuePath, { weights, providers }: RouteConfig, config: Config): ConfigIssue[] {
  const known = Object.keys(config.providers);
  return Object.keys(weights ?? {}).flatMap((name) => {
    const at = [...path, "weights", name];
    if (!known.includes(name)) return [issue(at, "names no provider of this file", { at: "key", valid: known })];
    if (providers !== undefined && !providers.includes(name)) {
      return [issue(at, "names a provider that the route's providers leave out", { at: "key", valid: providers })];
    }
    return [];
  });
}

/** A pin that no provider meets would refuse every request, or, beside others, promise what is not there. */
function regionIssues(
  path: IssuePath,
  { regions, providers }: RouteConfig,
  servings: readonly Serving[],
): ConfigIssue[] {
  const allowed = servings.filter(({ deployment }) => providers?.includes(deployment.provider) ?? true);
  const there = [...new Set(allowed.flatMap(({ deployment }) => deployment.region ?? []))];
  return (regions ?? []).flatMap((pinned, position) => {
    if (there.some((region) => isWithin([pinned], region))) return [];
    const message =
      there.length === 0
        ? "has no provider: none of this route names its region; write region: at those that compute there"
        : `has no provider of this route: they are in ${there.join(", ")}`;
    return [issue([...path, "regions", position], message)];
  });
}

const credentials: ReadonlySet<string> = new Set(["authorization", "x-api-key", "cookie", "proxy-authorization"]);

function headerIssues(path: IssuePath, { match }: RouteConfig): ConfigIssue[] {
  return Object.keys(match.header ?? {}).flatMap((name) =>
    credentials.has(name.toLowerCase())
      ? [
          issue([...path, "match", "header", name], "is a credential: choose by workspace or environment", {
            at: "key",
          }),
        ]
      : [],
  );
}

/** Faults of the models that the file lists as equivalents. */
export function equivalentIssues(config: Config, servings: readonly Serving[], catalog: Catalog): ConfigIssue[] {
  const served = new Map(servings.map(({ deployment }) => [deployment.model, deployment.operation]));
  return Object.entries(config.models).flatMap(([model, { equivalents = [] }]) => {
    const own = served.get(canonicalName(model, catalog));
    const seen = new Set<string>();
    return equivalents.flatMap((name, position) => {
      const at = ["models", model, "equivalents", position];
      const canonical = canonicalName(name, catalog);
      const operation = served.get(canonical);
      const repeated = seen.has(canonical);
      seen.add(canonical);
      if (operation === undefined) {
        return [issue(at, "is served by no provider of this file", { valid: [...served.keys()] })];
      }
      if (canonical === canonicalName(model, catalog)) return [issue(at, "is the model itself")];
      if (repeated) return [issue(at, "is listed before")];
      if (operation === "embeddings") {
        return [issue(at, "is for embeddings, which have no equivalents: vectors of two models cannot be compared")];
      }
      return own === undefined || own === operation ? [] : [issue(at, `is for ${operation}, and the model for ${own}`)];
    });
  });
}
