import fc from "fast-check";
import { expect, it } from "vitest";

import { RollingSum } from "./window.ts";

const entry = fc.record({ wait: fc.nat(30), amount: fc.integer({ min: 1, max: 9 }) });

it("sums exactly the buckets that it covers", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60 }), fc.integer({ min: 1, max: 50 }), (entries, windowMs) => {
      const sum = new RollingSum(10, 5);
      const all: { bucket: number; amount: number }[] = [];
      let now = 0;
      for (const { wait, amount } of entries) {
        now += wait;
        sum.add(now, amount);
        all.push({ bucket: Math.floor(now / 10), amount });
        const over = (buckets: number) =>
          all
            .filter(({ bucket }) => bucket > Math.floor(now / 10) - buckets)
            .reduce((total, { amount }) => total + amount, 0);
        expect(sum.total(now)).toBe(over(5));
        expect(sum.within(windowMs, now)).toBe(over(Math.ceil(windowMs / 10)));
      }
    }),
  );
});

it("takes corrections of what is still covered, and ignores those of what is gone", () => {
  const sum = new RollingSum(10, 5);
  sum.add(5, 7);
  sum.add(40, 1);
  sum.add(5, -3);
  expect(sum.total(40)).toBe(5);
  sum.add(60, 1);
  sum.add(5, -3);
  expect(sum.total(60)).toBe(2);
});

it("tells when the sum will have fallen far enough", () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), fc.nat(20), (entries, limit) => {
      const sum = new RollingSum(10, 5);
      let now = 0;
      for (const { wait, amount } of entries) sum.add((now += wait), amount);
      const wait = sum.msUntilAtMost(limit, now);
      expect(wait === 0 || sum.within(50, now + wait - 1) > limit).toBe(true);
      expect(sum.total(now + wait)).toBeLessThanOrEqual(limit);
    }),
  );
});
