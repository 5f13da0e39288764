import { connect as connectTcp, isIP, type LookupFunction, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";

import { bareHost, guardedLookup } from "../address-guard.ts";
import type { Destination } from "../outlet.ts";

/** How the connections to one origin are made. */
export interface Connector {
  /** For the `host` header. */
  readonly host: string;
  /** Over TLS. */
  readonly secure: boolean;
  /** `standing` is called once, when requests can be written; before it, `error` and `close` say why none can. */
  connect(onread: OnReadOpts, standing: () => void): Socket;
}

/** A connection that carries nothing is asked after this long whether its other side is still there. Milliseconds. */
const keepAliveProbeMs = 60_000;

export function connectorTo(to: Destination): Connector {
  const url = new URL(to.origin);
  const lookup = to.private ? undefined : guardedLookup;
  const where = { host: bareHost(url), ...(lookup && { lookup }) };
  const secure = url.protocol === "https:";
  const connect = secure ? overTls(where, portOf(url, 443)) : overTcp(where, portOf(url, 80));
  return { host: url.host, secure, connect };
}

interface Where {
  readonly host: string;
  readonly lookup?: LookupFunction;
}

function overTcp(where: Where, port: number): Connector["connect"] {
  return (onread, standing) => {
    const socket = connectTcp({ ...where, port, onread }, standing);
    return prepared(socket);
  };
}

function overTls(where: Where, port: number): Connector["connect"] {
  /** What a next handshake resumes, which saves it a round trip. */
  let session: Buffer | undefined;
  const servername = isIP(where.host) === 0 ? where.host : undefined;
  return (onread, standing) => {
    const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
      ...where,
      port,
      ALPNProtocols: ["http/1.1"],
      onread,
      ...(servername !== undefined && { servername }),
      ...(session !== undefined && { session }),
    };
    const socket = connectTls(options, standing);
    socket.on("session", (made: Buffer) => {
      session = made;
    });
    return prepared(socket);
  };
}

/** What is written is a whole request: waiting for more to send along with it would only delay it. */
function prepared<S extends Socket>(socket: S): S {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveProbeMs);
  return socket;
}

function portOf({ port }: URL, byDefault: number): number {
  return port === "" ? byDefault : Number(port);
}
