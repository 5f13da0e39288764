import type { Clock, Timer } from "@tuloy/contract";

/** Two are made for every request: a class has its `cancel` once, where an object literal makes one each time. */
class SystemTimer implements Timer {
  readonly #timeout: NodeJS.Timeout;

  constructor(timeout: NodeJS.Timeout) {
    this.#timeout = timeout;
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }
}

/** The machine's time. The only place that reads it: everything else is given a `Clock`. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    return new SystemTimer(setTimeout(run, ms));
  },
};
