import type { Clock, Timer } from "@tuloy/contract";
import { responseSweepRows, sweepRows, type IdempotencyRecords, type ResponseRecords } from "@tuloy/store";

/** How often what is over is deleted, in milliseconds. What is over but not yet deleted is not used either. */
const roundMs = 60_000;

/** All answers kept for idempotency keys together. Beyond it the oldest are dropped. 1 GiB. */
const maxKeptBytes = 1024 * 1024 * 1024;

export interface ExpiryContext {
  readonly records: IdempotencyRecords;
  readonly responses: Pick<ResponseRecords, "sweep">;
  readonly clock: Clock;
}

/** Deletes what was kept for a time that is over: at the start, and from then on every minute. */
export class Expiry {
  readonly #context: ExpiryContext;
  #timer: Timer | null = null;
  #sweeping = false;
  #stopped = false;

  constructor(context: ExpiryContext) {
    this.#context = context;
  }

  start(): void {
    this.#timer = this.#context.clock.after(roundMs, () => this.start());
    // A round that takes longer than a minute is not joined by another.
    if (!this.#sweeping) void this.#sweep();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #sweep(): Promise<void> {
    const { records, responses, clock } = this.#context;
    this.#sweeping = true;
    try {
      let more = true;
      while (more && !this.#stopped) {
        const swept = await records.sweep({ now: clock.wall(), maxBytes: maxKeptBytes });
        more = swept.deleted === sweepRows || swept.emptied === sweepRows;
      }
      let deleted = responseSweepRows;
      while (deleted === responseSweepRows && !this.#stopped) deleted = await responses.sweep(clock.wall());
    } catch {
      // The store is in trouble, which those who write to it report; what is over waits for the next round.
    }
    this.#sweeping = false;
  }
}
