import { expect, test } from "vitest";

import { systemClock } from "./clock.ts";

test("a timer runs, and a cancelled one does not", async () => {
  const ran: string[] = [];
  const cancelled = systemClock.after(0, () => ran.push("cancelled"));
  cancelled.cancel();
  await new Promise<void>((resolve) => void systemClock.after(1, resolve));
  cancelled.cancel();
  expect(ran).toEqual([]);
});

test("durations are measured on a clock that only grows, records on the calendar's", () => {
  const before = systemClock.now();
  expect(systemClock.now()).toBeGreaterThanOrEqual(before);
  expect(new Date(systemClock.wall()).getUTCFullYear()).toBeGreaterThanOrEqual(2026);
  // Were both the same clock, a step of the calendar's would stretch or end every timeout.
  expect(Math.abs(systemClock.wall() - systemClock.now())).toBeGreaterThan(1_000_000);
});
