import type { ProviderAuth } from "@tuloy/dialects";

import type { Provider } from "../../config/snapshot.ts";
import type { Authorize } from "../outlet.ts";
import { awsAuthorizer } from "./aws.ts";
import { googleAuthorizer } from "./google.ts";

type Scheme = Extract<ProviderAuth, { readonly scheme: string }>["scheme"];

/**
 * Makes the authorizer of one provider key, once; what it fetches and derives it keeps for the next call. Libraries are loaded
 * at the first call, so that nobody waits for them who does not use them.
 * @param secret the key's value as it is configured; null for a provider without keys
 */
type AuthorizerMaker = (provider: Provider, secret: string | null) => Authorize;

/** By the scheme of a preset's `auth`. */
const makers: Readonly<Record<Scheme, AuthorizerMaker>> = {
  "aws-sigv4": awsAuthorizer,
  "google-oauth": googleAuthorizer,
};

/** They live as long as the provider of the snapshot they belong to: a changed key has an authorizer of its own. */
const authorizers = new WeakMap<Provider, Map<string | null, Authorize>>();

/** What authorizes the calls made with a key; undefined where the key in a header is enough. */
export function authorizerFor(provider: Provider, secret: string | null): Authorize | undefined {
  const { auth } = provider.preset;
  if (auth === "none" || !("scheme" in auth)) return undefined;
  let kept = authorizers.get(provider);
  if (kept === undefined) authorizers.set(provider, (kept = new Map()));
  let authorize = kept.get(secret);
  if (authorize === undefined) kept.set(secret, (authorize = makers[auth.scheme](provider, secret)));
  return authorize;
}
