import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { WriteTarget } from "../hub/codec.ts";
import type { HubMessage, HubPart, HubRequest } from "../hub/request.ts";
import { openai } from "../providers/openai.ts";
import { carry } from "./carried.ts";
import { toHub } from "./hub-request.ts";
import { writeRequest } from "./write-request.ts";

const target: WriteTarget = {
  model: "gpt-up",
  canonicalModel: "gpt-5.2",
  preset: openai,
  outputTokens: null,
  parameters: null,
};

function hub(fields: Record<string, unknown>): HubRequest {
  const read = toHub(Buffer.from(JSON.stringify({ model: "m", store: false, ...fields })));
  if ("code" in read) throw new Error(read.message);
  return read;
}

function refused(fields: Record<string, unknown>): { message: string; param: string | null } {
  const read = toHub(Buffer.from(JSON.stringify({ model: "m", input: "Hi", ...fields })));
  if (!("code" in read)) throw new Error("it was read");
  return read;
}

function written(
  request: HubRequest,
  to: Partial<WriteTarget> = {},
): Record<string, unknown> & { notes: readonly string[] } {
  const { body, notes } = writeRequest(request, { ...target, ...to });
  return { ...(JSON.parse(body.toString()) as Record<string, unknown>), notes };
}

const nothing: HubRequest = hub({ input: "Hi" });

describe("a request read", () => {
  it("takes a text as a user's message, and instructions as the system's", () => {
    expect(hub({ input: "Hi", instructions: "Be brief." })).toMatchObject({
      system: [{ text: "Be brief." }],
      messages: [{ role: "user", parts: [{ kind: "text", text: "Hi" }] }],
      left: [],
    });
  });

  it("puts the items of a turn with tools into messages", () => {
    const { messages } = hub({
      input: [
        { role: "user", content: [{ type: "input_text", text: "Weather?" }] },
        { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: "gAAA" },
        { type: "function_call", id: "fc_1", call_id: "call_1", name: "weather", arguments: '{"at":"Manila"}' },
        { type: "function_call", call_id: "call_2", name: "time", arguments: "" },
        { type: "function_call_output", call_id: "call_1", output: "rain" },
        { type: "function_call_output", call_id: "call_2", output: [{ type: "input_text", text: "noon" }] },
        {
          type: "message",
          role: "assistant",
          content: [{ type: "output_text", text: "Rain at noon.", annotations: [] }],
        },
      ],
    });
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(messages[1]?.parts).toMatchObject([
      { kind: "thought", text: "Hm.", id: "rs_1", opaque: { dialect: "openai-responses", data: "gAAA" } },
      { kind: "tool_call", id: "call_1", name: "weather", arguments: '{"at":"Manila"}' },
      { kind: "tool_call", id: "call_2", name: "time", arguments: "{}" },
    ]);
    expect(messages[2]?.parts).toMatchObject([
      { kind: "tool_result", callId: "call_1", name: "weather", parts: [{ text: "rain" }] },
      { kind: "tool_result", callId: "call_2", name: "time", parts: [{ text: "noon" }] },
    ]);
  });

  it("gives back what another dialect's answer wants back, to the thought and the call it belongs to", () => {
    const { messages } = hub({
      input: [
        {
          type: "reasoning",
          summary: [],
          encrypted_content: carry({ dialect: "anthropic-messages", data: "sig" }, "redacted"),
        },
        { type: "reasoning", summary: [], encrypted_content: carry({ dialect: "gemini", data: "proof" }, "call") },
        { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
      ],
    });
    expect(messages[0]?.parts).toMatchObject([
      { kind: "thought", redacted: true, opaque: { dialect: "anthropic-messages", data: "sig" } },
      { kind: "tool_call", opaque: { dialect: "gemini", data: "proof" } },
    ]);
  });

  it("reads images and files by address, as bytes and by id", () => {
    const content = [
      { type: "input_image", image_url: "https://a/b.png", detail: "high" },
      { type: "input_image", image_url: "data:image/png;base64,AAAA" },
      { type: "input_image", file_id: "file-1" },
      { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,BBBB" },
      { type: "input_file", file_url: "https://a/b.pdf" },
      { type: "input_strange" },
    ];
    const read = hub({ input: [{ role: "user", content }] });
    expect(read.messages[0]?.parts).toMatchObject([
      { kind: "image", source: { at: "url", url: "https://a/b.png" }, detail: "high" },
      { kind: "image", source: { at: "inline", mediaType: "image/png", data: "AAAA" } },
      { kind: "image", source: { at: "id", id: "file-1", dialect: "openai-responses" } },
      { kind: "file", source: { at: "inline", mediaType: "application/pdf", data: "BBBB" }, name: "a.pdf" },
      { kind: "file", source: { at: "url", url: "https://a/b.pdf" } },
    ]);
    expect(read.left).toEqual(["input[0].content[5]"]);
  });

  it("says what it can't carry further, and that nothing is kept", () => {
    const read = toHub(
      Buffer.from(
        JSON.stringify({ input: "Hi", truncation: "auto", text: { verbosity: "low" }, max_tool_calls: 3, user: "u" }),
      ),
    );
    expect("left" in read && read.left).toEqual([
      "truncation",
      "max_tool_calls",
      "text.verbosity",
      "store (this answer is kept nowhere: its id can't be retrieved or continued)",
    ]);
  });

  it("leaves only the tools that may be called", () => {
    const tools = ["a", "b"].map((name) => ({ type: "function", name, parameters: {} }));
    const choice = { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "b" }] };
    const read = hub({ input: "Hi", tools, tool_choice: choice });
    expect(read.tools.map(({ name }) => name)).toEqual(["b"]);
    expect(read.toolChoice).toEqual({ kind: "required" });
  });

  it.each([
    [{ tools: [{ type: "web_search" }] }, "tools[0]", "web_search"],
    [{ tool_choice: { type: "mcp", server_label: "x" } }, "tool_choice", "mcp"],
    [{ previous_response_id: "resp_1" }, "previous_response_id", "kept at its provider"],
    [{ conversation: "conv_1" }, "conversation", "kept at its provider"],
    [{ prompt: { id: "pmpt_1" } }, "prompt", "kept at its provider"],
    [{ background: true }, "background", "background"],
    [{ input: [{ type: "item_reference", id: "msg_1" }] }, "input[0]", "kept at its provider"],
    [{ input: [{ type: "computer_call" }] }, "input[0]", "computer_call"],
    [{ include: ["message.output_text.logprobs"] }, "include", "log probabilities"],
  ])("refuses what only this API can do: %j", (fields, param, words) => {
    const error = refused(fields);
    expect(error.param).toBe(param);
    expect(error.message).toContain(words);
  });
});

