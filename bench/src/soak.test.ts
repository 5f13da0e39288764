import { describe, expect, it } from "vitest";

import { afterWarmUp } from "./soak.ts";

describe("afterWarmUp", () => {
  const samples = [0, 0.1, 0.5, 1, 5, 10].map((x) => ({ x, y: 100 }));
  const minutesKept = (minutes: number) => afterWarmUp(samples, minutes).map(({ x }) => x);

  it("leaves out a fifth of a short run and a minute of a long one", () => {
    expect(minutesKept(1)).toEqual([0.5, 1, 5, 10]);
    expect(minutesKept(60)).toEqual([1, 5, 10]);
  });
});
