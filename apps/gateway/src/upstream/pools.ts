import type { Clock, Timer } from "@tuloy/contract";

import { deniedLiteral } from "./address-guard.ts";
import type { HttpRequest } from "./http1/request-head.ts";
import { OriginPool } from "./origin-pool.ts";
import type { CallHandler, Destination, Outlet, UpstreamRequest } from "./outlet.ts";

/** How often idle connections are looked through. Milliseconds. */
const sweepMs = 5000;

/** The connection pools of the process: the only way out. One pool an origin, opened at its first use. */
export class UpstreamPools implements Outlet {
  readonly #clock: Clock;
  /** Two providers with the same origin may differ in what addresses they are permitted: they never share connections. */
  readonly #public = new Map<string, OriginPool | Error>();
  readonly #private = new Map<string, OriginPool>();
  #sweeping: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  dispatch(request: UpstreamRequest, handler: CallHandler): Error | null {
    const pool = this.#pool(request.to);
    if (pool instanceof Error) return pool;
    pool.dispatch(optionsOf(request), handler);
    return null;
  }

  dispatchFresh(request: UpstreamRequest, handler: CallHandler): void {
    const pool = this.#pool(request.to);
    if (pool instanceof Error) throw pool;
    pool.dispatchFresh(optionsOf(request), handler);
  }

  /** From now on connections that are idle for too long are closed, until `destroy`. */
  startSweeping(): void {
    this.#sweeping = this.#clock.after(sweepMs, () => {
      for (const pool of this.#opened()) pool.sweep();
      this.startSweeping();
    });
  }

  /** Breaks what is still open. For the end of the process, after the streams had their grace. */
  destroy(): void {
    this.#sweeping?.cancel();
    for (const pool of this.#opened()) pool.destroy();
  }

  #opened(): OriginPool[] {
    return [...this.#public.values(), ...this.#private.values()].filter((pool) => pool instanceof OriginPool);
  }

  #pool(to: Destination): OriginPool | Error {
    return (to.private ? this.#private : this.#public).get(to.origin) ?? this.#make(to);
  }

  #make(to: Destination): OriginPool | Error {
    if (to.private) {
      const pool = new OriginPool(to, this.#clock);
      this.#private.set(to.origin, pool);
      return pool;
    }
    const pool = deniedLiteral(new URL(to.origin)) ?? new OriginPool(to, this.#clock);
    this.#public.set(to.origin, pool);
    return pool;
  }
}

function optionsOf({ path, headers, body, method = "POST" }: UpstreamRequest): HttpRequest {
  return { path, method, headers, body: method === "POST" ? body : null };
}
