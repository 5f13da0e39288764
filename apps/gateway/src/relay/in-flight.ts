import type { Interrupt } from "./interrupt.ts";

/** The requests that are under way, so that a shutdown can wait for them and in the end stop them. */
export class InFlight {
  readonly #interrupts = new Set<Interrupt>();
  #whenEmpty: (() => void) | null = null;
  #closing = false;
  #stopped = false;

  get size(): number {
    return this.#interrupts.size;
  }

  /** A shutdown has begun: no new requests, and no connection is kept for a next one. */
  get closing(): boolean {
    return this.#closing;
  }

  add(interrupt: Interrupt): void {
    this.#interrupts.add(interrupt);
    if (this.#stopped) interrupt.raise("shutdown");
  }

  delete(interrupt: Interrupt): void {
    this.#interrupts.delete(interrupt);
    if (this.#interrupts.size === 0) this.#whenEmpty?.();
  }

  beginClosing(): void {
    this.#closing = true;
  }

  /** Resolves when nothing is under way any more. */
  async drained(): Promise<void> {
    if (this.#interrupts.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  /** Stops what is still running, and what may still come: streams get an error event. */
  stopAll(): void {
    this.#stopped = true;
    for (const interrupt of this.#interrupts) interrupt.raise("shutdown");
  }
}
