import type { Operation } from "@tuloy/contract";

import { nearestFew } from "./nearest.ts";
import type { ModelEntry, Route, Snapshot } from "./snapshot.ts";

/** What a route is chosen by. */
export interface RouteFacts {
  readonly operation: Operation;
  /** The canonical model. */
  readonly model: string;
  readonly workspace: string;
  readonly environment: string;
}

/** Whether every condition of the route holds. */
export function routeMatches(route: Route, facts: RouteFacts): boolean {
  const { operation, models, workspaces, environments } = route.match;
  return (
    (operation === null || operation === facts.operation) &&
    (models === null || models.some((glob) => glob.test(facts.model))) &&
    (workspaces === null || workspaces.has(facts.workspace)) &&
    (environments === null || environments.has(facts.environment))
  );
}

/** The first route that matches. There is always one, since a compiled configuration ends in a route that matches everything. */
export function routeFor(snapshot: Snapshot, facts: RouteFacts): Route {
  for (const route of snapshot.routes) {
    if (routeMatches(route, facts)) return route;
  }
  throw new Error("the configuration was compiled without a route that matches everything");
}

export type ResolvedModel =
  | {
      readonly entry: ModelEntry;
      /** The provider that the request is locked to, or null. */
      readonly lock: string | null;
    }
  | {
      /** The name that was asked for. */
      readonly notFound: string;
      /** Up to three names that may have been meant. */
      readonly nearest: readonly string[];
    };

/**
 * Reads the model a client asks for. In this order: `@provider/id` is a lock; a canonical model or an exact alias such as
 * `openai/gpt-4.1` is not, so that names in the style of other routers keep their failover; what is left of the form
 * `provider/model` is a lock. The id of a lock is the canonical model's, an alias or the provider's own.
 */
export function resolveModel(snapshot: Snapshot, requested: string): ResolvedModel {
  if (requested.startsWith("@")) return locked(snapshot, requested.slice(1)) ?? notFound(snapshot, requested);
  const entry = byName(snapshot, requested);
  if (entry !== null) return { entry, lock: null };
  return locked(snapshot, requested) ?? notFound(snapshot, requested);
}

function byName(snapshot: Snapshot, name: string): ModelEntry | null {
  const direct = snapshot.models.get(name);
  if (direct !== undefined) return direct;
  const canonical = snapshot.aliases.get(name);
  return canonical === undefined ? null : (snapshot.models.get(canonical) ?? null);
}

/** @param name `provider/id`; a provider's name has no slash, an id may */
function locked(snapshot: Snapshot, name: string): ResolvedModel | null {
  const slash = name.indexOf("/");
  if (slash === -1) return null;
  const provider = name.slice(0, slash);
  const ids = snapshot.ownIds.get(provider);
  if (ids === undefined) return null;
  const id = name.slice(slash + 1);
  const canonical = byName(snapshot, id);
  if (canonical !== null && serves(canonical, provider)) return { entry: canonical, lock: provider };
  const own = snapshot.models.get(ids.get(id) ?? "");
  return own === undefined ? null : { entry: own, lock: provider };
}

function serves(entry: ModelEntry, provider: string): boolean {
  return entry.deployments.some((deployment) => deployment.provider === provider);
}

function notFound(snapshot: Snapshot, requested: string): ResolvedModel {
  const names = [...snapshot.models.keys(), ...snapshot.aliases.keys()];
  const slash = requested.indexOf("/");
  if (slash !== -1) {
    const provider = requested.slice(0, slash).replace(/^@/, "");
    const mark = requested.startsWith("@") ? "@" : "";
    for (const id of snapshot.ownIds.get(provider)?.keys() ?? []) names.push(`${mark}${provider}/${id}`);
  }
  return { notFound: requested, nearest: nearestFew(requested, names, 3) };
}
