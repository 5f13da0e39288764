/** A running timer. `cancel` may be called any number of times, also after it fired. */
export interface Timer {
  cancel(): void;
}

/**
 * The one source of time. Nothing else reads `Date.now()`, `performance.now()` or calls `setTimeout`, so that tests can
 * put a fake in its place.
 */
export interface Clock {
  /** Milliseconds that only ever grow, from an arbitrary start. For durations. */
  now(): number;
  /** Milliseconds since 1970. For records; it can jump. */
  wall(): number;
  /** Calls `run` once, after `ms` milliseconds. */
  after(ms: number, run: () => void): Timer;
}
