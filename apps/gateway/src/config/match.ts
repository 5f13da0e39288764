import type { IncomingHttpHeaders } from "node:http";
import { isDeepStrictEqual } from "node:util";

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
  /** Of the client's request. Absent: none, as in a request of our own. */
  readonly headers?: IncomingHttpHeaders;
}

/** Whether every condition of the route holds. */
export function routeMatches(route: Route, facts: RouteFacts): boolean {
  const { operation, models, workspaces, environments, headers } = route.match;
  return (
    (operation === null || operation === facts.operation) &&
    (models === null || models.some((glob) => glob.test(facts.model))) &&
    (workspaces === null || workspaces.has(facts.workspace)) &&
    (environments === null || environments.has(facts.environment)) &&
    (headers === null || headers.every(([name, value]) => facts.headers?.[name] === value))
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
 * @param organization of the one who asks, to whom others' private providers do not exist; null: the operator, who sees all
 */
export function resolveModel(snapshot: Snapshot, requested: string, organization: string | null = null): ResolvedModel {
  const found = resolve(snapshot, requested);
  return found !== null && isVisible(found.entry, found.lock, organization)
    ? found
    : notFound(snapshot, requested, organization);
}

type Found = Extract<ResolvedModel, { entry: ModelEntry }>;

function resolve(snapshot: Snapshot, requested: string): Found | null {
  if (requested.startsWith("@")) return locked(snapshot, requested.slice(1));
  const entry = byName(snapshot, requested);
  return entry === null ? locked(snapshot, requested) : { entry, lock: null };
}

/** Whether the organization may see something that serves the model, at the locked provider if there is one. */
export function isVisible({ deployments }: ModelEntry, lock: string | null, organization: string | null): boolean {
  for (const { owner, provider } of deployments) {
    if (lock !== null && provider !== lock) continue;
    if (owner === null || organization === null || owner === organization) return true;
  }
  return false;
}

function byName(snapshot: Snapshot, name: string): ModelEntry | null {
  const direct = snapshot.models.get(name);
  if (direct !== undefined) return direct;
  const canonical = snapshot.aliases.get(name);
  return canonical === undefined ? null : (snapshot.models.get(canonical) ?? null);
}

/** @param name `provider/id`; a provider's name has no slash, an id may */
function locked(snapshot: Snapshot, name: string): Found | null {
  const slash = name.indexOf("/");
  if (slash === -1) return null;
  const provider = name.slice(0, slash);
  const ids = snapshot.ownIds.get(provider);
  if (ids === undefined) return null;
  const id = name.slice(slash + 1);
  const canonical = byName(snapshot, id);
  if (canonical !== null && serves(canonical, provider)) return { entry: canonical, lock: provider };
  const own = snapshot.models.get(ids.get(id) ?? sameId(snapshot, ids, id) ?? "");
  return own === undefined ? null : { entry: own, lock: provider };
}

/**
 * The model of an id that is another spelling of one that the provider is sent: of the same model, place and precision. Anything that
 * one of the two says beyond the other makes it another deployment.
 */
function sameId({ catalog }: Snapshot, ids: ReadonlyMap<string, string>, asked: string): string | null {
  const read = catalog.readId(asked);
  if (read === null) return null;
  for (const [id, model] of ids) {
    if (model === read.model && isDeepStrictEqual(catalog.readId(id), read)) return model;
  }
  return null;
}

function serves(entry: ModelEntry, provider: string): boolean {
  return entry.deployments.some((deployment) => deployment.provider === provider);
}

function notFound(snapshot: Snapshot, requested: string, organization: string | null): ResolvedModel {
  const visible = (name: string, lock: string | null = null): boolean => {
    const entry = byName(snapshot, name);
    return entry !== null && isVisible(entry, lock, organization);
  };
  const names = [...snapshot.models.keys(), ...snapshot.aliases.keys()].filter((name) => visible(name));
  const slash = requested.indexOf("/");
  if (slash !== -1) {
    const provider = requested.slice(0, slash).replace(/^@/, "");
    const mark = requested.startsWith("@") ? "@" : "";
    for (const [id, model] of snapshot.ownIds.get(provider) ?? []) {
      if (visible(model, provider)) names.push(`${mark}${provider}/${id}`);
    }
  }
  return { notFound: requested, nearest: nearestFew(requested, names, 3) };
}
