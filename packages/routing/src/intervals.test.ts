import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { meanDifference, Series, shareDifference, shareEstimate, studentQuantile } from "./intervals.ts";

/** Park and Miller's generator: the same numbers in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function seriesOf(values: readonly number[]): Series {
  const series = new Series();
  for (const value of values) series.add(value);
  return series;
}

/** How often an interval holds the truth, in this many runs. */
function coverage(runs: number, holds: (random: () => number) => boolean): number {
  const random = numbers(20_261_124);
  let held = 0;
  for (let run = 0; run < runs; run++) held += holds(random) ? 1 : 0;
  return held / runs;
}

describe("Student's quantile", () => {
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [5, 2.571],
    [10, 2.228],
    [30, 2.042],
    [120, 1.98],
    [100_000, 1.96],
  ])("for %i degrees of freedom is the table's %f", (freedom, table) => {
    expect(studentQuantile(freedom)).toBeCloseTo(table, 2);
  });
});

describe("a share", () => {
  it("has Wilson's interval", () => {
    const { value, low, high } = shareEstimate(8, 10) ?? { value: 0, low: 0, high: 0 };
    expect(value).toBe(0.8);
    expect(low).toBeCloseTo(0.4902, 4);
    expect(high).toBeCloseTo(0.9433, 4);
  });

  it("of nothing is unknown; of none, and of all, it still leaves room", () => {
    expect(shareEstimate(0, 0)).toBeNull();
    expect(shareEstimate(0, 50)?.low).toBe(0);
    expect(shareEstimate(0, 50)?.high).toBeCloseTo(0.0713, 4);
    expect(shareEstimate(50, 50)).toMatchObject({ value: 1, high: 1 });
  });

  it("is between 0 and 1, and within its interval", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.double({ min: 0, max: 1, noNaN: true }), (of, part) => {
        const estimate = shareEstimate(Math.floor(part * of), of);
        if (estimate === null) throw new Error("there were observations");
        const { value, low, high } = estimate;
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
        expect(high).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });

  it("lies in its interval, and its difference in its own, in about 95 of 100 experiments", () => {
    const held = coverage(2000, (random) => {
      const failed = Array.from({ length: 200 }, random).filter((x) => x < 0.05).length;
      const { low, high } = shareEstimate(failed, 200) ?? { low: 1, high: 0 };
      return low <= 0.05 && 0.05 <= high;
    });
    expect(held).toBeGreaterThan(0.93);
    expect(held).toBeLessThan(0.98);
    const apart = coverage(2000, (random) => {
      const [a, b] = [0.05, 0.15].map((p) =>
        shareEstimate(Array.from({ length: 200 }, random).filter((x) => x < p).length, 200),
      );
      if (!a || !b) return false;
      const { low, high } = shareDifference(a, b);
      return low <= 0.1 && 0.1 <= high;
    });
    expect(apart).toBeGreaterThan(0.93);
    expect(apart).toBeLessThan(0.98);
  });
});

describe("a mean", () => {
  it("needs two values", () => {
    expect(seriesOf([]).estimate()).toBeNull();
    expect(seriesOf([7]).estimate()).toBeNull();
    expect(meanDifference(seriesOf([7]), seriesOf([7, 8]))).toBeNull();
  });

  it("has Student's interval", () => {
    const { value, low, high } = seriesOf([2, 4, 6, 8]).estimate() ?? { value: 0, low: 0, high: 0 };
    expect(value).toBe(5);
    expect(low).toBeCloseTo(0.8919, 1);
    expect(high).toBeCloseTo(9.1081, 1);
  });

  it("of equal values is sure", () => {
    expect(seriesOf([3, 3, 3]).estimate()).toEqual({ value: 3, low: 3, high: 3 });
    expect(meanDifference(seriesOf([3, 3]), seriesOf([5, 5]))).toEqual({ value: 2, low: 2, high: 2 });
  });

  it("does not lose digits in a long series far from zero", () => {
    const series = new Series();
    for (let i = 0; i < 100_000; i++) series.add(1e9 + (i % 2));
    expect(series.mean).toBeCloseTo(1e9 + 0.5, 6);
    expect(Math.sqrt(series.meanVariance * series.count)).toBeCloseTo(0.5, 4);
  });

  it("lies in its interval, and its difference in its own, in about 95 of 100 experiments, however unequal the spreads", () => {
    // The sum of twelve uniform numbers is nearly normal, with a variance of 1.
    const normal = (random: () => number): number => Array.from({ length: 12 }, random).reduce((a, b) => a + b, -6);
    const sample = (random: () => number, size: number, mean: number, spread: number): Series =>
      seriesOf(Array.from({ length: size }, () => mean + spread * normal(random)));
    const held = coverage(1000, (random) => {
      const { low, high } = sample(random, 6, 10, 3).estimate() ?? { low: 1, high: 0 };
      return low <= 10 && 10 <= high;
    });
    expect(held).toBeGreaterThan(0.93);
    expect(held).toBeLessThan(0.97);
    const apart = coverage(1000, (random) => {
      const difference = meanDifference(sample(random, 6, 10, 1), sample(random, 20, 13, 8));
      return difference !== null && difference.low <= 3 && 3 <= difference.high;
    });
    expect(apart).toBeGreaterThan(0.93);
    expect(apart).toBeLessThan(0.97);
  });
});
