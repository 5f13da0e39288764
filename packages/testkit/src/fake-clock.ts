import type { Clock, Timer } from "@tuloy/contract";

import { turn } from "./eventually.ts";

interface Waiting {
  readonly due: number;
  /** Timers of the same moment run in the order in which they were set. */
  readonly order: number;
  readonly run: () => void;
}

/** Time that stands still until a test moves it. Both clocks start at `start` milliseconds. */
export class FakeClock implements Clock {
  #now: number;
  #wallOffset = 0;
  #set = 0;
  readonly #waiting = new Set<Waiting>();

  constructor(start = 1_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** Whole milliseconds, as `Date.now` gives them: a record keeps no more. */
  wall(): number {
    return Math.floor(this.#now) + this.#wallOffset;
  }

  after(ms: number, run: () => void): Timer {
    // As setTimeout does: not a number and negative mean at once, which is still not now but at the next advance.
    const waiting: Waiting = { due: this.#now + (ms > 0 ? ms : 0), order: this.#set++, run };
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }

  /** Timers that are set and have neither fired nor been cancelled: zero when nothing leaks. */
  get pending(): number {
    return this.#waiting.size;
  }

  /**
   * Moves time on, and runs every timer that falls due, in order, each at its own moment; also those that are set
   * meanwhile. Promises that the timers settle run only after the caller awaits: see `pass`.
   */
  advance(ms: number): void {
    const end = this.#end(ms);
    for (let next = this.#next(end); next !== null; next = this.#next(end)) this.#fire(next);
    this.#now = end;
  }

  /** As `advance`, but lets the event loop turn before, after and between timers, for code that awaits between its timers. */
  async pass(ms: number): Promise<void> {
    const end = this.#end(ms);
    await turn();
    for (let next = this.#next(end); next !== null; next = this.#next(end)) {
      this.#fire(next);
      await turn();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Sets the wall clock on or back, as an operator or NTP does. `now()` and timers do not notice. */
  jumpWall(ms: number): void {
    this.#wallOffset += ms;
  }

  #end(ms: number): number {
    if (!(ms >= 0)) throw new RangeError(`time cannot move by ${ms} ms`);
    return this.#now + ms;
  }

  #next(end: number): Waiting | null {
    let first: Waiting | null = null;
    for (const waiting of this.#waiting) {
      if (waiting.due > end) continue;
      if (first === null || waiting.due < first.due || (waiting.due === first.due && waiting.order < first.order)) {
        first = waiting;
      }
    }
    return first;
  }

  #fire(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    this.#now = Math.max(this.#now, waiting.due);
    waiting.run();
  }
}
