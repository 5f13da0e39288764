import type { IncomingHttpHeaders } from "node:http";

import { clientError, type ClientError } from "@tuloy/contract";
import ipaddr from "ipaddr.js";

/** Whether a listening address takes connections from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || (ipaddr.isValid(host) && ipaddr.parse(host).range() === "loopback");
}

/**
 * Guards a loopback listener against web pages. A page from anywhere can make the browser beside us send requests here; its
 * `Origin` gives it away, and when a DNS name was pointed at 127.0.0.1 to get around that, the `Host` does.
 * @returns a function that says what to answer, or null when the request may pass
 */
export function foreignPageGuard(): (headers: IncomingHttpHeaders) => ClientError | null {
  // Nearly all requests name the same host, and parsing an address costs more than the rest of the check.
  let knownHost: string | undefined;
  return ({ host, origin }) => {
    if (host !== knownHost) {
      if (host !== undefined && !isLoopback(hostName(host))) return foreignHost(host);
      knownHost = host;
    }
    return origin === undefined || isLoopback(hostName(origin.replace(/^[a-z]+:\/\//i, "")))
      ? null
      : foreignOrigin(origin);
  };
}

function foreignHost(host: string): ClientError {
  const named = host.slice(0, 100);
  return clientError(
    "forbidden_origin",
    `This gateway listens on this machine only and does not answer for the host "${named}". To serve others, set server.host in tuloy.yaml.`,
  );
}

function foreignOrigin(origin: string): ClientError {
  return clientError(
    "forbidden_origin",
    `Requests from web pages (origin "${origin.slice(0, 100)}") are not taken on a loopback listener.`,
  );
}

function hostName(hostAndPort: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(hostAndPort);
  return bracketed?.[1] ?? hostAndPort.replace(/:\d*$/, "");
}
