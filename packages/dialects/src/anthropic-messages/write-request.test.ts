import { describe, expect, it } from "vitest";

import { plain, written } from "./request.test-data.ts";

describe("a request written for Anthropic", () => {
  it("always names a limit, and never one that the model does not give", () => {
    expect(written({ maxTokens: null }).body).toMatchObject({ model: "id-of-claude-sonnet-4-5", max_tokens: 8192 });
    expect(written({ maxTokens: null }, "claude-sonnet-4-5", { outputTokens: 64_000 }).body.max_tokens).toBe(64_000);
    const { body, notes } = written({ maxTokens: 100_000 }, "claude-3-haiku", { outputTokens: 4096 });
    expect([body.max_tokens, notes]).toEqual([
      4096,
      ["max_tokens was lowered to 4096, the longest answer of this model"],
    ]);
  });

  it("puts a turn's results together and first", () => {
    const result = (callId: string) =>
      ({
        kind: "tool_result",
        callId,
        name: null,
        parts: [{ kind: "text", text: callId, cache: null }],
        isError: false,
        cache: null,
      }) as const;
    const { body } = written({
      messages: [
        ...plain.messages,
        { role: "assistant", parts: [{ kind: "tool_call", id: "call.1", name: "f", arguments: "", cache: null }] },
        { role: "user", parts: [{ kind: "text", text: "now", cache: null }] },
        { role: "user", parts: [result("call.1"), result("b")] },
      ],
    });
    const messages = body.messages as {
      role: string;
      content: { type: string; id?: string; tool_use_id?: string }[];
    }[];
    expect(messages.map(({ role, content }) => [role, content.map(({ type }) => type)])).toEqual([
      ["user", ["text"]],
      ["assistant", ["tool_use"]],
      ["user", ["tool_result", "tool_result", "text"]],
    ]);
    const id = messages[1]?.content[0]?.id;
    expect(id).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(messages[2]?.content.map(({ tool_use_id }) => tool_use_id)).toEqual([id, "b", undefined]);
  });

  it("leaves out empty text, and begins with the user", () => {
    const text = (words: string) => ({ kind: "text", text: words, cache: null }) as const;
    const { body, notes } = written({
      messages: [
        { role: "assistant", parts: [text("Hello."), text("  ")] },
        { role: "user", parts: [text("")] },
      ],
    });
    expect(body.messages).toEqual([
      { role: "user", content: [{ type: "text", text: "." }] },
      { role: "assistant", content: [{ type: "text", text: "Hello." }] },
    ]);
    expect(notes).toEqual([
      "text of nothing but white space was left out: it is refused there",
      "a user message was put first: a conversation here begins with one",
    ]);
  });

  it("ends with no white space where the assistant has the last word", () => {
    const { body } = written({
      messages: [
        ...plain.messages,
        { role: "assistant", parts: [{ kind: "text", text: "The answer is \n", cache: null }] },
      ],
    });
    expect(body.messages).toMatchObject([{ role: "user" }, { content: [{ text: "The answer is" }] }]);
  });

  it("gives only Anthropic's own signatures back, and passes no thought off as text", () => {
    const thought = (dialect: "anthropic-messages" | "bedrock-converse" | "openai-responses" | null) =>
      ({
        kind: "thought",
        text: `by ${dialect}`,
        opaque: dialect === null ? null : { dialect, data: "sig" },
        redacted: false,
        id: null,
        cache: null,
      }) as const;
    const { body, notes } = written({
      messages: [
        ...plain.messages,
        {
          role: "assistant",
          parts: [
            thought("anthropic-messages"),
            thought("bedrock-converse"),
            thought("openai-responses"),
            thought(null),
          ],
        },
      ],
    });
    expect(body.messages).toMatchObject([
      {},
      {
        content: [
          { type: "thinking", thinking: "by anthropic-messages", signature: "sig" },
          { type: "thinking", thinking: "by bedrock-converse", signature: "sig" },
        ],
      },
    ]);
    expect(JSON.stringify(body)).not.toContain("openai-responses");
    expect(notes).toEqual(["reasoning of earlier turns was left out: it is not signed for this provider"]);
  });

  it.each([
    ["claude-sonnet-4-5", { effort: "high", budget: null }, { thinking: { type: "enabled", budget_tokens: 8000 } }],
    ["claude-sonnet-4-5", { effort: null, budget: 2000 }, { thinking: { type: "enabled", budget_tokens: 2000 } }],
    [
      "claude-opus-4-6",
      { effort: "xhigh", budget: null },
      { thinking: { type: "adaptive" }, output_config: { effort: "high" } },
    ],
    [
      "claude-opus-5",
      { effort: "xhigh", budget: null },
      { thinking: { type: "adaptive" }, output_config: { effort: "xhigh" } },
    ],
    [
      "claude-opus-5",
      { effort: null, budget: 9000 },
      { thinking: { type: "adaptive" }, output_config: { effort: "medium" } },
    ],
    ["claude-opus-5", { effort: "minimal", budget: null }, { output_config: { effort: "low" } }],
  ])("asks %s to think, in its own way: %j", (model, asked, expected) => {
    const { body } = written({ maxTokens: 10_000, reasoning: { enabled: true, shown: null, ...asked } }, model);
    expect(body).toMatchObject(expected);
  });

  it("asks for no thinking where there is no room, no need, or a call is demanded", () => {
    const reasoning = { enabled: true, effort: "high", budget: null, shown: null };
    expect(written({ maxTokens: 500, reasoning }).body.thinking).toBeUndefined();
    const tools = [{ name: "f", description: null, parameters: null, strict: null, cache: null }];
    const forced = written({ maxTokens: 9000, reasoning, tools, toolChoice: { kind: "required" } });
    expect([forced.body.thinking, forced.body.tool_choice, forced.notes.length]).toEqual([
      undefined,
      { type: "any" },
      1,
    ]);
    const off = { enabled: false, effort: null, budget: null, shown: null };
    expect(written({ reasoning: off }, "claude-opus-5").body.thinking).toEqual({ type: "disabled" });
    expect(written({ reasoning: off }, "claude-fable-5")).toMatchObject({
      notes: [expect.stringMatching(/always thinks/)],
    });
  });

  it("sends sampling as far as the model takes it", () => {
    const sampling = { temperature: 1.5, topP: 0.9, topK: 5 };
    expect(written(sampling, "claude-3-haiku").body).toMatchObject({ temperature: 1, top_p: 0.9, top_k: 5 });
    expect(written(sampling, "claude-sonnet-4-5").body).not.toHaveProperty("top_p");
    const newer = written(sampling, "claude-opus-4-7");
    expect([newer.body.temperature, newer.body.top_p, newer.body.top_k, newer.notes.length]).toEqual([
      undefined,
      undefined,
      undefined,
      3,
    ]);
  });

  it("names what it leaves out", () => {
    const { notes } = written({ seed: 1, presencePenalty: 0.5, frequencyPenalty: 0, stop: ["END", "\n"] });
    expect(notes).toEqual([
      "a stop sequence of nothing but white space was left out: it is not taken there",
      "seed was left out: it is not taken there",
      "presence_penalty was left out: it is not taken there",
    ]);
  });

  describe("for JSON by a schema", () => {
    const format = {
      kind: "json_schema",
      name: "person",
      description: null,
      strict: true,
      schema: {
        type: "object",
        properties: { age: { type: "integer", minimum: 0 }, minimum: { type: "string" } },
        required: ["age", "minimum"],
      },
    } as const;

    it("sends it as such, closed and without the limits that are not taken", () => {
      const { body, notes } = written({ format });
      expect(body.output_config).toEqual({
        format: {
          type: "json_schema",
          schema: {
            type: "object",
            properties: { age: { type: "integer" }, minimum: { type: "string" } },
            required: ["age", "minimum"],
            additionalProperties: false,
          },
        },
      });
      expect(notes).toEqual([expect.stringMatching(/^minimum of the schema was left out/)]);
    });

    it("demands a call in its stead of older models", () => {
      const { body } = written({ format }, "claude-sonnet-4");
      expect(body).toMatchObject({
        tools: [{ name: "tuloy_json_answer", input_schema: format.schema }],
        tool_choice: { type: "tool", name: "tuloy_json_answer" },
      });
      const tools = [{ name: "f", description: null, parameters: null, strict: null, cache: null }];
      expect(written({ format, tools }, "claude-sonnet-4").body.tool_choice).toEqual({ type: "any" });
    });

    it("says any JSON in words", () => {
      const { body, notes } = written({ format: { kind: "json" } });
      expect([body.system, notes.length]).toEqual([[{ type: "text", text: expect.stringContaining("JSON") }], 1]);
    });
  });
});

it("JSON by a forced call is one call, whose input is the answer", () => {
  const format = {
    kind: "json_schema",
    name: "n",
    description: null,
    schema: { type: "object" },
    strict: null,
  } as const;
  expect(written({ format }, "claude-3-5-haiku").body.tool_choice).toMatchObject({
    type: "tool",
    disable_parallel_tool_use: true,
  });
});

it("a schema whose objects may have any members is not closed without a note", () => {
  const schema = { type: "object", properties: { by: { type: "object", additionalProperties: { type: "number" } } } };
  const format = { kind: "json_schema", name: "n", description: null, schema, strict: null } as const;
  expect(written({ format }).notes).toEqual([
    "additionalProperties of the schema was left out: no such limits are taken there",
  ]);
});

it("an image is of a type that is taken, whatever it is called elsewhere", () => {
  const source = { at: "inline", mediaType: "image/jpg", data: "AAAA" } as const;
  const messages = [{ role: "user", parts: [{ kind: "image", source, detail: null, cache: null }] }] as const;
  expect(JSON.stringify(written({ messages }).body.messages)).toContain('"media_type":"image/jpeg"');
});
