import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { dueAt } from "./open-loop.ts";

describe("dueAt", () => {
  it("follows the clock and stops at the end", () => {
    const loop = { rate: 500, seconds: 2 };
    expect([0, 1, 2, 1000, 2000, 9000].map((ms) => dueAt(loop, ms))).toEqual([0, 0, 1, 500, 1000, 1000]);
  });

  it("never goes back", () => {
    const ms = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), ms, ms, (rate, a, b) => {
        const loop = { rate, seconds: 60 };
        expect(dueAt(loop, Math.max(a, b))).toBeGreaterThanOrEqual(dueAt(loop, Math.min(a, b)));
      }),
    );
  });
});
