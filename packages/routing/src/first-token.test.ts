import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { backoffMs } from "./backoff.ts";
import { firstTokenLimit, LatencyWindow } from "./first-token.ts";

const plain = { baseMs: 10_000, hiddenReasoning: false, highEffort: false, inputTokens: 0, p99Ms: null };

describe("the first-token limit", () => {
  it("is the route's own for a short prompt", () => {
    expect(firstTokenLimit(plain)).toBe(10_000);
  });

  it("is six times as long for hidden reasoning, eighteen times at high effort", () => {
    expect(firstTokenLimit({ ...plain, hiddenReasoning: true })).toBe(60_000);
    expect(firstTokenLimit({ ...plain, hiddenReasoning: true, highEffort: true })).toBe(180_000);
    expect(firstTokenLimit({ ...plain, highEffort: true })).toBe(10_000);
  });

  it("grows by a second per 2,000 tokens of input", () => {
    expect(firstTokenLimit({ ...plain, inputTokens: 100_000 })).toBe(60_000);
  });

  it("is never below three times the observed 99th percentile", () => {
    expect(firstTokenLimit({ ...plain, p99Ms: 8000 })).toBe(24_000);
    expect(firstTokenLimit({ ...plain, p99Ms: 1000 })).toBe(10_000);
  });
});

describe("observed latencies", () => {
  it("say nothing before twenty were seen", () => {
    const window = new LatencyWindow();
    for (let i = 0; i < 19; i++) window.record(100, 0);
    expect(window.p99(0)).toBeNull();
    window.record(100, 0);
    expect(window.p99(0)).toBeGreaterThanOrEqual(100);
  });

  it("give the 99th percentile within a step of the scale", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 20, maxLength: 400 }), (latencies) => {
        const window = new LatencyWindow();
        for (const ms of latencies) window.record(ms, 0);
        const sorted = latencies.toSorted((a, b) => a - b);
        const exact = sorted[sorted.length - 1 - Math.floor(sorted.length * 0.01)] ?? 0;
        expect(window.p99(0)).toBeGreaterThanOrEqual(exact);
        expect(window.p99(0)).toBeLessThanOrEqual(exact * 2 ** (1 / 8) + 1e-6);
      }),
    );
  });

  it("fade, so that a bad hour does not keep the limit up for ever", () => {
    const window = new LatencyWindow();
    for (let i = 0; i < 100; i++) window.record(60_000, 0);
    for (let i = 0; i < 1000; i++) window.record(200, 30 * 60_000);
    expect(window.p99(30 * 60_000)).toBeLessThan(250);
  });
});

it("backs off by full jitter from 250 ms, never above 8 s", () => {
  expect(backoffMs(0, () => 0.5)).toBe(125);
  expect(backoffMs(3, () => 0.5)).toBe(1000);
  fc.assert(
    fc.property(fc.nat(60), fc.double({ min: 0, max: 0.999, noNaN: true }), (retry, dice) => {
      const ms = backoffMs(retry, () => dice);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThan(Math.min(8000, 250 * 2 ** retry));
    }),
  );
});
