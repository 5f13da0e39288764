import { describe, expect, it } from "vitest";

import { parseAutocannonOutput, parseWrkOutput } from "./load.ts";

describe("what the load generators report", () => {
  it("is wrk's line of JSON among its other output", () => {
    const output = [
      "Running 4s test @ http://127.0.0.1:1/",
      "  1 threads and 16 connections",
      'BENCH {"requests":1200,"failures":1,"timeouts":0,"seconds":4.001,"p50Ms":1.000,"p99Ms":2.000}',
      "",
    ].join("\n");
    expect(parseWrkOutput(output)).toMatchObject({ requests: 1200, failures: 1, timeouts: 0, seconds: 4.001 });
    expect(() => parseWrkOutput("unable to connect")).toThrow("unable to connect");
  });

  it("counts autocannon's time-outs once, though it counts them as errors too", () => {
    const output = JSON.stringify({ requests: { total: 90 }, errors: 3, timeouts: 2, non2xx: 4, duration: 4.02 });
    expect(parseAutocannonOutput(output)).toEqual({ requests: 90, failures: 5, timeouts: 2, seconds: 4.02 });
  });
});
