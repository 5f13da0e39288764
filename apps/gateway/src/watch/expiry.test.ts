import {
  responseSweepRows,
  sweepRows,
  type IdempotencyRecords,
  type ResponseRecords,
  type SweepRequest,
  type SweepResult,
} from "@tuloy/store";
import { FakeClock, turn } from "@tuloy/testkit";
import { expect, it } from "vitest";

import { Expiry } from "./expiry.ts";

function sweeping(...results: (SweepResult | Error)[]): {
  readonly records: IdempotencyRecords;
  readonly responses: Pick<ResponseRecords, "sweep">;
  readonly asked: SweepRequest[];
} {
  const asked: SweepRequest[] = [];
  const unused = (): never => {
    throw new Error("only sweeps are expected");
  };
  const sweep = (request: SweepRequest): Promise<SweepResult> => {
    asked.push(request);
    const result = results.shift() ?? { deleted: 0, emptied: 0 };
    return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
  };
  return {
    responses: { sweep: () => Promise.resolve(0) },
    records: { claim: unused, finish: unused, release: unused, sweep },
    asked,
  };
}

it("deletes at the start until nothing is left to delete, and every minute from then on, until it is stopped", async () => {
  const clock = new FakeClock(5000);
  const { records, responses, asked } = sweeping(
    { deleted: sweepRows, emptied: 0 },
    { deleted: 3, emptied: sweepRows },
    { deleted: 0, emptied: 3 },
    new Error("tuloy.db is locked"),
    { deleted: 1, emptied: 1 },
  );
  const expiry = new Expiry({ records, responses, clock });
  expiry.start();
  await turn();
  expect(asked.map(({ now }) => now)).toEqual([5000, 5000, 5000]);
  await clock.pass(120_000);
  expect(asked.map(({ now }) => now)).toEqual([5000, 5000, 5000, 65_000, 125_000]);
  expect(new Set(asked.map(({ maxBytes }) => maxBytes))).toEqual(new Set([1024 ** 3]));
  expiry.stop();
  await clock.pass(600_000);
  expect(asked).toHaveLength(5);
  expect(clock.pending).toBe(0);
});

it("does not begin a round while one is not done", async () => {
  const clock = new FakeClock();
  const { records, responses, asked } = sweeping();
  const slow = Promise.withResolvers<SweepResult>();
  const expiry = new Expiry({
    records: { ...records, sweep: (request) => (asked.push(request), slow.promise) },
    responses,
    clock,
  });
  expiry.start();
  await clock.pass(600_000);
  expect(asked).toHaveLength(1);
  slow.resolve({ deleted: 0, emptied: 0 });
  await clock.pass(60_000);
  expect(asked).toHaveLength(2);
  expiry.stop();
});

it("deletes records of responses that are over, until nothing is left to delete", async () => {
  const clock = new FakeClock(5000);
  const { records } = sweeping();
  const swept: number[] = [];
  const left = [responseSweepRows, 2, 0];
  const sweep = (now: number): Promise<number> => (swept.push(now), Promise.resolve(left.shift() ?? 0));
  const expiry = new Expiry({ records, responses: { sweep }, clock });
  expiry.start();
  await clock.pass(60_000);
  expiry.stop();
  expect(swept).toEqual([5000, 5000, 65_000]);
});
