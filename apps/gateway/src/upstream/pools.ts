import type { Dispatcher } from "undici";

import { deniedLiteral } from "./address-guard.ts";
import { OriginPool } from "./origin-pool.ts";
import type { CarriedHandler, Destination, Outlet, UpstreamRequest } from "./outlet.ts";

/** The connection pools of the process: the only way out. One pool an origin, opened at its first use. */
export class UpstreamPools implements Outlet {
  /** Two providers with the same origin may differ in what addresses they are permitted: they never share connections. */
  readonly #public = new Map<string, OriginPool | Error>();
  readonly #private = new Map<string, OriginPool>();

  dispatch(request: UpstreamRequest, handler: CarriedHandler): Error | null {
    const pool = this.#pool(request.to);
    if (pool instanceof Error) return pool;
    pool.dispatch(optionsOf(request), handler);
    return null;
  }

  dispatchFresh(request: UpstreamRequest, handler: CarriedHandler): void {
    const pool = this.#pool(request.to);
    if (pool instanceof Error) throw pool;
    pool.dispatchFresh(optionsOf(request), handler);
  }

  /** Breaks what is still open. For the end of the process, after the streams had their grace. */
  async destroy(): Promise<void> {
    const pools = [...this.#public.values(), ...this.#private.values()];
    await Promise.all(pools.filter((pool) => pool instanceof OriginPool).map((pool) => pool.destroy()));
  }

  #pool(to: Destination): OriginPool | Error {
    return (to.private ? this.#private : this.#public).get(to.origin) ?? this.#open(to);
  }

  #open(to: Destination): OriginPool | Error {
    if (to.private) {
      const pool = new OriginPool(to);
      this.#private.set(to.origin, pool);
      return pool;
    }
    const pool = deniedLiteral(new URL(to.origin)) ?? new OriginPool(to);
    this.#public.set(to.origin, pool);
    return pool;
  }
}

function optionsOf({ path, headers, body, method = "POST" }: UpstreamRequest): Dispatcher.DispatchOptions {
  return { path, method, headers, body: method === "POST" ? body : null };
}
