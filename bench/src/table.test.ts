import { describe, expect, it } from "vitest";

import { columns, figure, ratio, renderTable } from "./table.ts";

describe("renderTable", () => {
  it("pads every cell and marks the alignment", () => {
    expect(
      renderTable(columns("gateway", ">µs"), [
        ["HAProxy", "12.7"],
        ["bare Node", "129"],
      ]),
    ).toBe(["| gateway   |   µs |", "| --------- | ---: |", "| HAProxy   | 12.7 |", "| bare Node |  129 |"].join("\n"));
  });

  it("keeps a cell in its place when it holds a pipe or a line end", () => {
    const table = renderTable(columns("a", "b"), [["x|y\n z", "2"]]);
    expect(table.split("\n")).toHaveLength(3);
    expect(table).toContain("| x\\|y z | 2   |");
  });

  it("leaves missing cells empty", () => {
    expect(renderTable(columns("a", "b"), [["1"]]).split("\n")[2]).toBe("| 1   |     |");
  });
});

describe("figures", () => {
  it("keep three digits at most before they drop the fraction", () => {
    expect([0.1234, 9.876, 12.34, 468.2, 12_345.6].map((value) => figure(value))).toEqual([
      "0.12",
      "9.88",
      "12.3",
      "468",
      "12346",
    ]);
  });

  it("say when there is no number", () => {
    expect(figure(Number.NaN)).toBe("–");
    expect(ratio(Number.NaN)).toBe("–");
    expect(ratio(3.456)).toBe("3.46×");
  });
});
