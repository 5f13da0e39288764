import type { Client as ClientOf, Dispatcher, Pool as PoolOf } from "undici";
// The index loads a whole browser's worth of fetch, caches and sockets besides: a fifth of the gateway's start.
import Client from "undici/lib/dispatcher/client.js";
import Pool from "undici/lib/dispatcher/pool.js";

import { deniedLiteral, guardedLookup } from "./address-guard.ts";
import type { CarriedHandler, Carrier, Destination, Outlet, UpstreamRequest } from "./outlet.ts";

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
export class UpstreamPools implements Outlet {
  readonly #pools = new Map<string, PoolOf | Error>();

  dispatch(request: UpstreamRequest, handler: CarriedHandler): Error | null {
    const { to, path, headers, body, method = "POST" } = request;
    const pool = this.#pools.get(poolKey(to)) ?? this.#open(to);
    if (pool instanceof Error) return pool;
    pool.dispatch({ path, method, headers, body: method === "POST" ? body : null }, handler);
    return null;
  }

  dispatchFresh({ to, path, headers, body, method = "POST" }: UpstreamRequest, handler: CarriedHandler): void {
    const client = new CountingClient(to.origin, connectionOptions(to));
    client.dispatch({ path, method, headers, body: method === "POST" ? body : null }, handler);
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
