import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { median, percentile, slope } from "./stats.ts";

const numbers = fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 50 });

describe("median", () => {
  it("is the middle of an odd count and the mean of the middle two of an even one", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it("sorts as numbers, not as text", () => {
    expect(median([100, 9, 20])).toBe(20);
  });

  it("has as many values at or below it as at or above it, whatever their order", () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const middle = median(values);
        const half = values.length / 2;
        expect(values.filter((value) => value <= middle).length).toBeGreaterThanOrEqual(half);
        expect(values.filter((value) => value >= middle).length).toBeGreaterThanOrEqual(half);
      }),
    );
  });

  it("leaves its input as it was, and is NaN for nothing", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
    expect(median([])).toBeNaN();
  });
});

describe("percentile", () => {
  it("runs from the least to the greatest value", () => {
    fc.assert(
      fc.property(numbers, (values) => {
        expect(percentile(values, 0)).toBe(Math.min(...values));
        expect(percentile(values, 1)).toBe(Math.max(...values));
      }),
    );
  });

  it("interpolates between neighbours", () => {
    expect(percentile([0, 10], 0.99)).toBeCloseTo(9.9);
  });
});

describe("slope", () => {
  it("finds the line's own slope, wherever the line lies", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 100 }), fc.integer({ min: -100, max: 100 }), (a, b) => {
        const points = [0, 1, 2, 5, 9].map((x) => ({ x, y: a * x + b }));
        expect(slope(points)).toBeCloseTo(a, 6);
      }),
    );
  });

  it("is 0 where time did not pass", () => {
    expect(slope([{ x: 1, y: 5 }])).toBe(0);
  });
});
