import type { Client as ClientOf, Dispatcher } from "undici";
// The index loads a whole browser's worth of fetch, caches and sockets besides: a fifth of the gateway's start.
import Client from "undici/lib/dispatcher/client.js";
import buildConnector from "undici/lib/core/connect.js";

import { guardedLookup } from "./address-guard.ts";
import type { CarriedHandler, Carrier, Destination } from "./outlet.ts";

/**
 * HTTP/1.1 on purpose: one connection carries one request, so a broken connection takes one request with it and not every
 * stream of a provider at once. All limits of undici are off or wide: the relay keeps its own, finer deadlines.
 */
function connectionOptions(to: Destination): ClientOf.Options {
  const limits = { allowH2: false, timeout: 60_000 };
  return {
    allowH2: false,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
    // Made once for all connections of an origin: it keeps the TLS sessions that a next handshake resumes.
    connect: buildConnector(to.private ? limits : { ...limits, lookup: guardedLookup }),
  };
}

/** One connection, opened anew when it was lost. undici tells nobody whether a request goes over a fresh one. */
class Connection extends Client implements Carrier {
  /** Where it is among the idle ones; -1 while it is in use. */
  idleAt = -1;
  #requests = 0;

  constructor(origin: string, options: ClientOf.Options) {
    super(origin, options);
    this.on("connect", () => {
      this.#requests = 0;
    });
  }

  carry(request: Dispatcher.DispatchOptions, handler: CarriedHandler): void {
    handler.carriedBy(this);
    this.dispatch(request, handler);
  }

  countRequest(): boolean {
    this.#requests += 1;
    return this.#requests > 1;
  }
}

/**
 * The connections to one origin, as many as there are requests at once. undici's own pool looks for a free connection by
 * asking each, which with a thousand open streams is a thousand questions for every request, and keeps all it ever had.
 * Here the free ones lie on a stack: the last one used is the first one taken, so that what a quiet hour does not need
 * times out, and a connection that is lost while it is idle is forgotten.
 */
export class OriginPool {
  readonly #to: Destination;
  readonly #options: ClientOf.Options;
  /** Connected, and carrying nothing. */
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  #destroyed = false;

  constructor(to: Destination) {
    this.#to = to;
    this.#options = connectionOptions(to);
  }

  /** How many connections there are, in use or idle. */
  get size(): number {
    return this.#all.size;
  }

  /** How many of them carry nothing and can be used at once. */
  get idle(): number {
    return this.#idle.length;
  }

  dispatch(request: Dispatcher.DispatchOptions, handler: CarriedHandler): void {
    const connection = this.#take() ?? this.#open();
    connection.carry(request, handler);
    // Refused before it was sent, as with a header that HTTP does not allow: nothing will tell when this one is free again.
    if (connection.stats.size === 0) this.#forget(connection);
  }

  /** Sends over a connection of its own, which is closed afterwards. */
  dispatchFresh(request: Dispatcher.DispatchOptions, handler: CarriedHandler): void {
    const connection = this.#connect();
    connection.carry(request, handler);
    connection.close(() => this.#all.delete(connection));
  }

  /** Breaks what is still open. */
  async destroy(): Promise<void> {
    this.#destroyed = true;
    await Promise.all([...this.#all].map((connection) => connection.destroy()));
  }

  #connect(): Connection {
    const connection = new Connection(this.#to.origin, this.#options);
    this.#all.add(connection);
    // What is sent from here on fails at once.
    if (this.#destroyed) void connection.destroy();
    return connection;
  }

  #open(): Connection {
    const connection = this.#connect();
    connection.on("drain", () => this.#free(connection));
    connection.on("disconnect", () => {
      // In use, it says so by itself when its request is over.
      if (connection.idleAt !== -1) this.#forget(connection);
    });
    return connection;
  }

  #take(): Connection | undefined {
    const connection = this.#idle.pop();
    if (connection !== undefined) connection.idleAt = -1;
    return connection;
  }

  /** It can carry a next request. One that is not connected any more is worth no more than a new one. */
  #free(connection: Connection): void {
    if (connection.idleAt !== -1 || !this.#all.has(connection)) return;
    if (!connection.stats.connected) return this.#forget(connection);
    connection.idleAt = this.#idle.length;
    this.#idle.push(connection);
  }

  #forget(connection: Connection): void {
    const at = connection.idleAt;
    const last = this.#idle.at(-1);
    if (at !== -1 && last !== undefined) {
      this.#idle[at] = last;
      last.idleAt = at;
      this.#idle.pop();
      connection.idleAt = -1;
    }
    this.#all.delete(connection);
    // With a callback: the promise would be refused where it was destroyed before.
    connection.close(() => undefined);
  }
}
