import { expect, test } from "vitest";

import { eventually } from "./eventually.ts";
import { FakeClock } from "./fake-clock.ts";
import { percentile, runLoad, tally } from "./load.ts";

test("every job has an outcome, in the order of the starts, failures too", async () => {
  const outcomes = await runLoad({
    jobs: 5,
    concurrency: 2,
    job: async (index) => {
      if (index === 1) throw new Error("no");
      return index * 10;
    },
  });
  expect(outcomes.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
  expect(outcomes[4]?.result).toEqual({ ok: true, value: 40 });
  expect(outcomes[1]?.result).toEqual({ ok: false, error: new Error("no") });
  expect(tally(outcomes, ({ result }) => (result.ok ? "good" : "bad"))).toEqual({ good: 4, bad: 1 });
});

test("a job that throws at once is an outcome as well", async () => {
  const job = (): Promise<never> => {
    throw new Error("at once");
  };
  expect(await runLoad({ jobs: 1, job })).toMatchObject([{ result: { ok: false } }]);
});

test("no more jobs are in flight than there are places", async () => {
  const gates: (() => void)[] = [];
  let inFlight = 0;
  let most = 0;
  const load = runLoad({
    jobs: 9,
    concurrency: 3,
    job: async () => {
      most = Math.max(most, ++inFlight);
      await new Promise<void>((resolve) => gates.push(resolve));
      inFlight--;
    },
  });
  for (let done = 0; done < 9; done++) {
    const open = await eventually(() => gates.shift());
    open();
  }
  expect((await load).length).toBe(9);
  expect(most).toBe(3);
});

test("starts keep their rate, and none comes after the time is up", async () => {
  const clock = new FakeClock();
  const load = runLoad({ jobs: 100, perSecond: 10, withinMs: 450, clock, job: async (index) => index });
  await clock.pass(1_000);
  expect((await load).map(({ startedMs }) => startedMs)).toEqual([0, 100, 200, 300, 400]);
});

test("how long a job took is measured", async () => {
  const clock = new FakeClock();
  const load = runLoad({ jobs: 1, clock, job: () => new Promise<void>((resolve) => void clock.after(70, resolve)) });
  await clock.pass(70);
  expect(await load).toMatchObject([{ startedMs: 0, tookMs: 70 }]);
});

test.each([
  { jobs: 100_001 },
  { jobs: -1 },
  { jobs: 1, concurrency: 0 },
  { jobs: 1, concurrency: 2_001 },
  { jobs: 1, perSecond: 0 },
])("%o is refused", async (bounds) => {
  await expect(runLoad({ ...bounds, job: async () => undefined })).rejects.toThrow(RangeError);
});

test("a percentile is one of the values", () => {
  expect([0, 0.5, 0.9, 0.99, 1].map((share) => percentile([5, 1, 4, 2, 3], share))).toEqual([1, 3, 5, 5, 5]);
  expect(percentile([], 0.5)).toBeNaN();
});
