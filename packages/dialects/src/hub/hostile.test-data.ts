import fc from "fast-check";

const depth = 200_000;
/** What stands where something else was expected, as JSON: what JSON.stringify can't write is in it, too. */
export const hostile = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(
      "null",
      "true",
      "[]",
      "{}",
      '""',
      "0",
      "-1",
      "0.5",
      "1e9",
      "9007199254740993",
      "-0",
      "1e999",
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '{"__proto__":{"index":0,"text":"x"}}',
      '["constructor"]',
      '"__proto__"',
      "[[null]]",
      "[{}]",
    ),
  },
  { weight: 3, arbitrary: fc.json({ maxDepth: 3 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      `${"[".repeat(depth)}${"]".repeat(depth)}`,
      `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
    ),
  },
);

/** Every place of a JSON text where a value stands. */
export function valuesIn(data: string): readonly (readonly [start: number, end: number])[] {
  return [...data.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\{\}|\[\]/g)].map((match) => [
    match.index,
    match.index + match[0].length,
  ]);
}
