import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { locateJsonError } from "./locate-error.ts";

const notFound = { line: 1, column: 1, problem: "the text is not JSON" };

describe("locateJsonError", () => {
  it.each([
    ['{"a":1,}', 1, 8, 'a key in double quotes is expected, but there is "}"'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, String.raw`"," or "}" is expected, but there is "\""`],
    ["{'a':1}", 1, 2, 'a key in double quotes is expected, but there is "\'"'],
    ['{"a":tru}', 1, 6, 'a value is expected, but there is "t"'],
    ['{"a":1', 1, 7, '"," or "}" is expected, but the text ends'],
    ['{"a":"x', 1, 8, "a string is not closed"],
    ['{"a":"x\ny"}', 1, 8, "a string has a control character that must be escaped"],
    [String.raw`{"a":"\x"}`, 1, 7, "a string has an escape that JSON does not know"],
    ["{} {}", 1, 4, 'nothing more is expected, but there is "{"'],
    ["[01]", 1, 3, '"," or "]" is expected, but there is "1"'],
  ])("finds what is wrong in %s", (source, line, column, problem) => {
    expect(locateJsonError(source)).toEqual({ line, column, problem });
  });

  it("finds an error in a text exactly when JSON.parse does", () => {
    const mutated = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom("", '"', "\\", "{", "]", ",", "1", "x", "\n", "\u0001"))
      .map(
        ([text, place, insert]) =>
          text.slice(0, place % (text.length + 1)) + insert + text.slice((place % (text.length + 1)) + 1),
      );
    fc.assert(
      fc.property(mutated, (source) => {
        let valid = true;
        try {
          JSON.parse(source);
        } catch {
          valid = false;
        }
        const located = locateJsonError(source);
        expect(located.problem === notFound.problem).toBe(valid);
      }),
      { numRuns: 1000 },
    );
  });

  it("reads a long string without running out of stack", () => {
    expect(locateJsonError(`{"a":"${String.raw`x\n`.repeat(500_000)}",}`).problem).toContain("a key in double quotes");
  });
});