const name = fc.stringMatching(/^[a-z]{1,8}$/);
const text = fc
  .string({ minLength: 1, maxLength: 10 })
  .map((said): HubPart => ({ kind: "text", text: said, cache: null }));
const image = fc.constantFrom<HubPart>(
  { kind: "image", source: { at: "url", url: "https://a/b" }, detail: "auto", cache: null },
  { kind: "image", source: { at: "inline", mediaType: "image/png", data: "AAAA" }, detail: "low", cache: null },
);
const file: fc.Arbitrary<HubPart> = name.map((id) => ({
  kind: "file",
  source: { at: "inline", mediaType: "application/pdf", data: "BBBB" },
  name: `${id}.pdf`,
  cache: null,
}));
const turn = fc.record({
  user: fc.array(fc.oneof(text, image, file), { minLength: 1, maxLength: 3 }),
  thought: fc.option(fc.string({ minLength: 1, maxLength: 5 })),
  answer: fc.array(
    fc.oneof(
      text,
      fc.string({ minLength: 1 }).map((said): HubPart => ({ kind: "refusal", text: said, cache: null })),
    ),
    {
      maxLength: 2,
    },
  ),
  calls: fc.array(name, { maxLength: 2 }),
});
const drawn = fc.record({
  turns: fc.array(turn, { minLength: 1, maxLength: 3 }),
  system: fc.option(fc.string({ minLength: 1 })),
  maxTokens: fc.option(fc.integer({ min: 16, max: 9000 })),
  temperature: fc.option(fc.constantFrom(0, 0.5, 1)),
  strict: fc.boolean(),
  effort: fc.option(fc.constantFrom("low", "high")),
  stream: fc.boolean(),
  toolChoice: fc.constantFrom(null, { kind: "auto" as const }, { kind: "tool" as const, name: "f" }),
});
type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;
type Turn = Drawn["turns"][number];

const request: fc.Arbitrary<HubRequest> = drawn.map(requestOf);

function requestOf({ turns, system, strict, effort, ...rest }: Drawn): HubRequest {
  return {
    ...nothing,
    ...rest,
    system: system === null ? [] : [{ kind: "text", text: system, cache: null }],
    messages: merged(turns.flatMap(messagesOf)),
    tools: [{ name: "f", description: "does it", parameters: { type: "object", properties: {} }, strict, cache: null }],
    reasoning: effort === null ? null : { enabled: true, effort, budget: null, shown: true },
  };
}

