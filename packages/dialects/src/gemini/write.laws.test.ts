import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hubRequest } from "../hub/hub.test-data.ts";
import type { HubMessage, HubPart } from "../hub/request.ts";
import { gemini as preset } from "../providers/gemini.ts";
import { gemini } from "./codec.ts";

const cache = null;
const source = fc.oneof(
  fc.record({ at: fc.constant("url" as const), url: fc.webUrl() }),
  fc.record({ at: fc.constant("inline" as const), mediaType: fc.constant("image/png"), data: fc.base64String() }),
);
const opaque = fc.record({
  dialect: fc.constantFrom("gemini" as const, "anthropic-messages" as const),
  data: fc.constantFrom("c2ln", "gemini:c2ln", "vertex:c2ln"),
});
const text = fc.record({ kind: fc.constant("text" as const), text: fc.string(), cache: fc.constant(cache) });
const id = fc.constantFrom("a", "b", "c");
const answered: fc.Arbitrary<HubPart> = fc.oneof(
  text,
  fc.record({
    kind: fc.constant("thought" as const),
    text: fc.string(),
    opaque: fc.option(opaque),
    redacted: fc.boolean(),
    id: fc.constant(null),
    cache: fc.constant(cache),
  }),
  fc.record(
    {
      kind: fc.constant("tool_call" as const),
      id,
      name: fc.constantFrom("f", "g"),
      arguments: fc.oneof(fc.json(), fc.string()),
      opaque,
      cache: fc.constant(cache),
    },
    { requiredKeys: ["kind", "id", "name", "arguments", "cache"] },
  ),
);
const said: fc.Arbitrary<HubPart> = fc.oneof(
  text,
  fc.record({ kind: fc.constant("image" as const), source, detail: fc.constant(null), cache: fc.constant(cache) }),
  fc.record({
    kind: fc.constant("tool_result" as const),
    callId: id,
    name: fc.constant(null),
    parts: fc.array<HubPart>(text, { maxLength: 2 }),
    isError: fc.boolean(),
    cache: fc.constant(cache),
  }),
);
const message: fc.Arbitrary<HubMessage> = fc.oneof(
  fc.record({ role: fc.constant("user" as const), parts: fc.array(said, { maxLength: 4 }) }),
  fc.record({ role: fc.constant("assistant" as const), parts: fc.array(answered, { maxLength: 4 }) }),
);

interface Content {
  readonly role: "user" | "model";
  readonly parts: readonly Readonly<Record<string, unknown>>[];
}

function contentsOf(messages: readonly HubMessage[], model: string): readonly Content[] {
  const target = { model, canonicalModel: model, preset, outputTokens: null, parameters: null };
  const { body } = gemini.write(hubRequest({ messages }), target);
  const { contents } = JSON.parse(body.toString("utf8")) as { contents: readonly Content[] };
  return contents;
}

function holds(content: Content, member: string): boolean {
  return content.parts.some((part) => member in part);
}

describe("a conversation written for Gemini, whatever it is", () => {
  const conversation = fc.array(message, { maxLength: 6 });

  it("has a signature on the first call of each step since Gemini 3, and none that was made elsewhere", () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const contents = contentsOf(messages, "gemini-3-flash");
        const firsts = contents.map(({ parts }) => parts.find((part) => "functionCall" in part));
        for (const first of firsts.filter((part) => part !== undefined)) {
          expect(first.thoughtSignature).toMatch(/^(?:c2ln|skip_thought_signature_validator)$/);
        }
        const others = contents.flatMap(({ parts }) => parts.map(({ thoughtSignature = "" }) => thoughtSignature));
        expect(others.filter((signature) => String(signature).includes(":"))).toEqual([]);
        expect(JSON.stringify(contentsOf(messages, "gemini-2.5-flash"))).not.toContain("skip_thought");
      }),
    );
  });

  it("has results in contents of their own, all that there are, and no text that is empty", () => {
    fc.assert(
      fc.property(conversation, fc.constantFrom("gemini-3-flash", "gemini-2.5-pro"), (messages, model) => {
        const contents = contentsOf(messages, model);
        const results = messages.flatMap(({ parts }) => parts.filter(({ kind }) => kind === "tool_result"));
        const calls = messages.flatMap(({ parts }) => parts.filter(({ kind }) => kind === "tool_call"));
        const parts = contents.flatMap((content) => content.parts);
        expect(parts.filter((part) => "functionResponse" in part)).toHaveLength(results.length);
        expect(parts.filter((part) => "functionCall" in part)).toHaveLength(calls.length);
        for (const { role, parts } of contents.filter((content) => holds(content, "functionResponse"))) {
          expect(role).toBe("user");
          expect(new Set(parts.flatMap((part) => Object.keys(part)))).toEqual(new Set(["functionResponse"]));
        }
        for (const part of parts.filter(({ text }) => text === "")) expect(part).toHaveProperty("thoughtSignature");
      }),
    );
  });

  it("has all that was said, in its order", () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const written = contentsOf(messages, "gemini-3-flash")
          .flatMap(({ parts }) => parts.filter((part) => part.thought !== true))
          .map((part) => (typeof part.text === "string" ? part.text : ""));
        const told = messages.flatMap(({ parts }) => parts.map((part) => (part.kind === "text" ? part.text : "")));
        expect(written.join("")).toBe(told.join(""));
      }),
    );
  });
});
