import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { stripMembers, type ScannedObject } from "./strip.ts";
import { setMember, splice } from "./splice.ts";
import { scanTopLevel } from "./top-level.ts";

function scanned(text: string): ScannedObject {
  const body = Buffer.from(text);
  const found = scanTopLevel(body, 128);
  if (found.kind !== "object") throw new Error(`${found.kind}: ${text}`);
  return { body, members: found.members, bodyStart: found.bodyStart };
}

const stripIn = (text: string, ...keys: string[]): string =>
  stripMembers(scanned(text), (key) => keys.includes(key)).body.toString();

/** Members as texts, each with white space of its own around it; a key can come twice. */
const space = fc.constantFrom("", " ", "\n\t", "  ");
const key = fc.constantFrom("model", "provider", "models", "messages", "__proto__", "a,b", 'q"{', "é");
const memberText = fc
  .tuple(key, fc.jsonValue({ maxDepth: 2 }), space, space, space, space)
  .map(([name, value, a, b, c, d]) => ({
    name,
    text: `${a}${JSON.stringify(name)}${b}:${c}${JSON.stringify(value)}${d}`,
  }));
const members = fc.array(memberText, { maxLength: 8 });
const away = fc.uniqueArray(key);
const objectOf = (texts: readonly { text: string }[]): string => ` {${texts.map(({ text }) => text).join(",")}} `;

describe("stripMembers", () => {
  it("takes out a member with its comma, wherever it stands", () => {
    expect(stripIn('{"a":1,"b":2,"c":3}', "a")).toBe('{"b":2,"c":3}');
    expect(stripIn('{"a":1,"b":2,"c":3}', "b")).toBe('{"a":1,"c":3}');
    expect(stripIn('{"a":1,"b":2,"c":3}', "c")).toBe('{"a":1,"b":2}');
    expect(stripIn('{"a":1,"b":2,"c":3}', "a", "c")).toBe('{"b":2}');
    expect(stripIn('{ "a" : 1 , "b" : [2] , "a":3 }', "a")).toBe('{ "b" : [2] }');
    expect(stripIn('{"a":1}', "a")).toBe("{}");
    expect(stripIn('{"a":1,"a":2}', "a")).toBe("{}");
  });

  it("gives the same object back when there is nothing to take out", () => {
    const object = scanned('{"a":1}');
    expect(stripMembers(object, (key) => key === "b")).toBe(object);
  });

  it("leaves a JSON object that reads as the old one without them, and keeps the text of every other member", () => {
    fc.assert(
      fc.property(members, away, (texts, keys) => {
        const kept = texts.filter(({ name }) => !keys.includes(name));
        const left = stripIn(objectOf(texts), ...keys);
        expect(JSON.parse(left)).toEqual(JSON.parse(objectOf(kept)));
        let from = 0;
        for (const { text } of kept) {
          const at = left.indexOf(text.trim(), from);
          expect(at).toBeGreaterThanOrEqual(from);
          from = at + text.trim().length;
        }
      }),
      { numRuns: 500 },
    );
  });

  it("knows where everything is afterwards, as if it had been scanned again", () => {
    fc.assert(
      fc.property(members, away, (texts, keys) => {
        const gone = new Set<string>(keys);
        const stripped = stripMembers(scanned(objectOf(texts)), (name) => gone.has(name));
        const again = scanned(stripped.body.toString());
        expect(stripped.members).toEqual(again.members);
        expect(stripped.bodyStart).toBe(again.bodyStart);
        const set = splice(stripped.body, setMember(stripped, "model", '"new"')).toString();
        expect(JSON.parse(set)).toMatchObject({ model: "new" });
      }),
      { numRuns: 500 },
    );
  });
});
