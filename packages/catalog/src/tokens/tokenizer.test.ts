import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { countSlices, loadTokenizer, tokenizers, type CountTokens } from "./tokenizer.ts";

const english = "The quick brown fox jumps over the lazy dog, and nobody minds. ";

describe.each(tokenizers)("the tokenizer %s", (name) => {
  let count: CountTokens;
  beforeAll(async () => {
    count = await loadTokenizer(name);
  });

  it("counts as OpenAI does", () => {
    expect(count("")).toBe(0);
    expect(count("hello world")).toBe(2);
    expect(count("tiktoken is great!")).toBe(6);
  });

  it("takes what looks like a control token for text", () => {
    expect(count("<|endoftext|>")).toBeGreaterThan(1);
  });

  it("ends soon on runs that other counters take minutes for", () => {
    expect(count("a".repeat(2_000_000))).toBeGreaterThan(100_000);
  });
});

describe("counting by slices", () => {
  it("sees every character of a text up to 64 K, once", () => {
    fc.assert(
      fc.property(fc.nat(65_536), (length) => {
        const text = english.repeat(1100).slice(0, length);
        let seen = "";
        const counted = countSlices(text, (slice) => {
          expect(slice.length).toBeLessThanOrEqual(1024);
          seen += slice;
          return slice.length;
        });
        expect(seen).toBe(text);
        expect(counted).toBe(length);
      }),
      { numRuns: 50 },
    );
  });

  it("judges a longer text by 64 slices of it", () => {
    let slices = 0;
    const text = "a".repeat(500_000) + "b".repeat(500_000);
    const counted = countSlices(text, (slice) => {
      slices += 1;
      return slice.startsWith("a") ? slice.length : 0;
    });
    expect(slices).toBe(64);
    expect(counted).toBeGreaterThan(480_000);
    expect(counted).toBeLessThan(520_000);
  });
});
