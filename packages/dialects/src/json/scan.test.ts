import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { JsonCursor } from "./cursor.ts";
import { skipSpace, valueEnd } from "./scan.ts";

const deepEnough = 64;

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

function isScannedJson(bytes: Buffer): boolean {
  const end = valueEnd(bytes, skipSpace(bytes, 0), deepEnough);
  return end !== -1 && skipSpace(bytes, end) === bytes.length;
}

/** JSON with some bytes put in, taken out or replaced. */
const mutated = fc
  .tuple(
    fc.oneof(
      fc.json({ maxDepth: 6 }),
      fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value, null, 2)),
    ),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(3),
        fc.constantFrom(
          "",
          '"',
          "\\",
          "\\u00e9",
          "\\u12g4",
          "\\x",
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "-",
          "0",
          "1",
          ".",
          "e",
          "E+",
          "t",
          "null",
          " ",
          "\n",
          "\u0001",
          "\u007f",
          "é",
          "\u{1f600}",
          "\u2028",
          "\ufeff",
        ),
      ),
      { maxLength: 3 },
    ),
  )
  .map(([text, changes]) =>
    changes.reduce((changed, [place, removed, insert]) => {
      const at = place % (changed.length + 1);
      return changed.slice(0, at) + insert + changed.slice(at + removed);
    }, text),
  )
  .map((text) => Buffer.from(text));

describe("a scan of JSON", () => {
  it("finds exactly that to be JSON which can be parsed", () => {
    fc.assert(
      fc.property(mutated, (bytes) => {
        expect(isScannedJson(bytes)).toBe(isJson(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  it("agrees on any bytes, also on those that are no UTF-8", () => {
    const piece = fc.constantFrom(
      0x22,
      0x22,
      0x5c,
      0x7b,
      0x7d,
      0x5b,
      0x5d,
      0x2c,
      0x3a,
      0x30,
      0x31,
      0x2d,
      0x2e,
      0x65,
      0x20,
      0x00,
      0x1f,
      0x80,
      0xc3,
      0xff,
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (list) => {
        const bytes = Buffer.from(list);
        expect(isScannedJson(bytes)).toBe(isJson(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    "01",
    "1.",
    "-",
    "+1",
    ".5",
    "1e",
    "1e+",
    "--1",
    "0x1",
    "1 2",
    "nul",
    "nulL",
    "True",
    '"\t"',
    '"\\',
    '"\\u12',
    "[1,]",
    "{,}",
    '{"a"}',
    '{"a":}',
    "",
    " ",
  ])("refuses %j", (text) => {
    expect(isScannedJson(Buffer.from(text))).toBe(false);
  });

  it("agrees on long strings, wherever they lie in memory", () => {
    const piece = fc.oneof(
      fc.nat(150).map((length) => "x".repeat(length)),
      fc.constantFrom("\\n", String.raw`\"`, "\\\\", String.raw`\u00e9`, "é", "\u{1f600}", "\u007f"),
      { weight: 1, arbitrary: fc.constantFrom("\u0001", '"', "\\", String.raw`\u12`, "\n") },
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.nat(7), fc.boolean(), (pieces, offset, closed) => {
        const text = `["${pieces.join("")}${closed ? '"]' : ""}`;
        const memory = Buffer.alloc(offset + Buffer.byteLength(text) + 9, '"');
        const bytes = memory.subarray(offset, offset + memory.write(text, offset));
        expect(isScannedJson(bytes)).toBe(isJson(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  it("ends at the depth it is given", () => {
    expect(valueEnd(Buffer.from("[[[]]]"), 0, 3)).toBe(6);
    expect(valueEnd(Buffer.from("[[[]]]"), 0, 2)).toBe(-1);
    expect(valueEnd(Buffer.from("[".repeat(1_000_000)), 0, 64)).toBe(-1);
  });
});

/** Everything that a cursor can see, as the parsed document would have it; undefined where it gives up. */
function throughCursor(bytes: Buffer): unknown {
  const cursor = new JsonCursor(bytes);
  const value = readValue(cursor);
  return cursor.whole() ? value : undefined;
}

function readValue(cursor: JsonCursor): unknown {
  if (cursor.enter("[")) {
    const items: unknown[] = [];
    while (cursor.item()) items.push(readValue(cursor));
    return items;
  }
  if (cursor.enter("{")) {
    const members: Record<string, unknown> = {};
    while (cursor.member()) {
      const known = ["a", "b", "cc"].find((name) => cursor.keyIs(name)) ?? "other";
      members[known] = readValue(cursor);
    }
    return members;
  }
  return cursor.count() ?? "scalar";
}

/** The same of the parsed document. */
function seen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(seen);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [["a", "b", "cc"].includes(key) ? key : "other", seen(item)]),
    );
  }
  return Number.isInteger(value) && !Object.is(value, -0) && Number(value) >= 0 && Number(value) < 1e15
    ? value
    : "scalar";
}

describe("a cursor over JSON", () => {
  const key = fc.constantFrom("a", "b", "cc", "c", "abc", "日本", "__proto__");
  const scalar = fc.oneof(
    fc.nat(),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
  );
  const { document } = fc.letrec((tie) => ({
    document: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.array(tie("document"), { maxLength: 4 }),
      fc.dictionary(key, tie("document"), { maxKeys: 4 }),
    ),
  }));

  it("sees what parsing the document gives", () => {
    fc.assert(
      fc.property(document, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(throughCursor(Buffer.from(text))).toEqual(seen(JSON.parse(text)));
      }),
      { numRuns: 1000 },
    );
  });

  it("never calls whole what cannot be parsed", () => {
    fc.assert(
      fc.property(mutated, (bytes) => {
        expect(throughCursor(bytes) === undefined || isJson(bytes)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it("leaves a key with an escape to a parser", () => {
    expect(throughCursor(Buffer.from(String.raw`{"\u0061":1}`))).toBeUndefined();
  });

  it("is not whole before everything was gone through", () => {
    const cursor = new JsonCursor(Buffer.from('{"a":[1,2]} '));
    expect(cursor.whole()).toBe(false);
    expect([cursor.enter("["), cursor.enter("{"), cursor.member(), cursor.keyIs("a"), cursor.keyIs("b")]).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
    cursor.skip();
    expect(cursor.whole()).toBe(false);
    expect(cursor.member()).toBe(false);
    expect(cursor.whole()).toBe(true);
  });
});
