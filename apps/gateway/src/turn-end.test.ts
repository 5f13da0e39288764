import { describe, expect, it } from "vitest";

import { atTurnEnd, writeHeld } from "./turn-end.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("what waits for the end of a turn", () => {
  it("is written when the turn ends, in order, once", async () => {
    const written: number[] = [];
    for (const n of [1, 2, 3]) atTurnEnd(() => written.push(n));
    await Promise.resolve();
    expect(written).toEqual([]);
    await turn();
    expect(written).toEqual([1, 2, 3]);
    await turn();
    expect(written).toEqual([1, 2, 3]);
  });

  it("waits for the end of the next turn where a write of this one asks for it", async () => {
    const written: string[] = [];
    atTurnEnd(() => {
      written.push("this");
      atTurnEnd(() => written.push("next"));
    });
    await turn();
    expect(written).toEqual(["this"]);
    await turn();
    expect(written).toEqual(["this", "next"]);
  });

  it("is written before long work that asks for it, and what comes after that work at the turn's end", async () => {
    const written: string[] = [];
    atTurnEnd(() => written.push("before"));
    writeHeld();
    atTurnEnd(() => written.push("after"));
    expect(written).toEqual(["before"]);
    await turn();
    expect(written).toEqual(["before", "after"]);
  });
});
