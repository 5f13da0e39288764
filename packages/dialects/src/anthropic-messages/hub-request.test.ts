import { describe, expect, it } from "vitest";

import { messagesToHub } from "./hub-request.ts";
import { writeSignature } from "./opaque.ts";
import { hub } from "./request.test-data.ts";

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
