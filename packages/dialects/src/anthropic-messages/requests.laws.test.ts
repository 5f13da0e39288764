import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { openaiCompatible } from "../providers/openai-compatible.ts";
import { messagesToHub } from "./hub-request.ts";
import { writeMessagesRequest } from "./write-request.ts";

const words = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((text) => text.isWellFormed() && text.trim() !== "");
const cache_control = fc.constantFrom({ type: "ephemeral" }, { type: "ephemeral", ttl: "1h" });
const textBlock = fc.record(
  { type: fc.constant("text"), text: words, cache_control },
  { requiredKeys: ["type", "text"] },
);
const source = fc.oneof(
  fc.base64String().map((data) => ({ type: "base64", media_type: "image/png", data })),
  fc.constant({ type: "url", url: "https://example.com/a.png" }),
  fc.constant({ type: "file", file_id: "file_1" }),
);
const imageBlock = fc.record(
  { type: fc.constant("image"), source, cache_control },
  { requiredKeys: ["type", "source"] },
);
const textSource = fc.record({ type: fc.constant("text"), media_type: fc.constant("text/plain"), data: words });
const documentBlock = fc.record(
  { type: fc.constant("document"), source: textSource, title: words, cache_control },
  { requiredKeys: ["type", "source"] },
);
const json = fc.dictionary(words, fc.jsonValue()).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const thought = fc
  .tuple(words, fc.base64String({ minLength: 4 }))
  .map(([thinking, signature]) => ({ type: "thinking", thinking, signature }));
const redacted = fc.base64String({ minLength: 4 }).map((data) => ({ type: "redacted_thinking", data }));

/** One turn of a user, what the assistant said to it, and what its calls gave back. */
const turn = fc
  .tuple(
    fc.array(fc.oneof(textBlock, imageBlock, documentBlock), { minLength: 1, maxLength: 3 }),
    fc.array(fc.oneof(textBlock, thought, redacted), { maxLength: 3 }),
    fc.array(
      fc.tuple(
        fc.stringMatching(/^[a-zA-Z0-9_-]{1,8}$/),
        json,
        fc.array(textBlock, { minLength: 1, maxLength: 2 }),
        fc.boolean(),
      ),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  )
  .map(([asked, said, calls]) => [
    { role: "user", content: asked },
    {
      role: "assistant",
      content: [...said, ...calls.map(([id, input]) => ({ type: "tool_use", id, name: "f", input }))],
    },
    {
      role: "user",
      content: calls.map(([id, , content, failed]) => ({
        type: "tool_result",
        tool_use_id: id,
        content,
        ...(failed ? { is_error: true } : {}),
      })),
    },
    { role: "assistant", content: [{ type: "text", text: "Done." }] },
  ]);

const request = fc
  .record(
    {
      model: fc.constant("m"),
      max_tokens: fc.integer({ min: 5000, max: 9000 }),
      messages: fc.array(turn, { minLength: 1, maxLength: 3 }).map((turns) => turns.flat()),
      system: fc.array(textBlock, { minLength: 1, maxLength: 3 }),
      tools: fc.constant([{ name: "f", description: "does f", input_schema: { type: "object", properties: {} } }]),
      tool_choice: fc.constantFrom(
        { type: "auto" },
        { type: "any", disable_parallel_tool_use: true },
        { type: "tool", name: "f" },
        { type: "none" },
      ),
      temperature: fc.constantFrom(0, 0.5, 1),
      top_k: fc.integer({ min: 1, max: 50 }),
      stop_sequences: fc.array(words, { minLength: 1, maxLength: 3 }),
      metadata: fc.constant({ user_id: "u" }),
      stream: fc.constant(true),
      output_config: fc.constant({
        format: { type: "json_schema", schema: { type: "object", properties: {}, additionalProperties: false } },
      }),
    },
    { requiredKeys: ["model", "max_tokens", "messages", "tools"] },
  )
  .map((fields) => JSON.parse(JSON.stringify(fields)) as Record<string, unknown>);

const thinking = fc.record({
  model: fc.constant("m"),
  max_tokens: fc.constant(9000),
  messages: turn,
  thinking: fc.oneof(
    fc.record({ type: fc.constant("enabled"), budget_tokens: fc.integer({ min: 1024, max: 8000 }) }),
    fc.constant({ type: "disabled" }),
  ),
});

function again(fields: object, canonicalModel: string): { readonly body: unknown; readonly notes: readonly string[] } {
  const hub = messagesToHub(Buffer.from(JSON.stringify(fields)));
  if ("code" in hub) throw new Error(hub.message);
  expect(hub.left).toEqual([]);
  const { body, notes } = writeMessagesRequest(hub, {
    model: "m",
    canonicalModel,
    preset: openaiCompatible,
    outputTokens: null,
    parameters: null,
  });
  return { body: JSON.parse(body.toString()) as unknown, notes };
}

describe("a request of Anthropic's through the hub", () => {
  it("is the same request", () => {
    fc.assert(
      fc.property(request, (fields) => {
        expect(again(fields, "claude-sonnet-4-5")).toEqual({ body: fields, notes: [] });
      }),
    );
  });

  it("thinks as it did, where the model takes that form", () => {
    fc.assert(
      fc.property(thinking, (fields) => {
        expect(again(fields, "claude-sonnet-4-5").body).toEqual(fields);
      }),
    );
    const adaptive = {
      model: "m",
      max_tokens: 9000,
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
    };
    for (const how of [{ type: "adaptive", display: "summarized" }, { type: "adaptive" }]) {
      const fields = { ...adaptive, thinking: how, output_config: { effort: "xhigh" } };
      expect(again(fields, "claude-opus-5").body).toEqual(fields);
    }
  });

  it("never throws, whatever the body is", () => {
    const anything = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("text", "tool_use", "tool_result", "document", "image", "thinking", ""),
        fc.jsonValue(),
        tie("object"),
      ),
      object: fc.dictionary(
        fc.constantFrom(
          "type",
          "text",
          "content",
          "source",
          "messages",
          "role",
          "system",
          "tools",
          "id",
          "input",
          "data",
          "__proto__",
          "signature",
          "thinking",
          "output_config",
          "format",
        ),
        fc.oneof(tie("value"), fc.array(tie("value"), { maxLength: 3 })),
      ),
    }));
    fc.assert(
      fc.property(anything.object, (fields) => {
        const hub = messagesToHub(Buffer.from(JSON.stringify({ messages: [fields], ...(fields as object) })));
        if ("code" in hub) return;
        for (const canonicalModel of ["claude-opus-5", "claude-3-haiku", "x"]) {
          const target = {
            model: "m",
            canonicalModel,
            preset: openaiCompatible,
            outputTokens: null,
            parameters: null,
          };
          expect(JSON.parse(writeMessagesRequest(hub, target).body.toString())).toHaveProperty("messages");
        }
      }),
      { numRuns: 500 },
    );
  });
});
