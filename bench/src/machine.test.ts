import { describe, expect, it } from "vitest";

import { parseCpuModel } from "./machine.ts";

describe("parseCpuModel", () => {
  it("takes the first processor's name", () => {
    const cpuinfo =
      "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7B13\n\nprocessor\t: 1\nmodel name\t: other\n";
    expect(parseCpuModel(cpuinfo)).toBe("AMD EPYC 7B13");
  });

  it("says so when the kernel does not tell", () => {
    expect(parseCpuModel("Hardware : board\n")).toBe("unknown processor");
  });
});
