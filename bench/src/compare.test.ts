import { describe, expect, it } from "vitest";

import { type Finding, medianRatio, renderFindings } from "./compare.ts";

const finding = (title: string, roundsUs: number[], invalid: string | null = null): Finding => ({
  title,
  roundsUs,
  sameness: "same bytes",
  invalid,
});

describe("medianRatio", () => {
  it("compares within each round, so that a slow minute of the machine cancels out", () => {
    expect(medianRatio([30, 300, 33], [10, 100, 11])).toBe(3);
  });

  it("is no number without common rounds", () => {
    expect(medianRatio([], [1, 2])).toBeNaN();
  });
});

describe("renderFindings", () => {
  it("measures against the first row, and bare Node", () => {
    const table = renderFindings([finding("HAProxy", [10, 12]), finding("bare Node + undici", [20, 24])], null);
    expect(table).toContain("to HAProxy");
    expect(table.split("\n")[3]).toMatch(/bare Node \+ undici \| +2\.00× \| +1\.00× \| +22\.0 \| 20\.0 to 24\.0/);
  });

  it("gives an invalid row no numbers and never makes it the floor", () => {
    const table = renderFindings([finding("HAProxy", [10], "status 503"), finding("nginx", [15])], 63);
    expect(table.split("\n")[0]).toContain("to nginx");
    expect(table.split("\n")[2]).toMatch(/HAProxy \|( +– \|){4} – +\| invalid: status 503/);
    expect(table.split("\n")[3]).toContain("0.24");
  });
});
