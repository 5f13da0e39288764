/** Why a request ends from outside: its client went away, its time is up, or the process must go. */
export type Interruption = "gone" | "deadline" | "shutdown";

/**
 * The one way to stop a request from outside. It is raised once; the step that is running listens. (An AbortController does
 * the same and costs some microseconds a request.)
 */
export class Interrupt {
  #reason: Interruption | null = null;
  #listener: ((reason: Interruption) => void) | null = null;

  get reason(): Interruption | null {
    return this.#reason;
  }

  raise(reason: Interruption): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#listener?.(reason);
  }

  /** Sets the one listener; null removes it. A reason raised before is told at once. */
  listen(listener: ((reason: Interruption) => void) | null): void {
    this.#listener = listener;
    if (listener && this.#reason) listener(this.#reason);
  }
}
