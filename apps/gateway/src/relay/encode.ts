import type { IncomingHttpHeaders } from "node:http";

import type { Deployment, Dialect } from "@tuloy/contract";
import {
  continuationOf,
  endpointFor,
  fitted,
  laneFor,
  pathOf,
  translationOf,
  type Endpoint,
  type Lane,
  type ParameterTarget,
  type ReadRequest,
  type WriteTarget,
} from "@tuloy/dialects";

import type { Provider } from "../config/snapshot.ts";
import { version } from "../version.ts";
import { authorizerFor } from "../upstream/credentials/index.ts";
import type { Destination, UpstreamRequest } from "../upstream/outlet.ts";

/** Client headers that may go upstream. Everything else stays here: hop-by-hop headers, credentials, cookies, addresses. */
const forwarded = ["anthropic-version", "anthropic-beta", "openai-beta", "traceparent"] as const;

const forwardedAnywhere = ["traceparent"] as const;

const userAgent = `tuloy/${version}`;

/** A provider's address in the parts that a request needs, worked out once. */
interface Address {
  readonly to: Destination;
  readonly basePath: string;
}

const addresses = new WeakMap<Provider, Address>();

/**
 * What goes to one deployment: built afresh for every attempt, so that nothing of an earlier one is inherited.
 * @param secret the provider key's value, null for a provider without keys
 * @param askedModel the canonical model that the request is for, which the deployment may stand in for
 */
export function encode(
  request: ReadRequest,
  deployment: Deployment,
  provider: Provider,
  secret: string | null,
  client: IncomingHttpHeaders,
  askedModel: string,
): UpstreamRequest {
  const { to, basePath } = addressOf(provider);
  const { stream } = request.facts;
  const { upstreamModel } = deployment;
  const lane = laneFor(request.dialect, deployment);
  const endpoint = lane === null ? null : endpointFor(provider.preset, request.operation, lane.dialect, upstreamModel);
  if (lane === null || endpoint === null)
    throw new Error(`${deployment.id} was planned for ${request.dialect}, and there is no way to it`);
  const body =
    lane.kind === "express"
      ? request.encode(upstreamModel, provider.preset, targetOf(request, deployment, askedModel))
      : translationOf(request, lane.client).write(lane.upstream, writeTargetOf(deployment, provider), deployment.id);
  return {
    deployment,
    dialect: lane.dialect,
    stream,
    to,
    path:
      (endpoint.basePath ?? basePath) +
      ((request.counts === true ? endpoint.countPath : undefined) ?? pathOf(endpoint, upstreamModel, stream)),
    headers: headersFor(stream, lane, endpoint, provider, secret, client),
    body: fittedBody(request, deployment, lane, endpoint, body),
    authorize: authorizerFor(provider, secret),
  };
}

/** What deployments got otherwise than the client sent it, since their provider wants it otherwise. */
const rewrites = new WeakMap<ReadRequest, Map<string, readonly string[]>>();

function fittedBody(request: ReadRequest, { id }: Deployment, lane: Lane, endpoint: Endpoint, plain: Buffer): Buffer {
  const made = fitted(endpoint, plain, lane.kind === "express" ? request.messageTraits : undefined);
  if (made === null) return plain;
  const { body, notes } = made;
  if (notes.length > 0) noteRewrite(request, id, notes);
  return body;
}

/** What a deployment got otherwise, in words. Said again, it is noted once. */
export function noteRewrite(request: ReadRequest, deployment: string, notes: readonly string[]): void {
  const known = rewrites.get(request) ?? new Map<string, readonly string[]>();
  rewrites.set(request, known.set(deployment, [...new Set([...(known.get(deployment) ?? []), ...notes])]));
}

/** Null where no deployment wanted a request otherwise: the common case. */
export function rewriteNotes(request: ReadRequest): ReadonlyMap<string, readonly string[]> | null {
  return rewrites.get(request) ?? null;
}

/** What is asked about something that a provider keeps. */
export interface AskedOfKept {
  readonly method: "GET" | "DELETE" | "POST";
  /** Behind the path of the dialect's endpoint: `/resp_1/cancel`. */
  readonly tail: string;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly stream: boolean;
}

