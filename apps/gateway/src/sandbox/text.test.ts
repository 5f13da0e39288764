import fc from "fast-check";
import { expect, test } from "vitest";

import { answerPieces, estimateTokens, longestAnswer, seededRandom } from "./text.ts";

test("the answer to a prompt is always the same, and differs from another's", () => {
  expect(answerPieces("user: hi")).toEqual(answerPieces("user: hi"));
  expect(answerPieces("user: hi").join("")).not.toBe(answerPieces("user: ho").join(""));
});

test("an answer is whole sentences that say that they are simulated and name no model", () => {
  fc.assert(
    fc.property(fc.string(), (prompt) => {
      const pieces = answerPieces(prompt);
      expect(pieces.length).toBeGreaterThanOrEqual(40);
      expect(pieces.length).toBeLessThan(150);
      const text = pieces.join("");
      expect(text).toMatch(/^This answer is simulated\.( [A-Z][a-z ]+\.)+$/);
      expect(text).not.toMatch(/gpt|claude|gemini|llama|mistral|qwen|deepseek|grok|sonnet|opus|haiku/i);
    }),
  );
});

test("a length is kept to within a sentence, and bounded", () => {
  for (const length of [1, 10, 500]) {
    const pieces = answerPieces("x", length).length;
    expect(pieces).toBeGreaterThanOrEqual(length);
    expect(pieces).toBeLessThan(length + 30);
  }
  expect(answerPieces("x", Number.POSITIVE_INFINITY).length).toBeLessThan(longestAnswer + 30);
});

test("seeded numbers are from 0 to 1, and spread", () => {
  const random = seededRandom("seed");
  const numbers = Array.from({ length: 10_000 }, random);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  expect(mean).toBeCloseTo(0.5, 1);
  expect(new Set(numbers).size).toBeGreaterThan(9_900);
});

test("tokens are estimated at four characters each, and never none", () => {
  expect([estimateTokens(""), estimateTokens("abcd"), estimateTokens("abcde")]).toEqual([1, 1, 2]);
});
