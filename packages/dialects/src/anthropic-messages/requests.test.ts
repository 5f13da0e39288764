import { describe, expect, it } from "vitest";

import type { WriteTarget } from "../hub/codec.ts";
import type { HubMessage, HubRequest } from "../hub/request.ts";
import { openaiCompatible } from "../providers/openai-compatible.ts";
import { messagesToHub } from "./hub-request.ts";
import { writeSignature } from "./opaque.ts";
import { readMessagesRequest } from "./request.ts";
import { writeMessagesRequest } from "./write-request.ts";

function hub(fields: object): HubRequest {
  const read = messagesToHub(Buffer.from(JSON.stringify({ model: "m", max_tokens: 100, messages: [], ...fields })));
  if ("code" in read) throw new Error(read.message);
  return read;
}

/** A request that asks for nothing in particular. */
const plain: HubRequest = hub({ messages: [{ role: "user", content: "Hi" }] });

function written(
  request: Partial<HubRequest>,
  model = "claude-sonnet-4-5",
  target: Partial<WriteTarget> = {},
): { readonly body: Record<string, unknown>; readonly notes: readonly string[] } {
  const { body, notes } = writeMessagesRequest(
    { ...plain, ...request },
    {
      model: `id-of-${model}`,
      canonicalModel: model,
      preset: openaiCompatible,
      outputTokens: null,
      parameters: null,
      ...target,
    },
  );
  return { body: JSON.parse(body.toString()) as Record<string, unknown>, notes };
}

