import { describe, expect, it } from "vitest";

import { streamsWithin } from "./streams.ts";

describe("streamsWithin", () => {
  it("counts two sockets for each stream and leaves the gateway some files", () => {
    expect(streamsWithin(20_000, 10_000)).toBe(9900);
    expect(streamsWithin(1_000_000, 10_000)).toBe(10_000);
    expect(streamsWithin(Number.POSITIVE_INFINITY, 10_000)).toBe(10_000);
    expect(streamsWithin(100, 10_000)).toBe(0);
  });
});
