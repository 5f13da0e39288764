import { lookup as systemLookup, type LookupAddress, type LookupOptions } from "node:dns";

import ipaddr from "ipaddr.js";

/** Thrown into the connection when a public provider's name resolves to an address that only private ones may use. */
export class DeniedAddressError extends Error {
  readonly code = "TULOY_DENIED_ADDRESS";

  constructor(host: string, address: string) {
    super(
      `${host} resolves to ${address}, which is not a public address. If this provider is meant to be inside your network, ` +
        "set `visibility: private` on it in the configuration file.",
    );
  }
}

/**
 * Whether an address is on the public Internet. Everything that is not plain unicast is refused: loopback, private,
 * link-local (cloud metadata services live there), carrier-grade NAT, unique local, multicast, reserved, and IPv6 forms
 * that smuggle an IPv4 address (v4-mapped, NAT64, 6to4, Teredo).
 * @param address an IP address in any usual notation; anything else is not public
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  return ipaddr.parse(address).range() === "unicast";
}

/** The host of a URL without IPv6 brackets. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

/**
 * Checks a host that is a literal address. Connections to literals never run the `lookup` below, so they are checked here,
 * before a pool for them exists.
 */
export function deniedLiteral(url: URL): DeniedAddressError | null {
  const host = bareHost(url);
  return ipaddr.isValid(host) && !isPublicAddress(host) ? new DeniedAddressError(host, host) : null;
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * A `lookup` for sockets that resolves a name, refuses it when *any* of its addresses is not public, and hands the checked
 * addresses to the connection, so that a second resolution cannot give another answer.
 */
export function guardedLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    const denied = addresses.find(({ address }) => !isPublicAddress(address));
    if (denied) return callback(new DeniedAddressError(hostname, denied.address), []);
    if (options.all) return callback(null, addresses);
    const [first] = addresses;
    if (!first) return callback(new Error(`${hostname} has no address`), []);
    callback(null, first.address, first.family);
  });
}
