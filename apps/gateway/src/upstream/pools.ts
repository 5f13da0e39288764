import type { Client as ClientOf, Dispatcher, Pool as PoolOf } from "undici";
// The index loads a whole browser's worth of fetch, caches and sockets besides: a fifth of the gateway's start.
import Client from "undici/lib/dispatcher/client.js";
import Pool from "undici/lib/dispatcher/pool.js";

import { deniedLiteral, guardedLookup } from "./address-guard.ts";

/** One origin, and whether private addresses are permitted for it. */
export interface Destination {
  /** `https://api.openai.com`, without a path. */
  readonly origin: string;
  readonly private: boolean;
}

/**
 * HTTP/1.1 on purpose: one connection carries one request, so a broken connection takes one request with it and not every
 * stream of a provider at once. All limits of undici are off or wide: the relay keeps its own, finer deadlines.
 */
function connectionOptions(to: Destination): PoolOf.Options & ClientOf.Options {
  return {
    allowH2: false,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
    connect: to.private ? { timeout: 60_000 } : { timeout: 60_000, lookup: guardedLookup },
  };
}

/** What carries a request: one connection at a time, opened anew when it was lost. */
export interface Carrier {
  /** To be called once, when a request is about to be written: whether its connection has carried one before. */
  countRequest(): boolean;
}

/** A handler that is told what carries its request, before anything else. */
export interface CarriedHandler extends Dispatcher.DispatchHandler {
  carriedBy(carrier: Carrier): void;
}

/** undici tells nobody whether a request goes over a fresh connection, and nothing in its timing gives it away. */
class CountingClient extends Client implements Carrier {
  #requests = 0;

  constructor(origin: string | URL, options: ClientOf.Options) {
    super(origin, options);
    this.on("connect", () => {
      this.#requests = 0;
    });
  }

  override dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (isCarried(handler)) handler.carriedBy(this);
    return super.dispatch(request, handler);
  }

  countRequest(): boolean {
    this.#requests += 1;
    return this.#requests > 1;
  }
}

function isCarried(handler: Dispatcher.DispatchHandler): handler is CarriedHandler {
  return "carriedBy" in handler;
}

/** The connection pools of the process: the only way out. One pool an origin, opened at its first use. */
export class UpstreamPools {
  readonly #pools = new Map<string, PoolOf | Error>();

  /**
   * Sends over a pooled connection.
   * @returns why the destination is denied, or null when the request is on its way
   */
  dispatch(to: Destination, request: Dispatcher.DispatchOptions, handler: CarriedHandler): Error | null {
    const pool = this.#pools.get(poolKey(to)) ?? this.#open(to);
    if (pool instanceof Error) return pool;
    pool.dispatch(request, handler);
    return null;
  }

  /** Sends over a connection of its own, which is closed afterwards. Only for a destination that `dispatch` accepted. */
  dispatchFresh(to: Destination, request: Dispatcher.DispatchOptions, handler: CarriedHandler): void {
    const client = new CountingClient(to.origin, connectionOptions(to));
    client.dispatch(request, handler);
    void client.close();
  }

  /** Breaks what is still open. For the end of the process, after the streams had their grace. */
  async destroy(): Promise<void> {
    const pools = [...this.#pools.values()].filter((pool) => pool instanceof Pool);
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #open(to: Destination): PoolOf | Error {
    const pool =
      (to.private ? null : deniedLiteral(new URL(to.origin))) ??
      new Pool(to.origin, {
        ...connectionOptions(to),
        factory: (origin, options) => new CountingClient(origin, options),
      });
    this.#pools.set(poolKey(to), pool);
    return pool;
  }
}

function poolKey(to: Destination): string {
  return to.private ? `private ${to.origin}` : to.origin;
}
