import fc from "fast-check";
import { expect, test } from "vitest";

import { FaultSwitch } from "./fault-switch.ts";
import { faultNamed, parseFault, sandboxFaults } from "./faults.ts";
import type { SandboxFaultName } from "./faults.ts";

const names = Object.keys(sandboxFaults) as SandboxFaultName[];

test.each(names)("%s is described in a sentence, and read by its name", (name) => {
  expect(sandboxFaults[name].description).toMatch(/^[A-Z].{15,}\.$/);
  expect(parseFault(name)).toEqual(faultNamed(name));
});

test("a number after a colon is the parameter, where the fault takes one", () => {
  expect(parseFault("stall:12")).toEqual({ name: "stall", tokens: 12 });
  expect(parseFault("cut:0")).toEqual({ name: "cut", tokens: 0 });
  expect(parseFault(" slow-first-token:500 ")).toEqual({ name: "slow-first-token", ms: 500 });
  expect(parseFault("429:1500")).toEqual({ name: "429", ms: 1500 });
  expect(parseFault("503:1")).toBeNull();
});

test("no other text is a fault, whatever it is", () => {
  expect(["constructor", "__proto__", "stall:", "stall:-1", "stall:x", "", "STALL"].map(parseFault)).toEqual(
    Array.from({ length: 7 }, () => null),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const fault = parseFault(text);
      expect(fault === null || names.includes(fault.name)).toBe(true);
    }),
  );
});

test("a share of the requests is struck, as the random numbers fall", () => {
  const numbers = [0.1, 0.3, 0.29, 0.9];
  const faults = new FaultSwitch(() => numbers.shift() ?? 1);
  faults.set({ name: "503" }, { share: 0.3 });
  expect(Array.from({ length: 4 }, () => faults.next()?.name)).toEqual(["503", undefined, "503", undefined]);
});

test("a fault with a count ends by itself; spared requests are not counted", () => {
  const numbers = [0.9, 0.1, 0.9, 0.1, 0.1];
  const faults = new FaultSwitch(() => numbers.shift() ?? 0);
  faults.set({ name: "503" }, { share: 0.5, count: 2 });
  expect(Array.from({ length: 5 }, () => faults.next()?.name)).toEqual([undefined, "503", undefined, "503", undefined]);
  expect(faults.fault).toBeNull();
});

test.each([{ share: -0.1 }, { share: 1.1 }, { share: Number.NaN }, { count: 0 }])("the scope %o is none", (scope) => {
  const faults = new FaultSwitch(() => 0);
  expect(() => faults.set({ name: "503" }, scope)).toThrow(RangeError);
});

test("refuse takes no scope, since a server that is gone is gone for everyone", () => {
  const faults = new FaultSwitch(() => 0);
  expect(() => faults.set({ name: "refuse" }, { share: 0.5 })).toThrow(RangeError);
  expect(() => faults.set({ name: "refuse" }, { count: 3 })).toThrow(RangeError);
});
