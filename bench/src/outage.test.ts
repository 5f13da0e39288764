import { describe, expect, it } from "vitest";

import { readOutage } from "./outage.ts";

/** One request a millisecond, from one time to another. */
const steady = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const times = { failedAt: 1000, recoveredAt: 9000 };

describe("readOutage", () => {
  it("finds the opening, the trials and the way back", () => {
    const after = [9500, ...steady(10_000, 12_000)];
    const arrivals = [...steady(0, 1005), 6000, ...after];
    expect(readOutage(arrivals, [...steady(0, 1000), ...after], times, 1000)).toEqual({
      untilOpened: 5,
      openedAfterMs: 4,
      whileOpen: 1,
      firstServedAfterMs: 500,
      restoredAfterMs: 1000,
    });
  });

  it("says when no breaker ever opened", () => {
    const arrivals = steady(0, 12_000);
    expect(readOutage(arrivals, steady(9000, 12_000), times, 1000)).toEqual({
      untilOpened: 8000,
      openedAfterMs: null,
      whileOpen: 0,
      firstServedAfterMs: 0,
      restoredAfterMs: 0,
    });
  });

  it("says when A was never asked again, or only by trials", () => {
    const before = steady(0, 1005);
    expect(readOutage(before, steady(0, 1000), times, 1000)).toMatchObject({
      firstServedAfterMs: null,
      restoredAfterMs: null,
    });
    expect(readOutage([...before, 9100], [9100], times, 1000)).toMatchObject({
      firstServedAfterMs: 100,
      restoredAfterMs: null,
    });
  });
});
