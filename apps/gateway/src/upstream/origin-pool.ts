import type { Clock } from "@tuloy/contract";

import { connectionError } from "./connection-error.ts";
import { Connection, type ConnectionOwner } from "./http1/connection.ts";
import { connectorTo, type Connector } from "./http1/connector.ts";
import { writeRequestHead, type HttpRequest } from "./http1/request-head.ts";
import type { CallHandler, Destination } from "./outlet.ts";

/** How long an idle connection is kept where the server does not say how long it keeps it. Milliseconds. */
const keepMs = 30_000;

/** Before the moment at which a server says that it closes, so that a request does not cross with the closing. */
const keepMarginMs = 2000;

/** However long a server says that it keeps connections. */
const maxKeepMs = 600_000;

/**
 * The connections to one origin, as many as there are requests at once. The free ones lie on a stack: the last one used is the
 * first one taken, so that what a quiet hour does not need times out, and a connection that is lost while it is idle is
 * forgotten. Taking and giving back cost the same with ten thousand open streams as with one.
 *
 * HTTP/1.1 on purpose: one connection carries one request, so a broken connection takes one request with it and not every
 * stream of a provider at once.
 */
export class OriginPool implements ConnectionOwner {
  readonly #connector: Connector;
  readonly #clock: Clock;
  /** Connected, and carrying nothing. */
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  /** Connections that are for one request only. */
  readonly #single = new Set<Connection>();
  #destroyed = false;

  constructor(to: Destination, clock: Clock) {
    this.#connector = connectorTo(to);
    this.#clock = clock;
  }

  /** How many connections there are, in use or idle. */
  get size(): number {
    return this.#all.size;
  }

  /** How many of them carry nothing and can be used at once. */
  get idle(): number {
    return this.#idle.length;
  }

  dispatch(request: HttpRequest, handler: CallHandler): void {
    this.#send(request, handler, () => this.#take() ?? this.#connect());
  }

  /** Sends over a connection of its own, which is closed afterwards. */
  dispatchFresh(request: HttpRequest, handler: CallHandler): void {
    this.#send(request, handler, () => {
      const connection = this.#connect();
      this.#single.add(connection);
      return connection;
    });
  }

  /** Closes what has been idle for too long. */
  sweep(): void {
    const now = this.#clock.now();
    for (const connection of this.#idle.filter((one) => now >= keptUntil(one))) {
      this.#withdraw(connection);
      connection.destroy();
    }
  }

  /** Breaks what is still open. */
  destroy(): void {
    this.#destroyed = true;
    for (const connection of this.#all) connection.destroy(poolDestroyed());
  }

  onFree(connection: Connection): void {
    if (this.#destroyed || this.#single.has(connection)) return connection.destroy();
    const now = this.#clock.now();
    connection.idleSince ??= now;
    if (now >= keptUntil(connection)) return connection.destroy();
    connection.idleAt = this.#idle.length;
    this.#idle.push(connection);
  }

  onClosed(connection: Connection): void {
    this.#withdraw(connection);
    this.#all.delete(connection);
    this.#single.delete(connection);
  }

  #send(request: HttpRequest, handler: CallHandler, connection: () => Connection): void {
    if (this.#destroyed) return handler.onResponseError(poolDestroyed());
    let head: string;
    try {
      head = writeRequestHead(request, this.#connector.host);
    } catch (error) {
      return handler.onResponseError(error instanceof Error ? error : new Error(String(error)));
    }
    connection().carry({ head, body: request.body }, handler);
  }

  #connect(): Connection {
    const connection = new Connection(this.#connector, this, this.#clock);
    this.#all.add(connection);
    return connection;
  }

  #take(): Connection | null {
    const now = this.#clock.now();
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return null;
      connection.idleAt = -1;
      if (connection.usable && now < keptUntil(connection)) return connection;
      connection.destroy();
    }
  }

  /** Takes it from among the idle ones, wherever it is there. */
  #withdraw(connection: Connection): void {
    const at = connection.idleAt;
    if (at === -1) return;
    const last = this.#idle.pop();
    if (last !== undefined && last !== connection) {
      this.#idle[at] = last;
      last.idleAt = at;
    }
    connection.idleAt = -1;
  }
}

function keptUntil({ idleSince, keepMs: said }: Connection): number {
  return (idleSince ?? Infinity) + (said === null ? keepMs : Math.min(said, maxKeepMs) - keepMarginMs);
}

function poolDestroyed(): Error {
  return connectionError("TULOY_CLOSING", "the connection was destroyed with its pool");
}
