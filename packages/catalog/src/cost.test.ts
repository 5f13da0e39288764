import { describe, expect, it } from "vitest";

import { costUsd } from "./cost.ts";

const usage = {
  input_tokens: 1000,
  cached_input_tokens: 300,
  cache_write_tokens: 200,
  output_tokens: 100,
  reasoning_tokens: 0,
  source: "provider",
} as const;

describe("what an answer costs", () => {
  it("charges what was read from and written to the cache at prices of their own", () => {
    const price = { input: 3, output: 15, cachedInput: 0.3, cacheWrite: 3.75 };
    expect(costUsd(price, usage)).toBeCloseTo((500 * 3 + 300 * 0.3 + 200 * 3.75 + 100 * 15) / 1e6, 12);
  });

  it("charges twice the input for what was written for an hour", () => {
    const price = { input: 3, output: 15, cachedInput: 0.3, cacheWrite: 3.75 };
    const hour = { ...usage, cache_write_1h_tokens: 150 };
    expect(costUsd(price, hour)).toBeCloseTo((500 * 3 + 300 * 0.3 + 50 * 3.75 + 150 * 6 + 100 * 15) / 1e6, 12);
    expect(costUsd({ input: 3, output: 15 }, hour)).toBeCloseTo((1000 * 3 + 100 * 15) / 1e6, 12);
  });

  it("charges both as input where the deployment has no such prices", () => {
    expect(costUsd({ input: 3, output: 15 }, usage)).toBeCloseTo((1000 * 3 + 100 * 15) / 1e6, 12);
  });

  it("never charges more input than there was", () => {
    const odd = { ...usage, cached_input_tokens: 900, cache_write_tokens: 900, cache_write_1h_tokens: 5000 };
    const price = { input: 1, output: 0, cachedInput: 1, cacheWrite: 1 };
    expect(costUsd(price, odd)).toBeCloseTo((900 + 100 * 2) / 1e6, 12);
  });
});
