import type { Clock, Timer } from "@tuloy/contract";
import { sweepRows, type IdempotencyRecords } from "@tuloy/store";

/** How often what is over is deleted, in milliseconds. What is over but not yet deleted is not used either. */
const roundMs = 60_000;

/** All answers kept for idempotency keys together. Beyond it the oldest are dropped. 1 GiB. */
const maxKeptBytes = 1024 * 1024 * 1024;

export interface ExpiryContext {
  readonly records: IdempotencyRecords;
  readonly clock: Clock;
}

/** Deletes what was kept for a time that is over: at the start, and from then on every minute. */
export class Expiry {
  readonly #context: ExpiryContext;
  #timer: Timer | null = null;
  #stopped = false;

  constructor(context: ExpiryContext) {
    this.#context = context;
  }

  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #round(): Promise<void> {
    const { records, clock } = this.#context;
    try {
      let deleted = sweepRows;
      while (deleted === sweepRows && !this.#stopped) {
        ({ deleted } = await records.sweep({ now: clock.wall(), maxBytes: maxKeptBytes }));
      }
    } catch {
      // The store is in trouble, which those who write to it report; what is over waits for the next round.
    }
    if (!this.#stopped) this.#timer = clock.after(roundMs, () => void this.#round());
  }
}