function messagesOf({ user, thought, answer, calls }: Turn, at: number): HubMessage[] {
  const opaque = { dialect: "openai-responses" as const, data: "gAAA" };
  const said: HubPart[] = [];
  const results: HubPart[] = [];
  if (thought !== null)
    said.push({ kind: "thought", text: thought, opaque, redacted: false, id: `rs_${at}`, cache: null });
  said.push(...answer);
  for (const [index, name] of calls.entries()) {
    const id = `call_${at}_${index}`;
    const parts: HubPart[] = [{ kind: "text", text: "done", cache: null }];
    said.push({ kind: "tool_call", id, name, arguments: '{"a":1}', cache: null });
    results.push({ kind: "tool_result", callId: id, name, parts, isError: false, cache: null });
  }
  const messages: HubMessage[] = [{ role: "user", parts: user }];
  if (said.length > 0) messages.push({ role: "assistant", parts: said });
  if (results.length > 0) messages.push({ role: "user", parts: results });
  return messages;
}

/** This dialect's items know no turns: neighbours of one role are one message. */
function merged(messages: HubRequest["messages"]): HubRequest["messages"] {
  const joined: { role: "user" | "assistant"; parts: HubPart[] }[] = [];
  for (const { role, parts } of messages) {
    const last = joined.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else joined.push({ role, parts: [...parts] });
  }
  return joined;
}

describe("a request written", () => {
  it("is read again as itself", () => {
    fc.assert(
      fc.property(request, (made) => {
        const { body, notes } = writeRequest(made, target);
        expect(notes).toEqual([]);
        expect(toHub(body)).toEqual(made);
      }),
    );
  });

  it("asks that nothing be kept, and says that tools are not strict unless they are", () => {
    const tools = [{ name: "f", description: null, parameters: null, strict: null, cache: null }];
    expect(written({ ...nothing, tools })).toMatchObject({
      model: "gpt-up",
      store: false,
      tools: [{ type: "function", name: "f", strict: false, parameters: { type: "object" } }],
    });
  });

  it("notes what it has no words for", () => {
    const { notes } = written({ ...nothing, topK: 4, stop: ["END"], seed: 1, presencePenalty: 0, maxTokens: 5 });
    expect(notes).toEqual([
      "the limit of 5 tokens was sent as 16, the lowest that is taken",
      "top_k was left out: the Responses API has no such parameter",
      "stop was left out: the Responses API has no such parameter",
      "seed was left out: the Responses API has no such parameter",
    ]);
  });

  it.each([
    ["gpt-5.2", "none"],
    ["gpt-5-mini", "minimal"],
    ["o4-mini", "low"],
    ["gpt-4.1", undefined],
    ["gpt-5-chat-latest", undefined],
  ])("asks %s not to reason by %s", (canonicalModel, effort) => {
    const reasoning = { enabled: false, effort: null, budget: null, shown: null };
    expect(written({ ...nothing, reasoning }, { canonicalModel }).reasoning).toEqual(
      effort === undefined ? undefined : { effort },
    );
  });

  it("asks for encrypted reasoning where the model reasons and the client wants it to", () => {
    const reasoning = { enabled: true, effort: "high", budget: null, shown: null };
    const asked = (canonicalModel: string, wanted: HubRequest["reasoning"]): unknown =>
      written({ ...nothing, reasoning: wanted }, { canonicalModel }).include;
    expect(asked("gpt-5.2", reasoning)).toEqual(["reasoning.encrypted_content"]);
    expect(asked("gpt-5.2", null)).toBeUndefined();
    expect(asked("gpt-5.2", { ...reasoning, enabled: false })).toBeUndefined();
    expect(asked("gpt-oss-120b", reasoning)).toBeUndefined();
  });

  it("gives a long id of a call and its result one shorter id", () => {
    const long = "x".repeat(70);
    const messages: HubRequest["messages"] = [
      { role: "assistant", parts: [{ kind: "tool_call", id: long, name: "f", arguments: "", cache: null }] },
      {
        role: "user",
        parts: [{ kind: "tool_result", callId: long, name: "f", parts: [], isError: true, cache: null }],
      },
    ];
    const { input, notes } = written({ ...nothing, messages });
    const short = expect.stringMatching(/^call_[0-9a-f]{59}$/) as string;
    expect(input).toMatchObject([{ call_id: short, arguments: "{}" }, { call_id: short }]);
    expect(notes).toEqual(["that a tool failed is said by its output alone"]);
  });

  it("leaves out what another provider signed, with a note", () => {
    const opaque = { dialect: "anthropic-messages" as const, data: "sig" };
    const parts: HubPart[] = [{ kind: "thought", text: "Hm.", opaque, redacted: false, id: null, cache: null }];
    const { input, notes } = written({ ...nothing, messages: [{ role: "assistant", parts }] });
    expect(input).toEqual([]);
    expect(notes).toEqual(["reasoning of earlier turns was left out: only its own provider takes it back"]);
  });
});
