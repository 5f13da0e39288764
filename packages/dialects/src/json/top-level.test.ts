import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { setMember, splice } from "./splice.ts";
import { scanTopLevel } from "./top-level.ts";

function scanned(text: string): Extract<ReturnType<typeof scanTopLevel>, { kind: "object" }> {
  const found = scanTopLevel(Buffer.from(text), 128);
  if (found.kind !== "object") throw new Error(`${found.kind}: ${text}`);
  return found;
}

function valuesIn(text: string): [string, string][] {
  const body = Buffer.from(text);
  return scanned(text).members.map(({ key, start, end }) => [key, body.toString("utf8", start, end)]);
}

function setIn(text: string, key: string, value: unknown): string {
  return splice(Buffer.from(text), setMember(scanned(text), key, JSON.stringify(value))).toString("utf8");
}

/** `JSON.stringify`, with white space wherever JSON allows it. */
function spaced(value: unknown, space: string): string {
  if (Array.isArray(value))
    return `[${space}${value.map((item) => spaced(item, space)).join(`${space},${space}`)}${space}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}${space}:${space}${spaced(item, space)}`,
  );
  return `${space}{${space}${members.join(`${space},${space}`)}${space}}${space}`;
}

describe("scanTopLevel", () => {
  it("finds each member's value without the white space around it", () => {
    expect(valuesIn(' { "a" : 1 ,"b":"x,}" , "c" :\n[1, {"a":2}] , "d": {} , "e":null}')).toEqual([
      ["a", "1"],
      ["b", '"x,}"'],
      ["c", '[1, {"a":2}]'],
      ["d", "{}"],
      ["e", "null"],
    ]);
  });

  it("is not misled by escaped quotes, near or far", () => {
    for (const filler of ["", "x".repeat(20), "x".repeat(31), "x".repeat(100), '\\"'.repeat(40), "\\\\".repeat(40)]) {
      const value = `"${filler}\\\\\\"model\\": ${filler}\\\\"`;
      expect(valuesIn(`{"a":${value},"model":"m"}`)).toEqual([
        ["a", value],
        ["model", '"m"'],
      ]);
    }
  });

  it("finds no member inside a string that holds JSON, wherever its quotes are", () => {
    for (let length = 0; length < 80; length++) {
      const value = JSON.stringify(`${"x".repeat(length)}","model":"inner","b":"${"y".repeat(length)}\\`);
      expect(valuesIn(`{"a":${value},"model":"m"}`)).toEqual([
        ["a", value],
        ["model", '"m"'],
      ]);
    }
  });

  it("decodes escaped keys and keeps every occurrence of one", () => {
    expect(valuesIn(String.raw`{"\u006dodel":1,"model":2,"__proto__":3}`)).toEqual([
      ["model", "1"],
      ["model", "2"],
      ["__proto__", "3"],
    ]);
  });

  it("bounds the nesting of objects and arrays, also of an array at the top", () => {
    const nested = (depth: number): string => `${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}`;
    expect(scanTopLevel(Buffer.from(`{"a":${nested(128)}}`), 128).kind).toBe("object");
    expect(scanTopLevel(Buffer.from(`{"a":${nested(129)}}`), 128)).toEqual({ kind: "too_deep", offset: 5 + 127 });
    expect(scanTopLevel(Buffer.from("[".repeat(200)), 128)).toEqual({ kind: "too_deep", offset: 128 });
    expect(scanTopLevel(Buffer.from(`{"a":"${"[".repeat(200)}"}`), 128).kind).toBe("object");
  });

  it("says of anything else that it is no object", () => {
    for (const text of ["", " ", "1", '"{}"', "[1]", "{", '{"a', '{"a":"b']) {
      expect(scanTopLevel(Buffer.from(text), 128).kind).toBe("not_object");
    }
  });

  it("ends on any bytes", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'{ } [ ] " , : \\ a 1'.split(" "), " "), maxLength: 60 }),
        (text) => {
          expect(["object", "not_object", "too_deep"]).toContain(scanTopLevel(Buffer.from(text), 8).kind);
        },
      ),
    );
  });
});

describe("setMember", () => {
  const key = fc.oneof(fc.constantFrom("model", "__proto__", "constructor", "a", "", 'q"u\\ote', "日本"), fc.string());
  const object = fc.dictionary(key, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });

  it("does what setting the key on the parsed object does", () => {
    fc.assert(
      fc.property(object, key, fc.jsonValue(), fc.constantFrom("", " ", "\n\t"), (value, key, next, space) => {
        const text = spaced(value, space);
        const expected: unknown = Object.defineProperty(JSON.parse(text), key, {
          value: JSON.parse(JSON.stringify(next)),
          enumerable: true,
          configurable: true,
          writable: true,
        });
        expect(JSON.parse(setIn(text, key, next))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it("leaves every byte outside the values alone", () => {
    fc.assert(
      fc.property(object, fc.jsonValue(), (value, next) => {
        const text = spaced({ ...value, model: "old" }, " ");
        const { members } = scanned(text);
        const member = members.find(({ key }) => key === "model");
        const before = Buffer.from(text);
        const after = setIn(text, "model", next);
        const head = before.toString("utf8", 0, member?.start);
        const tail = before.toString("utf8", member?.end);
        expect(after).toBe(head + JSON.stringify(next) + tail);
      }),
    );
  });

  it("changes every occurrence, since parsers differ in which one counts", () => {
    expect(setIn('{"model":"a","x":1,"model":{"b":2}}', "model", "new")).toBe('{"model":"new","x":1,"model":"new"}');
  });

  it("adds a missing member, also to an empty object", () => {
    expect(setIn('{ "a":1}', "b", true)).toBe('{"b":true, "a":1}');
    expect(setIn("{}", "b", true)).toBe('{"b":true}');
  });
});
