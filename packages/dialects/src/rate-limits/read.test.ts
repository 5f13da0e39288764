import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { anthropicRateLimits, openaiRateLimits } from "./headers.ts";
import { readRateLimits, readReset } from "./read.ts";
import type { AnswerHeaders } from "./read.ts";

const wall = Date.UTC(2026, 10, 22, 12, 0, 0);
const both = [openaiRateLimits, anthropicRateLimits];
const read = (headers: AnswerHeaders) => readRateLimits(both, headers, wall);

describe("the budgets that an answer tells of", () => {
  it("are OpenAI's requests and tokens", () => {
    expect(
      read({
        "x-ratelimit-limit-requests": "5000",
        "x-ratelimit-remaining-requests": "4999",
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-limit-tokens": "160000",
        "x-ratelimit-remaining-tokens": "159976",
        "x-ratelimit-reset-tokens": "6m0s",
      }),
    ).toEqual({
      refill: "continuous",
      requests: { remaining: 4999, limit: 5000, resetMs: 12 },
      tokens: { remaining: 159_976, limit: 160_000, resetMs: 360_000 },
      inputTokens: null,
      outputTokens: null,
    });
  });

  it("are Anthropic's requests, input tokens and output tokens", () => {
    expect(
      read({
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-11-22T12:00:30Z",
        "anthropic-ratelimit-input-tokens-limit": "40000",
        "anthropic-ratelimit-input-tokens-remaining": "39000",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-22T11:59:00Z",
        "anthropic-ratelimit-output-tokens-remaining": "8000",
        "anthropic-ratelimit-tokens-remaining": "8000",
      }),
    ).toEqual({
      refill: "continuous",
      requests: { remaining: 0, limit: 50, resetMs: 30_000 },
      tokens: null,
      inputTokens: { remaining: 39_000, limit: 40_000, resetMs: 0 },
      outputTokens: { remaining: 8000, limit: null, resetMs: null },
    });
  });

  it("are none where Azure does not know them", () => {
    const unknown = {
      "x-ratelimit-remaining-requests": "79",
      "x-ratelimit-limit-tokens": "-1",
      "x-ratelimit-remaining-tokens": "-1",
      "x-ratelimit-reset-tokens": "0",
    };
    expect(read(unknown)).toMatchObject({ requests: { remaining: 79, limit: null, resetMs: null }, tokens: null });
    expect(read({ ...unknown, "x-ratelimit-remaining-requests": "-1" })).toBeNull();
  });

  it.each<AnswerHeaders>([
    {},
    { "x-ratelimit-remaining-requests": "" },
    { "x-ratelimit-remaining-requests": "NaN" },
    { "x-ratelimit-remaining-requests": "Infinity" },
    { "x-ratelimit-remaining-requests": "-5" },
    { "x-ratelimit-remaining-requests": "1e400" },
    { "x-ratelimit-remaining-requests": "3 apples" },
    { "x-ratelimit-remaining-requests": ["1", "2"] },
    { "x-ratelimit-remaining-requests": "0", "x-ratelimit-limit-requests": "0" },
    { "x-ratelimit-remaining-tokens": "5" },
  ])("are none in %j", (headers) => {
    expect(read(headers)).toBeNull();
  });
});

describe("a reset", () => {
  it.each([
    ["12ms", 12],
    ["6m0s", 360_000],
    ["2m59.56s", 179_560],
    ["1h0m1s", 3_601_000],
    ["1d2h", 93_600_000],
    ["55", 55_000],
    ["0", 0],
    [String(wall / 1000 + 20), 20_000],
    [String(wall + 20), 20],
    ["2026-11-22T12:00:01.500Z", 1500],
    ["2026-11-22T14:00:02+02:00", 2000],
    ["2026-11-22T11:00:00Z", 0],
  ])("of %s is in %d ms", (text, ms) => {
    expect(readReset(text, wall)).toBeCloseTo(ms, 6);
  });

  it.each(["", "soon", "-1", "-6s", "6x", "1.2.3s", "ms", "6m 0s", "2026-99-99T00:00:00Z", "9".repeat(41)])(
    "is not there in %j",
    (text) => {
      expect(readReset(text, wall)).toBeNull();
    },
  );
});

it("gives sensible numbers or none, and never throws, for any headers", () => {
  const names = both.flatMap((family) =>
    [family.requests, family.tokens, family.inputTokens, family.outputTokens].flatMap((budget) =>
      budget === null ? [] : [budget.remaining, budget.limit, budget.reset],
    ),
  );
  const piece = fc.constantFrom(
    "",
    "-",
    "0",
    "1",
    "9",
    ".",
    "e",
    "m",
    "s",
    "ms",
    "h",
    "d",
    ":",
    "T",
    "Z",
    "Infinity",
    "NaN",
    " ",
  );
  const text = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.double().map(String),
    fc.array(piece).map((all) => all.join("")),
  );
  const value = fc.oneof(text, fc.array(text), fc.constant(undefined));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value), (headers) => {
      const limits = read(headers);
      const budgets = [limits?.requests, limits?.tokens, limits?.inputTokens, limits?.outputTokens];
      const numbers = budgets.flatMap((budget) =>
        budget === null || budget === undefined ? [] : [budget.remaining, budget.limit ?? 1, budget.resetMs ?? 0],
      );
      expect(numbers.every((number) => Number.isFinite(number) && number >= 0)).toBe(true);
      expect(budgets.some((budget) => budget?.limit === 0)).toBe(false);
    }),
    { numRuns: 2000 },
  );
});
