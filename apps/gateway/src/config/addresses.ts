import type { ProviderConfig } from "@tuloy/contract";
import ipaddr from "ipaddr.js";

import { bareHost, isPublicAddress } from "../upstream/address-guard.ts";

/**
 * Whether a base URL says by itself that it is inside: a literal address that is not public, or `localhost`. Being in the
 * operator's file is then the permission to go there. A name that merely resolves to such an address is not: it could
 * belong to anybody, so `visibility: private` has to be written.
 */
export function isInside(url: URL): boolean {
  const host = bareHost(url);
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  return ipaddr.isValid(host) && !isPublicAddress(host);
}

export function visibilityOf(provider: ProviderConfig, url: URL): "public" | "private" {
  return provider.visibility ?? (isInside(url) ? "private" : "public");
}
