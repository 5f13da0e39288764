import type { Clock } from "@tuloy/contract";

/** The machine's time. The only place that reads it: everything else is given a `Clock`. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