describe("a request of Anthropic's, read", () => {
  it("has a system prompt in one text or in blocks with their cache marks", () => {
    expect(hub({ system: "Be brief." }).system).toEqual([{ kind: "text", text: "Be brief.", cache: null }]);
    const system = [
      { type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h" } },
      { type: "text", text: "b", cache_control: { type: "ephemeral" } },
    ];
    expect(hub({ system }).system.map(({ cache }) => cache)).toEqual([{ ttl: "1h" }, { ttl: null }]);
  });

  it("has calls, and results that know their tool's name", () => {
    const { messages } = hub({
      messages: [
        { role: "user", content: "Weather?" },
        { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "weather", input: { city: "Manila" } }] },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "t1", content: "31 °C", is_error: true },
            { type: "text", text: "And?" },
          ],
        },
      ],
    });
    expect(messages[1]?.parts).toMatchObject([
      { kind: "tool_call", id: "t1", name: "weather", arguments: '{"city":"Manila"}' },
    ]);
    expect(messages[2]?.parts).toMatchObject([
      { kind: "tool_result", callId: "t1", name: "weather", isError: true, parts: [{ kind: "text", text: "31 °C" }] },
      { kind: "text", text: "And?" },
    ]);
  });

  it("has images and documents from wherever they come", () => {
    const content = [
      { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
      { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
      { type: "image", source: { type: "file", file_id: "file_1" } },
      { type: "document", title: "T", source: { type: "base64", media_type: "application/pdf", data: "BBBB" } },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "Ünïcode" } },
      {
        type: "document",
        context: "About it.",
        source: { type: "content", content: [{ type: "text", text: "inner" }] },
      },
    ];
    expect(hub({ messages: [{ role: "user", content }] }).messages[0]?.parts).toMatchObject([
      { kind: "image", source: { at: "inline", mediaType: "image/png", data: "AAAA" } },
      { kind: "image", source: { at: "url", url: "https://example.com/a.png" } },
      { kind: "image", source: { at: "id", id: "file_1", dialect: "anthropic-messages" } },
      { kind: "file", name: "T", source: { mediaType: "application/pdf" } },
      { kind: "file", source: { mediaType: "text/plain", data: Buffer.from("Ünïcode").toString("base64") } },
      { kind: "text", text: "About it." },
      { kind: "text", text: "inner" },
    ]);
  });

  it("gives signatures back to whoever made them", () => {
    const openai = { dialect: "openai-responses", data: "gAAA:b" } as const;
    const content = [
      { type: "thinking", thinking: "hm", signature: "EqQB" },
      { type: "redacted_thinking", data: "EmwK" },
      { type: "thinking", thinking: "so", signature: writeSignature(openai, "rs_1:x") },
      { type: "thinking", thinking: "oh", signature: writeSignature(null) },
      { type: "redacted_thinking", data: `tuloy:call:${writeSignature({ dialect: "gemini", data: "sig" })}` },
      { type: "tool_use", id: "t", name: "f", input: {} },
    ];
    expect(hub({ messages: [{ role: "assistant", content }] }).messages[0]?.parts).toMatchObject([
      { text: "hm", opaque: { dialect: "anthropic-messages", data: "EqQB" }, redacted: false },
      { text: "", opaque: { dialect: "anthropic-messages", data: "EmwK" }, redacted: true },
      { text: "so", opaque: openai, id: "rs_1:x" },
      { text: "oh", opaque: null },
      { kind: "tool_call", opaque: { dialect: "gemini", data: "sig" } },
    ]);
  });

  it.each([
    [
      { thinking: { type: "enabled", budget_tokens: 5000 } },
      { enabled: true, budget: 5000, effort: null, shown: true },
    ],
    [
      { thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "max" } },
      { enabled: true, effort: "xhigh", shown: true },
    ],
    [{ thinking: { type: "disabled" } }, { enabled: false }],
    [{ output_config: { effort: "low" } }, { enabled: true, effort: "low", shown: null }],
  ])("has reasoning: %j", (fields, expected) => {
    expect(hub(fields).reasoning).toMatchObject(expected);
  });

  it("has a schema in either spelling", () => {
    const format = { type: "json_schema", schema: { type: "object" } };
    const expected = { kind: "json_schema", schema: { type: "object" }, strict: true };
    expect(hub({ output_config: { format } }).format).toMatchObject(expected);
    expect(hub({ output_format: format }).format).toMatchObject(expected);
    expect(hub({}).format).toBeNull();
  });

  it("has the choice of tools", () => {
    const choice = (tool_choice: object): unknown[] => {
      const { toolChoice, parallelToolCalls } = hub({ tool_choice });
      return [toolChoice, parallelToolCalls];
    };
    expect(choice({ type: "any", disable_parallel_tool_use: true })).toEqual([{ kind: "required" }, false]);
    expect(choice({ type: "tool", name: "f" })).toEqual([{ kind: "tool", name: "f" }, null]);
    expect(choice({ type: "none" })).toEqual([{ kind: "none" }, null]);
  });

  it("says what has no place elsewhere, and nothing of what was for the gateway", () => {
    const { left } = hub({
      service_tier: "auto",
      provider: { order: ["a"] },
      inference_geo: null,
      tools: [{ name: "f", input_schema: {}, defer_loading: true }],
      messages: [{ role: "system", content: "From here on, be brief." }],
    });
    expect(left).toEqual([
      "the rank of system messages inside the conversation",
      "defer_loading of tools",
      "service_tier",
    ]);
  });

  it.each([
    [
      {
        tools: [
          { name: "f", input_schema: {} },
          { type: "web_search_20250305", name: "web_search" },
        ],
      },
      "tools[1]",
      "web_search_20250305",
    ],
    [
      { messages: [{ role: "user", content: [{ type: "server_tool_use", id: "s", name: "x", input: {} }] }] },
      "messages[0]",
      "server_tool_use",
    ],
    [{ mcp_servers: [{ type: "url", url: "https://example.com" }] }, "mcp_servers", "mcp_servers"],
  ])("can go nowhere else with what is Anthropic's own: %j", (fields, param, named) => {
    const read = messagesToHub(Buffer.from(JSON.stringify({ model: "m", messages: [], ...fields })));
    expect(read).toMatchObject({ code: "invalid_request", param, message: expect.stringContaining(named) });
  });

  it("takes __proto__ for data", () => {
    const body =
      '{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"__proto__":{"x":1}}}]}]}';
    const read = messagesToHub(Buffer.from(body));
    expect("code" in read ? null : read.messages[0]?.parts).toMatchObject([{ arguments: '{"__proto__":{"x":1}}' }]);
  });
});

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
    expect(notes).toHaveLength(1);
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

