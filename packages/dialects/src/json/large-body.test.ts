import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isReadRequest } from "../request.ts";
import { readChatRequest } from "../openai-chat/request.ts";
import { readLargeBody } from "./large-body.ts";
import { scanTopLevel } from "./top-level.ts";

const read = (text: string): ReturnType<typeof readLargeBody> =>
  readLargeBody(Buffer.from(text), { member: "messages", usual: ["role", "content"] }, 16);

const key = fc.constantFrom("model", "messages", "stream", "a", "日本", "__proto__", "constructor");
const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 200 }), fc.string({ maxLength: 20 }));
const message = fc.dictionary(fc.constantFrom("role", "content", "name"), fc.oneof(text, fc.nat(), fc.constant(null)));
const messages = fc.array(
  fc.oneof({ weight: 4, arbitrary: message }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) }),
  {
    maxLength: 4,
  },
);
const body = fc
  .tuple(
    fc.array(fc.tuple(key, fc.jsonValue({ maxDepth: 2 })), { maxLength: 3 }),
    messages,
    fc.constantFrom("", " ", "\n\t"),
  )
  .map(([others, list, space]) =>
    [
      ...others.map(([name, value]) => [name, JSON.stringify(value)] as const),
      ["messages", JSON.stringify(list)] as const,
    ]
      .map(([name, value]) => `${space}${JSON.stringify(name)}${space}:${space}${value}${space}`)
      .join(","),
  )
  .map((inside) => `{${inside}}`);
const mutation = fc.tuple(
  fc.nat(),
  fc.nat(2),
  fc.constantFrom("", '"', "\\", "{", "]", ",", "1", "\n", "\u0001", "\\u00", "[["),
);

describe("a large body, read without its texts", () => {
  it("is read as parsing it would, but for the texts", () => {
    let taken = 0;
    fc.assert(
      fc.property(body, fc.option(mutation, { nil: null, freq: 2 }), (whole, change) => {
        const [place, removed, insert] = change ?? [0, 0, ""];
        const at = place % (whole.length + 1);
        const changed = whole.slice(0, at) + insert + whole.slice(at + removed);
        const large = read(changed);
        if (large === null) return;
        taken += 1;
        const parsed: Record<string, unknown> = JSON.parse(changed);
        expect(Array.isArray(parsed.messages)).toBe(true);
        const names = (parsed.messages as readonly unknown[]).flatMap((each) =>
          typeof each === "object" && each !== null ? Object.keys(each) : [],
        );
        expect(large.unusual).toEqual(new Set(names.filter((name) => name !== "role" && name !== "content")));
        expect(large.fields).toEqual(Object.defineProperty(parsed, "messages", { value: [], enumerable: true }));
        const { members, bodyStart } = large.object;
        expect({ kind: "object", members, bodyStart }).toEqual(scanTopLevel(Buffer.from(changed), 16));
      }),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(500);
  });

  it.each([
    ["objects in a message", '{"messages":[{"content":[{"type":"image_url"}]}]}'],
    ["two lists", '{"messages":[],"messages":[]}'],
    ["a list that is none", '{"messages":{}}'],
    ["no list", '{"model":"m"}'],
    ["no members", "{}"],
    ["a key with an escape in a message", String.raw`{"messages":[{"r\u006fle":"user"}]}`],
    ["a key with an escape", String.raw`{"m\u0065ssages":[],"messages":[]}`],
    ["more levels than allowed", `{"a":${"[".repeat(16)}${"]".repeat(16)},"messages":[]}`],
    ["something after it", '{"messages":[]} x'],
    ["an array", "[]"],
    ["half of it", '{"messages":[{"content":"a'],
  ])("is left to a parser with %s", (_, whole) => {
    expect(read(whole)).toBeNull();
  });

  it("takes as many levels as allowed", () => {
    expect(read(`{"a":${"[".repeat(15)}${"]".repeat(15)},"messages":[]}`)).not.toBeNull();
  });

  const filler = "lorem ipsum ".repeat(2000);
  const large = (fields: object): string => JSON.stringify({ model: "m", user: filler, ...fields });
  const facts = (whole: string): unknown => {
    const request = readChatRequest(Buffer.from(whole));
    if (!isReadRequest(request)) return request;
    const { facts: read, messageTraits } = request;
    return { ...read, messageTraits, inputTokens: "by bytes", contextTokens: "by bytes" };
  };

  it("has the same facts and faults as a small one", () => {
    const cases: readonly object[] = [
      { messages: [{ role: "user", content: "Hi" }], stream: true, n: 2, tools: [{}], stop: ["a"], seed: 1 },
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:" } }] }] },
      { messages: [{ role: "user", content: "Hi", name: "ana", __proto__: "p" }, { reasoning: "r" }, 1, null] },
      { messages: [{ role: "assistant", tool_calls: [{ id: "c1", index: 0 }] }] },
      { messages: "no" },
      { messages: { a: 1 } },
      { stream: 1, messages: [] },
      { messages: [], model: " " },
    ];
    for (const fields of cases) {
      expect(facts(large(fields))).toEqual(facts(JSON.stringify({ model: "m", user: "", ...fields })));
    }
    expect(facts(large({ messages: [{ content: "Hi" }] }).slice(0, -5))).toMatchObject({ code: "invalid_json" });
    expect(facts(large({ messages: [], deep: JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`) }))).toMatchObject({
      message: expect.stringContaining("nests deeper"),
    });
    const notUtf8 = Buffer.from(large({ messages: [] }));
    notUtf8[30] = 0xff;
    expect(readChatRequest(notUtf8)).toMatchObject({ code: "invalid_json", message: expect.stringContaining("UTF-8") });
  });
});
