import fc from "fast-check";
import { expect, it } from "vitest";

import { RetryBudget } from "./retry-budget.ts";

function retriesAt(budget: RetryBudget, now: number): number {
  let retries = 0;
  for (let i = 0; i < 1000; i++) retries += budget.tryRetry(now) ? 1 : 0;
  return retries;
}

it("allows ten retries at once with no traffic, then ten a second", () => {
  const budget = new RetryBudget();
  expect(retriesAt(budget, 0)).toBe(10);
  expect(retriesAt(budget, 500)).toBe(5);
  expect(retriesAt(budget, 60_000)).toBe(10);
});

it("does not save up a quiet hour for one burst", () => {
  const budget = new RetryBudget();
  budget.request(0);
  expect(retriesAt(budget, 3_600_000)).toBe(10);
});

it("allows a fifth of the traffic on top", () => {
  const budget = new RetryBudget();
  let retries = 0;
  for (let now = 0; now < 60_000; now += 10) {
    budget.request(now);
    if (budget.tryRetry(now)) retries += 1;
  }
  expect(retries).toBeGreaterThan(0.2 * 6000 + 10 * 59);
  expect(retries).toBeLessThanOrEqual(0.2 * 6000 + 10 * 60 + 30);
});

it("asking whether one would be allowed takes nothing", () => {
  const budget = new RetryBudget();
  for (let i = 0; i < 100; i++) expect(budget.has(0)).toBe(true);
  expect(retriesAt(budget, 0)).toBe(10);
});

it("within any period allows at most 20% of its traffic, 10 a second, and one second's allowance", () => {
  const step = fc.record({ wait: fc.nat(2000), requests: fc.nat(200), retries: fc.nat(200) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(59), (steps, from) => {
      const budget = new RetryBudget();
      const history: { at: number; requests: number; granted: number }[] = [];
      let now = 0;
      for (const { wait, requests, retries } of steps) {
        now += wait;
        for (let i = 0; i < requests; i++) budget.request(now);
        let granted = 0;
        for (let i = 0; i < retries; i++) granted += budget.tryRetry(now) ? 1 : 0;
        history.push({ at: now, requests, granted });
      }
      const period = history.slice(Math.min(from, history.length - 1));
      const sum = (pick: (row: (typeof history)[number]) => number) =>
        period.reduce((total, row) => total + pick(row), 0);
      const seconds = ((period.at(-1)?.at ?? 0) - (period[0]?.at ?? 0)) / 1000;
      const oneSecond = 10 + (0.2 * history.reduce((total, row) => total + row.requests, 0)) / 60;
      expect(sum((row) => row.granted)).toBeLessThanOrEqual(
        0.2 * sum((row) => row.requests) + 10 * seconds + oneSecond + 1e-6,
      );
    }),
  );
});
