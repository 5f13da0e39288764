import type { IncomingHttpHeaders } from "node:http";

import type { Deployment } from "@tuloy/contract";
import type { ParameterTarget, ReadRequest } from "@tuloy/dialects";

import type { Provider } from "../config/snapshot.ts";
import { version } from "../version.ts";
import { authorizerFor } from "../upstream/credentials/index.ts";
import type { Destination, UpstreamRequest } from "../upstream/outlet.ts";

/** Client headers that may go upstream. Everything else stays here: hop-by-hop headers, credentials, cookies, addresses. */
const forwarded = ["anthropic-version", "anthropic-beta", "openai-beta", "traceparent"] as const;

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
  const endpoint = provider.preset.endpoints[request.operation]?.[0];
  if (!endpoint) throw new Error(`${provider.name} has a deployment for ${request.operation} but its kind serves none`);
  return {
    deployment,
    stream: request.facts.stream,
    to,
    path: basePath + endpoint.path,
    headers: headersFor(request, provider, secret, client),
    body: request.encode(deployment.upstreamModel, provider.preset, targetOf(request, deployment, askedModel)),
    authorize: authorizerFor(provider, secret),
  };
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
  request: ReadRequest,
  provider: Provider,
  secret: string | null,
  client: IncomingHttpHeaders,
): string[] {
  const agent = client["user-agent"];
  const headers = [
    "content-type",
    "application/json",
    "accept",
    request.facts.stream ? "text/event-stream" : "application/json",
    // Events cannot be watched through a compression.
    "accept-encoding",
    "identity",
    "user-agent",
    agent === undefined ? userAgent : `${agent} ${userAgent}`,
  ];
  for (const name of forwarded) {
    const value = client[name];
    if (typeof value === "string") headers.push(name, value);
  }
  const { auth } = provider.preset;
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
