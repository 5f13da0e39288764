import type { IncomingHttpHeaders } from "node:http";

import { clientError, type ClientError, type RoutingOverrides } from "@tuloy/contract";
import { sessionName, type ReadRequest, type StoredId } from "@tuloy/dialects";

import type { Principal } from "../config/key-ring.ts";
import { resolveModel, routeFor, routeMatches, type RouteFacts } from "../config/match.ts";
import type { ModelEntry, Route, Snapshot } from "../config/snapshot.ts";
import { modelNotFound } from "./model-not-found.ts";
import { resolveOverrides, type StandIn } from "./stand-ins.ts";

/** A request as routing sees it: what is asked, of which model, under which route. */
export interface Asked {
  readonly principal: Principal;
  readonly request: ReadRequest;
  readonly entry: ModelEntry;
  /** The provider the client locked the request to, or null. */
  readonly lock: string | null;
  readonly route: Route;
  /** What the body says of routing, in the configuration's own names; null: nothing. */
  readonly overrides: RoutingOverrides | null;
  /** The models of `overrides`, found: each may stand in, in this order. */
  readonly standIns: readonly StandIn[];
  /** `x-tuloy-no-failover: true` or `allow_fallbacks: false`: the first candidate or nothing. */
  readonly noFailover: boolean;
  /** The provider key that alone can be used, since what the request goes on from is kept under it; null: any. */
  readonly onlyKey: string | null;
  /** The first thing it names that lies in a provider's account, and that nothing shows to be this environment's; null: nothing, or it was not looked for. */
  readonly stored: StoredId | null;
  /** `x-session-id`, else what the body calls its session: requests that should go to the same deployment. Null: none. */
  readonly session: string | null;
  /**
   * Under which name the session's deployment is remembered. Null where sessions do not matter: `order` prefers what is listed,
   * and `weighted` finds a session's deployment again without remembering it.
   */
  readonly affinity: string | null;
  /** Milliseconds for the whole request. */
  readonly deadlineMs: number;
  /** The client's own limit is shorter than the route's. */
  readonly clientShortened: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

const noStandIns: readonly StandIn[] = [];

/** Finds the model, the route and the overrides of a request that was read. */
export function ask(
  request: ReadRequest,
  principal: Principal,
  headers: IncomingHttpHeaders,
  snapshot: Snapshot,
): Asked | ClientError {
  const resolved = resolveModel(snapshot, request.model, principal.organization);
  if ("notFound" in resolved) return modelNotFound(request.model, resolved.nearest, "model");
  const { entry, lock } = resolved;
  if (entry.operation !== request.operation) {
    return clientError(
      "invalid_request",
      `${entry.model} serves ${entry.operation}, not ${request.operation}: call its endpoint or choose another model.`,
      { param: "model" },
    );
  }
  const route = chosenRoute(snapshot, headers, {
    operation: request.operation,
    model: entry.model,
    workspace: principal.workspace,
    environment: principal.environment,
    headers,
  });
  if ("code" in route) return route;
  const { overrides: stated } = request.facts;
  const found = stated === null ? null : resolveOverrides(stated, resolved, snapshot, principal.organization);
  if (found !== null && "code" in found) return found;
  const overrides = found?.overrides ?? null;
  const session = sessionName(headers["x-session-id"]) ?? request.facts.session;
  const limit = clientLimitMs(headers);
  const { deadlineMs } = route.failover;
  return {
    principal,
    request,
    entry,
    lock,
    route,
    overrides,
    standIns: found?.standIns ?? noStandIns,
    noFailover: headers["x-tuloy-no-failover"] === "true" || overrides?.allowFallbacks === false,
    onlyKey: null,
    stored: request.facts.stored ?? null,
    session,
    affinity:
      session !== null && lock === null && sessionsMatter(route, overrides)
        ? `${principal.organization}\n${principal.workspace}\n${principal.environment}\n${route.name}\n${entry.model}\n${session}`
        : null,
    deadlineMs: limit === null ? deadlineMs : Math.min(limit, deadlineMs),
    clientShortened: limit !== null && limit < deadlineMs,
    tags: readTags(headers["x-tuloy-tags"]),
  };
}

function sessionsMatter({ strategy }: Route, overrides: RoutingOverrides | null): boolean {
  const sort = overrides?.sort ?? null;
  return sort === null ? strategy === "latency" || strategy === "cost" : sort !== "throughput";
}

function chosenRoute(snapshot: Snapshot, headers: IncomingHttpHeaders, facts: RouteFacts): Route | ClientError {
  const wanted = headers["x-tuloy-route"];
  if (typeof wanted !== "string") return routeFor(snapshot, facts);
  const named = snapshot.routes.find((route) => route.name === wanted);
  if (!named)
    return clientError("invalid_request", `There is no route "${wanted.slice(0, 100)}" (header x-tuloy-route).`, {
      param: "x-tuloy-route",
    });
  // A request may only narrow what its key and the configuration allow, so a route that does not match it can't be asked for.
  return routeMatches(named, facts)
    ? named
    : clientError(
        "invalid_request",
        `The route "${named.name}" (header x-tuloy-route) does not apply to this request.`,
        { param: "x-tuloy-route" },
      );
}

/**
 * The shortest time limit that the client names: `x-tuloy-timeout-ms`, or the official SDKs' `X-Stainless-Timeout` (seconds)
 * less 5 s, so that our answer about a timeout arrives before the SDK gives up and sends everything again.
 */
function clientLimitMs(headers: IncomingHttpHeaders): number | null {
  const own = positive(headers["x-tuloy-timeout-ms"]);
  const sdkSeconds = positive(headers["x-stainless-timeout"]);
  const sdk = sdkSeconds === null ? null : Math.max(sdkSeconds * 1000 - 5000, sdkSeconds * 500);
  if (own === null) return sdk;
  return sdk === null ? own : Math.min(own, sdk);
}

function positive(header: string | string[] | undefined): number | null {
  if (typeof header !== "string") return null;
  const value = Number(header);
  return Number.isFinite(value) && value > 0 ? value : null;
}

const noTags: Readonly<Record<string, string>> = Object.freeze({});

/** `x-tuloy-tags: a=b,c=d`. At most 16 tags of 64 characters a side; what does not fit is left out. */
function readTags(header: string | string[] | undefined): Readonly<Record<string, string>> {
  if (typeof header !== "string") return noTags;
  const pairs = header
    .split(",", 16)
    .map((pair) => pair.split("=", 2).map((side) => side.trim()))
    .filter(([name, value]) => name && value && name.length <= 64 && value.length <= 64)
    .map(([name = "", value = ""]) => [name, value] as const);
  // fromEntries defines own properties: a tag called __proto__ stays data.
  return Object.fromEntries(pairs);
}
