import { formatDuration, type Clock } from "@tuloy/contract";

/** How long the store is waited for, in milliseconds: longer than a write waits for another process's lock (2 s). */
const patienceMs = 3000;
/** While it is in trouble: every request waits anew, and most of them in vain. */
const troubledPatienceMs = 250;

/** What an operation on the store came to. */
export type Stored<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

/** Waits for a store, but not for ever, and tells once of each period in which it cannot be used. */
export class Patience {
  readonly #clock: Clock;
  readonly #onTrouble: (message: string) => void;
  #failing = false;

  /** @param onTrouble told a line for an operator */
  constructor(clock: Clock, onTrouble: (message: string) => void) {
    this.#clock = clock;
    this.#onTrouble = onTrouble;
  }

  /** The outcome of an operation, or that it takes too long. An operation that comes late still has its effect. Never rejects. */
  async await<T>(operation: Promise<T>): Promise<Stored<T>> {
    const { promise: late, resolve } = Promise.withResolvers<Stored<T>>();
    const patience = this.#failing ? troubledPatienceMs : patienceMs;
    const timer = this.#clock.after(patience, () =>
      resolve({ ok: false, message: `the database did not answer within ${formatDuration(patience)}` }),
    );
    const stored = await Promise.race([settled(operation), late]);
    timer.cancel();
    if (!stored.ok && !this.#failing) this.#onTrouble(stored.message);
    this.#failing = !stored.ok;
    return stored;
  }
}

async function settled<T>(operation: Promise<T>): Promise<Stored<T>> {
  try {
    return { ok: true, value: await operation };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}
