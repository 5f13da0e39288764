import type { Clock } from "@tuloy/contract";

/** The testkit's own real time, for tools that sit on real sockets. Code under test gets the gateway's clock or a fake one. */
export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