describe("thinking in the middle of a turn of calls", () => {
  const call = { kind: "tool_call", id: "t1", name: "weather", arguments: "{}", cache: null } as const;
  const result = {
    kind: "tool_result",
    callId: "t1",
    name: "weather",
    parts: [],
    isError: false,
    cache: null,
  } as const;
  const said = { kind: "text", text: "Hi", cache: null } as const;
  const signed = {
    kind: "thought",
    text: "Look.",
    opaque: { dialect: "anthropic-messages", data: "sig" },
    redacted: false,
    id: null,
    cache: null,
  } as const;
  const reasoning = { enabled: true, effort: "high", budget: null, shown: null };
  const turn = (...began: readonly HubMessage["parts"][number][]): readonly HubMessage[] => [
    { role: "user", parts: [said] },
    { role: "assistant", parts: [...began, call] },
    { role: "user", parts: [result] },
  ];
  const limits = { maxTokens: 32_000, reasoning };

  it("is not asked for where the turn began at another provider, which is refused with 400", () => {
    const { body, notes } = written({ ...limits, messages: turn() });
    expect(body.thinking).toBeUndefined();
    expect(notes.join()).toContain("reasoning was left out: the turn of calls");
    // Nor where only a later step of the turn has a thought of its own.
    const later = [...turn(), { role: "assistant", parts: [signed, call] }, { role: "user", parts: [result] }] as const;
    expect(written({ ...limits, messages: later }).body.thinking).toBeUndefined();
  });

  it("is asked for where it began with a signed thought, where the turn is over, and of models that do not mind", () => {
    expect(written({ ...limits, messages: turn(signed) }).body.thinking).toMatchObject({ type: "enabled" });
    const over = [...turn(), { role: "assistant", parts: [said] }, { role: "user", parts: [said] }] as const;
    expect(written({ ...limits, messages: over }).body.thinking).toMatchObject({ type: "enabled" });
    expect(written({ ...limits, messages: turn() }, "claude-sonnet-4-6").body.thinking).toMatchObject({
      type: "adaptive",
    });
  });

  it("is not asked of models that can't, or are known not to take the wish", () => {
    const { body, notes } = written(limits, "claude-3-5-haiku");
    expect([body.thinking, notes]).toEqual([undefined, ["reasoning was left out: this model does not take the wish"]]);
    const facts = {
      takes: null,
      refuses: new Set(["reasoning_effort", "reasoning"]),
      modelRefuses: new Set<string>(),
      maxStops: null,
    };
    expect(written(limits, "claude-sonnet-4-5", { parameters: facts }).body.thinking).toBeUndefined();
  });

  it("goes with thoughts that another provider signed, on the way to Anthropic's own", () => {
    const messages = [
      { role: "user", content: "Hi" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Look.", signature: writeSignature({ dialect: "gemini", data: "x" }) },
          { type: "tool_use", id: "t1", name: "weather", input: {} },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: "31 °C" }] },
    ];
    const sent = (thinking: object): [unknown, readonly string[]] => {
      const body = { model: "m", max_tokens: 9000, thinking, messages };
      const read = readMessagesRequest(Buffer.from(JSON.stringify(body)));
      if ("code" in read) throw new Error(read.message);
      const encoded: unknown = JSON.parse(read.encode("m", openaiCompatible).toString());
      return [(encoded as { thinking?: unknown }).thinking, read.withheld ?? []];
    };
    const [byBudget, why] = sent({ type: "enabled", budget_tokens: 2000 });
    expect(byBudget).toBeUndefined();
    expect(why.join()).toContain("thinking was left out");
    expect(sent({ type: "adaptive" })[0]).toEqual({ type: "adaptive" });
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
