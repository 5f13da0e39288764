import type { Interrupt } from "./interrupt.ts";

/** The requests that are being served, so that a shutdown can wait for them and in the end stop them. */
export class InFlight {
  readonly #interrupts = new Set<Interrupt>();
  #whenEmpty: (() => void) | null = null;

  get size(): number {
    return this.#interrupts.size;
  }

  add(interrupt: Interrupt): void {
    this.#interrupts.add(interrupt);
  }

  delete(interrupt: Interrupt): void {
    this.#interrupts.delete(interrupt);
    if (this.#interrupts.size === 0) this.#whenEmpty?.();
  }

  /** Resolves when nothing is in flight any more. */
  async drained(): Promise<void> {
    if (this.#interrupts.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  /** Stops what is still running: streams get an error event. */
  stopAll(): void {
    for (const interrupt of this.#interrupts) interrupt.raise("shutdown");
  }
}
