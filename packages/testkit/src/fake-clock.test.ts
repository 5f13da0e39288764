import fc from "fast-check";
import { expect, test } from "vitest";

import { FakeClock } from "./fake-clock.ts";

test("time stands still until it is moved", () => {
  const clock = new FakeClock(500);
  expect([clock.now(), clock.wall()]).toEqual([500, 500]);
  clock.advance(20);
  expect([clock.now(), clock.wall()]).toEqual([520, 520]);
});

test("timers run in the order of their moments, those of one moment as they were set", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 })), (delays) => {
      const clock = new FakeClock(0);
      const ran: { delay: number; index: number; at: number }[] = [];
      for (const [index, delay] of delays.entries()) {
        clock.after(delay, () => ran.push({ delay, index, at: clock.now() }));
      }
      clock.advance(30);
      const expected = delays
        .map((delay, index) => ({ delay, index, at: delay }))
        .sort((a, b) => a.delay - b.delay || a.index - b.index);
      expect(ran).toEqual(expected);
      expect(clock.pending).toBe(0);
    }),
  );
});

test("a timer is not run before its moment, and only once", () => {
  const clock = new FakeClock();
  let runs = 0;
  clock.after(10, () => runs++);
  clock.advance(9);
  expect(runs).toBe(0);
  clock.advance(1);
  clock.advance(100);
  expect(runs).toBe(1);
});

test("a timer that is set by a timer runs in the same advance when it falls due", () => {
  const clock = new FakeClock(0);
  const at: number[] = [];
  const again = (): void => {
    at.push(clock.now());
    clock.after(10, again);
  };
  clock.after(10, again);
  clock.advance(35);
  expect(at).toEqual([10, 20, 30]);
  expect(clock.now()).toBe(35);
});

test("a cancelled timer does not run, and cancelling twice or late does nothing", () => {
  const clock = new FakeClock();
  const ran: string[] = [];
  const first = clock.after(5, () => ran.push("first"));
  const second = clock.after(5, () => ran.push("second"));
  first.cancel();
  first.cancel();
  clock.advance(5);
  second.cancel();
  expect(ran).toEqual(["second"]);
});

test("a timer may cancel another of the same moment", () => {
  const clock = new FakeClock();
  let ran = false;
  clock.after(5, () => other.cancel());
  const other = clock.after(5, () => {
    ran = true;
  });
  clock.advance(5);
  expect(ran).toBe(false);
});

test("pass lets code that awaits go from timer to timer", async () => {
  const clock = new FakeClock(0);
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const at: number[] = [];
  const work = (async () => {
    for (let round = 0; round < 3; round++) {
      await sleep(10);
      at.push(clock.now());
    }
  })();
  await clock.pass(30);
  await work;
  expect(at).toEqual([10, 20, 30]);
});

test("the wall clock tells whole milliseconds, as the machine's does", () => {
  const clock = new FakeClock(500);
  clock.advance(0.75);
  expect([clock.now(), clock.wall()]).toEqual([500.75, 500]);
});

test("the wall clock jumps alone", () => {
  const clock = new FakeClock(1000);
  let ran = false;
  clock.after(10, () => {
    ran = true;
  });
  clock.jumpWall(-3_600_000);
  expect([clock.now(), clock.wall(), ran]).toEqual([1000, -3_599_000, false]);
});

test("time does not go back", () => {
  const clock = new FakeClock();
  expect(() => clock.advance(-1)).toThrow(RangeError);
  expect(() => clock.advance(Number.NaN)).toThrow(RangeError);
});
