import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { HubMessage, HubPart } from "../hub/request.ts";
import { bedrockConverse } from "./codec.ts";
import { request, sonnet45, target, tool } from "./request.test-data.ts";

const said = fc.oneof(fc.string({ unit: "grapheme", maxLength: 20 }), fc.constantFrom("", " ", "\n\t"));
const cache = fc.option(fc.record({ ttl: fc.constantFrom(null, "5m", "1h") }), { nil: null });
const source = fc.oneof(
  fc
    .constantFrom("image/png", "application/pdf", "text/plain", "a/b")
    .map((mediaType) => ({ at: "inline" as const, mediaType, data: "eA==" })),
  fc.constant({ at: "url" as const, url: "https://x.example/" }),
);
const opaque = fc.option(
  fc.record({
    dialect: fc.constantFrom("anthropic-messages" as const, "bedrock-converse" as const, "gemini" as const),
    data: fc.string({ minLength: 1 }),
  }),
  { nil: null },
);
const flat: fc.Arbitrary<HubPart> = fc.oneof(
  fc.record({ kind: fc.constant("text" as const), text: said, cache }),
  fc.record({ kind: fc.constant("refusal" as const), text: said, cache }),
  fc.record({ kind: fc.constant("image" as const), source, detail: fc.constant(null), cache }),
  fc.record({ kind: fc.constant("file" as const), source, name: fc.option(said, { nil: null }), cache }),
  fc.record({ kind: fc.constant("audio" as const), source, format: fc.constant("wav"), cache }),
  fc.record({
    kind: fc.constant("thought" as const),
    text: said,
    opaque,
    redacted: fc.boolean(),
    id: fc.constant(null),
    cache,
  }),
  fc.record({
    kind: fc.constant("tool_call" as const),
    id: fc.string(),
    name: fc.constantFrom("look", "__proto__"),
    arguments: fc.oneof(fc.json(), fc.string()),
    cache,
  }),
);
const part: fc.Arbitrary<HubPart> = fc.oneof(
  { weight: 4, arbitrary: flat },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("tool_result" as const),
      callId: fc.string(),
      name: fc.constant(null),
      parts: fc.array(
        flat.filter(({ kind }) => kind === "text" || kind === "image" || kind === "file"),
        { maxLength: 3 },
      ),
      isError: fc.boolean(),
      cache,
    }),
  },
);
const message: fc.Arbitrary<HubMessage> = fc.oneof(
  fc.record({
    role: fc.constant("user" as const),
    parts: fc.array(
      part.filter(({ kind }) => kind !== "tool_call"),
      { maxLength: 5 },
    ),
  }),
  fc.record({
    role: fc.constant("assistant" as const),
    parts: fc.array(
      part.filter(({ kind }) => kind !== "tool_result"),
      { maxLength: 5 },
    ),
  }),
);
const model = fc.constantFrom(
  sonnet45,
  "anthropic.claude-opus-4-7",
  "us.amazon.nova-pro-v1:0",
  "meta.llama3-3-70b-instruct-v1:0",
  "arn:aws:x/y",
);

interface Block {
  readonly text?: string;
  readonly document?: { readonly name: string };
  readonly toolUse?: { readonly toolUseId: string };
  readonly toolResult?: { readonly toolUseId: string; readonly content: readonly unknown[] };
}

/** What Converse would refuse of these turns, in words. */
function faultsOf(turns: readonly { readonly role: string; readonly content: readonly Block[] }[]): string[] {
  const blocks = turns.flatMap(({ content }) => content);
  const ids = blocks.flatMap(({ toolUse, toolResult }) => toolUse?.toolUseId ?? toolResult?.toolUseId ?? []);
  const names = blocks.flatMap(({ document }) => document?.name ?? []);
  const texts = blocks.flatMap(({ text: said }) => said ?? []);
  return [
    ...turns
      .filter(({ role }, at) => role !== (at % 2 === 0 ? "user" : "assistant"))
      .map(() => "turns do not alternate"),
    ...turns.filter(({ content }) => content.length === 0).map(() => "an empty turn"),
    ...turns
      .filter(({ content }) => content.some(isDocument) && !content.some(({ text: said }) => said !== undefined))
      .map(() => "a document without a word"),
    ...turns
      .filter(({ content }) => content.findLastIndex(isResult) !== content.filter(isResult).length - 1)
      .map(() => "results behind something else"),
    ...blocks.filter(({ toolResult }) => toolResult?.content.length === 0).map(() => "an empty result"),
    ...texts.filter((said) => said.trim() === "").map(() => "a blank text"),
    ...ids.filter((id) => !/^[a-zA-Z0-9_-]{1,64}$/.test(id)).map((id) => `the id ${id}`),
    ...names.filter((name) => !/^(?!.* {2})[A-Za-z0-9 \-()[\]]{1,200}$/.test(name)).map((name) => `the name ${name}`),
    ...(new Set(names).size < names.length ? ["two documents of one name"] : []),
  ];
}

/** Of what ids are made, and of what they are not. */
const sign = fc.constantFrom("a", "Z", "0", "_", "-", ".", ":", "|", " ", "é", "\u{1f600}", "\ud800");

const isDocument = ({ document }: Block): boolean => document !== undefined;
const isResult = ({ toolResult }: Block): boolean => toolResult !== undefined;

describe("whatever was said", () => {
  it("is written as Converse wants it: turns alternate, nothing is blank, ids fit, names of documents differ", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), model, (messages, id) => {
        const { body } = bedrockConverse.write(request({ messages, tools: [tool("look")] }), target(id));
        const { messages: turns } = JSON.parse(body.toString()) as { messages: { role: string; content: Block[] }[] };
        expect(faultsOf(turns)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it("keeps calls and their results together: the same id gives the same, another gives another", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.array(sign, { maxLength: 80 }).map((signs) => signs.join("")),
          { minLength: 2, maxLength: 6 },
        ),
        (ids) => {
          const parts = ids.map((id): HubPart => ({
            kind: "tool_call",
            id,
            name: "look",
            arguments: "{}",
            cache: null,
          }));
          const results = ids.map((callId): HubPart => ({
            kind: "tool_result",
            callId,
            name: null,
            parts: [],
            isError: false,
            cache: null,
          }));
          const { body } = bedrockConverse.write(
            request({
              messages: [
                { role: "user", parts: [{ kind: "text", text: "?", cache: null }] },
                { role: "assistant", parts },
                { role: "user", parts: results },
              ],
            }),
            target(),
          );
          const [, called, answered] = (JSON.parse(body.toString()) as { messages: { content: Block[] }[] }).messages;
          const calls = called?.content.map(({ toolUse }) => toolUse?.toolUseId);
          expect(answered?.content.map(({ toolResult }) => toolResult?.toolUseId)).toEqual(calls);
          expect(new Set(calls).size).toBe(ids.length);
        },
      ),
      { numRuns: 30 },
    );
  });
});