/** A call about what a provider keeps, under the path of a deployment's endpoint for a dialect. @returns null where it has none */
export function encodeKept(
  { method, tail, query, stream }: AskedOfKept,
  dialect: Dialect,
  deployment: Deployment,
  provider: Provider,
  secret: string | null,
  client: IncomingHttpHeaders,
): UpstreamRequest | null {
  const { upstreamModel, operation } = deployment;
  const endpoint = endpointFor(provider.preset, operation, dialect, upstreamModel);
  if (endpoint === null) return null;
  const { to, basePath } = addressOf(provider);
  const [path = "", own = ""] = pathOf(endpoint, upstreamModel, false).split("?", 2);
  const queries = [own, query.slice(1)].filter((part) => part !== "").join("&");
  return {
    deployment,
    dialect,
    stream,
    method,
    to,
    path: `${endpoint.basePath ?? basePath}${path}${tail}${queries === "" ? "" : `?${queries}`}`,
    headers: headersFor(stream, { kind: "express", dialect }, endpoint, provider, secret, client),
    body: noBody,
    authorize: authorizerFor(provider, secret),
  };
}

const noBody = Buffer.alloc(0);

/** The same request at another path of the provider than its base URL's own. */
export function atBase(request: UpstreamRequest, provider: Provider, basePath: string): UpstreamRequest {
  return { ...request, path: basePath + request.path.slice(addressOf(provider).basePath.length) };
}

function writeTargetOf(deployment: Deployment, { preset, continuation: way }: Provider): WriteTarget {
  const { upstreamModel, model, outputTokens, parameters } = deployment;
  const continuation = way === null ? null : continuationOf(way);
  return { model: upstreamModel, canonicalModel: model, preset, outputTokens, parameters, continuation };
}

/** How a deployment takes the parameters of a request; null when nothing is known or the request has none. */
export function targetOf(
  { facts }: ReadRequest,
  { parameters, model }: Deployment,
  askedModel: string,
): ParameterTarget | null {
  return parameters === null || facts.parameters.length === 0
    ? null
    : { facts: parameters, substitute: model !== askedModel };
}

function headersFor(
  stream: boolean,
  lane: Lane,
  endpoint: Endpoint,
  provider: Provider,
  secret: string | null,
  client: IncomingHttpHeaders,
): string[] {
  const agent = client["user-agent"];
  const headers = [
    "content-type",
    "application/json",
    "accept",
    stream ? "text/event-stream" : "application/json",
    // Events cannot be watched through a compression.
    "accept-encoding",
    "identity",
    "user-agent",
    agent === undefined ? userAgent : `${agent} ${userAgent}`,
  ];
  // What a client says to its own dialect means nothing in another.
  const allowed = lane.kind === "express" ? forwarded : forwardedAnywhere;
  for (const name of allowed) {
    const value = client[name];
    if (typeof value === "string") headers.push(name, value);
  }
  if (endpoint.headers !== undefined) {
    for (const [name, value] of Object.entries(endpoint.headers)) {
      const at = headers.findIndex((known, index) => index % 2 === 0 && known === name);
      if (at === -1) headers.push(name, value);
      else if (!forwarded.some((known) => known === name)) headers[at + 1] = value;
    }
  }
  const auth = endpoint.auth ?? provider.preset.auth;
  if (auth !== "none" && "header" in auth && secret !== null) headers.push(auth.header, auth.prefix + secret);
  return headers;
}

/** The value of a provider key; null for a provider without keys. */
export function secretOf(provider: Provider, keyName: string): string | null {
  return provider.keys.find(({ name }) => name === keyName)?.value ?? null;
}

function addressOf(provider: Provider): Address {
  let address = addresses.get(provider);
  if (!address) {
    const url = new URL(provider.baseUrl);
    address = {
      to: { origin: url.origin, private: provider.visibility === "private" },
      basePath: url.pathname.replace(/\/+$/, ""),
    };
    addresses.set(provider, address);
  }
  return address;
}
