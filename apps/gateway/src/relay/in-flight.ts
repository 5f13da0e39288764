import type { ReplyServer } from "../http/client-reply.ts";
import { atTurnEnd } from "../turn-end.ts";
import type { Interrupt } from "./interrupt.ts";

/** The requests that are under way, and the answers that are still leaving, so that a shutdown can wait for them and in the end stop them. */
export class InFlight implements ReplyServer {
  readonly #interrupts = new Set<Interrupt>();
  #leaving = 0;
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
    this.#left();
  }

  leaving(): () => void {
    this.#leaving += 1;
    return () => {
      this.#leaving -= 1;
      this.#left();
    };
  }

  /** What a request has answered is written at the turn's end: only then it is known whether it leaves at once. */
  #left(): void {
    if (this.#whenEmpty === null) return;
    atTurnEnd(() => {
      if (this.#isEmpty) this.#whenEmpty?.();
    });
  }

  beginClosing(): void {
    this.#closing = true;
  }

  /** Resolves when nothing is under way any more, and every answer has left. */
  async drained(): Promise<void> {
    if (this.#isEmpty) return;
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  get #isEmpty(): boolean {
    return this.#interrupts.size === 0 && this.#leaving === 0;
  }

  /** Stops what is still running, and what may still come: streams get an error event. */
  stopAll(): void {
    this.#stopped = true;
    for (const interrupt of this.#interrupts) interrupt.raise("shutdown");
  }
}
