import type { Config, ConfigIssue, FailoverSettings, RouteConfig } from "@tuloy/contract";
import { formatDuration } from "@tuloy/contract";
import { isWithin } from "@tuloy/routing";

import { matchesEverything, settingsOf } from "../compile/routes.ts";
import type { Serving } from "../deployments.ts";
import { issue, repeated, type IssuePath } from "./issue.ts";

/** Faults of the routes among each other, and of their limits. */
export function routeIssues(config: Config): ConfigIssue[] {
  const { routes } = config;
  const known = Object.keys(config.providers);
  const found = repeated(
    routes.map((route) => route.name),
    (index, first) => issue(["routes", index, "name"], `is also the name of routes[${first}]`),
  );
  const open = routes.findIndex(matchesEverything);
  for (const [index, route] of routes.entries()) {
    const path = ["routes", index];
    for (const [position, name] of (route.providers ?? []).entries()) {
      if (known.includes(name)) continue;
      found.push(issue([...path, "providers", position], "names no provider of this file", { valid: known }));
    }
    found.push(
      ...repeated(route.providers ?? [], (position, first) =>
        issue([...path, "providers", position], `is listed before, as providers[${first}]`),
      ),
    );
    if (route.name === "default" && !matchesEverything(route)) {
      found.push(issue([...path, "match"], "must be empty: the route named default is for what no other matches"));
    }
    if (open !== -1 && index > open) {
      const name = routes[open]?.name ?? "";
      found.push(issue(path, `is never reached: ${name} before it matches everything, and the first match wins`));
    }
    found.push(...failoverIssues([...path, "failover"], settingsOf(route)));
  }
  return found;
}

function failoverIssues(
  path: IssuePath,
  { deadlineMs, connectMs, firstTokenMs, breaker, hedge }: FailoverSettings,
): ConfigIssue[] {
  const found: ConfigIssue[] = [];
  if (breaker.openMs > breaker.openMaxMs) {
    const message = `would be open for ${formatDuration(breaker.openMs)} at first, longer than open_max of ${formatDuration(breaker.openMaxMs)}`;
    found.push(issue([...path, "breaker"], message));
  }
  for (const [name, ms] of [
    ["connect", connectMs],
    ["first_token", firstTokenMs],
    ["hedge", typeof hedge === "number" ? hedge : 0],
  ] as const) {
    if (ms <= deadlineMs) continue;
    found.push(
      issue([...path, name], `is ${formatDuration(ms)}, longer than the deadline of ${formatDuration(deadlineMs)}`),
    );
  }
  return found;
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
