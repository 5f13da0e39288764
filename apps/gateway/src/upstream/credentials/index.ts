import type { ProviderAuth } from "@tuloy/dialects";

import type { Provider } from "../../config/snapshot.ts";
import type { Authorize } from "../outlet.ts";
import { googleAuthorizer } from "./google.ts";

type Scheme = Extract<ProviderAuth, { readonly scheme: string }>["scheme"];

/**
 * Makes the authorizer of one provider key, once; what it fetches and derives it keeps for the next call. Libraries are loaded
 * at the first call, so that nobody waits for them who does not use them.
 * @param secret the key's value as it is configured; null for a provider without keys
 */
type AuthorizerMaker = (provider: Provider, secret: string | null) => Authorize;

/** By the scheme of a preset's `auth`. */
const makers: Partial<Readonly<Record<Scheme, AuthorizerMaker>>> = {
  "google-oauth": googleAuthorizer,
};

/** They live as long as the provider of the snapshot they belong to: a changed key has an authorizer of its own. */
const authorizers = new WeakMap<Provider, Map<string | null, Authorize>>();

/**
 * @returns what authorizes the calls made with a key; undefined where the key in a header is enough
 * @throws where a preset names a scheme that nothing here carries out
 */
export function authorizerFor(provider: Provider, secret: string | null): Authorize | undefined {
  const { auth } = provider.preset;
  if (auth === "none" || !("scheme" in auth)) return undefined;
  let kept = authorizers.get(provider);
  if (kept === undefined) authorizers.set(provider, (kept = new Map()));
  let authorize = kept.get(secret);
  if (authorize === undefined) {
    const make = makers[auth.scheme];
    if (make === undefined) throw new Error(`nothing carries out ${auth.scheme}`);
    kept.set(secret, (authorize = make(provider, secret)));
  }
  return authorize;
}
