import { describe, expect, it } from "vitest";

import type { HubRequest } from "../hub/request.ts";
import { writeTarget } from "../hub/hub.test-data.ts";
import { openai } from "../providers/openai.ts";
import { chatClient, chatUpstream } from "./codec.ts";

function read(fields: object): HubRequest {
  const hub = chatClient.toHub(Buffer.from(JSON.stringify({ model: "", ...fields })));
  if ("code" in hub) throw new Error(hub.message);
  return hub;
}

function refused(fields: object): unknown {
  const hub = chatClient.toHub(Buffer.from(JSON.stringify({ model: "", messages: [], ...fields })));
  return "code" in hub ? [hub.param, hub.message] : null;
}

const said = (content: unknown): object => ({ messages: [{ role: "user", content }] });

/** Through the hub and back. */
function back(fields: object, target = writeTarget()): { body: Record<string, unknown>; notes: readonly string[] } {
  const { body, notes } = chatUpstream.write(read(fields), target);
  return { body: JSON.parse(body.toString()) as Record<string, unknown>, notes };
}

describe("a chat request in the hub", () => {
  it("has its system prompts before its messages, and a turn's tool results in one message of the user's", () => {
    const hub = read({
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "developer",
          content: [{ type: "text", text: "Be kind.", cache_control: { type: "ephemeral", ttl: "1h" } }],
        },
        { role: "user", content: "Weather?" },
        {
          role: "assistant",
          content: null,
          reasoning_content: "Two places.",
          tool_calls: [
            { id: "a", type: "function", function: { name: "go", arguments: '{"at":"x"}' } },
            { id: "b", type: "function", function: { name: "stay", arguments: "" } },
          ],
        },
        { role: "tool", tool_call_id: "a", content: "hot" },
        { role: "tool", tool_call_id: "b", content: [{ type: "text", text: "cold" }] },
        { role: "user", content: "And?" },
      ],
    });
    expect(hub.system).toEqual([
      { kind: "text", text: "Be brief.", cache: null },
      { kind: "text", text: "Be kind.", cache: { ttl: "1h" } },
    ]);
    expect(hub.messages.map(({ role, parts }) => [role, parts.map(({ kind }) => kind)])).toEqual([
      ["user", ["text"]],
      ["assistant", ["thought", "tool_call", "tool_call"]],
      ["user", ["tool_result", "tool_result"]],
      ["user", ["text"]],
    ]);
    expect(hub.messages[1]?.parts[2]).toMatchObject({ name: "stay", arguments: "{}" });
    expect(hub.messages[2]?.parts[1]).toMatchObject({ callId: "b", name: "stay", parts: [{ text: "cold" }] });
  });

  it("tells images, files and audio apart by where their bytes are", () => {
    const { messages } = read(
      said([
        { type: "image_url", image_url: { url: "https://x.example/cat.png", detail: "low" } },
        { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
        { type: "image_url", image_url: { url: "data:image/svg+xml,%3Csvg%3E" } },
        { type: "input_audio", input_audio: { data: "BBBB", format: "mp3" } },
        { type: "file", file: { file_id: "file-1" } },
        { type: "file", file: { file_data: "data:application/pdf;base64,CCCC", filename: "a.pdf" } },
        { type: "file", file: { file_data: "DDDD" } },
      ]),
    );
    expect(messages[0]?.parts.map((part) => ("source" in part ? part.source : part))).toEqual([
      { at: "url", url: "https://x.example/cat.png" },
      { at: "inline", mediaType: "image/png", data: "AAAA" },
      { at: "inline", mediaType: "image/svg+xml", data: Buffer.from("<svg>").toString("base64") },
      { at: "inline", mediaType: "audio/mp3", data: "BBBB" },
      { at: "id", id: "file-1", dialect: "openai-chat" },
      { at: "inline", mediaType: "application/pdf", data: "CCCC" },
      { at: "inline", mediaType: "application/pdf", data: "DDDD" },
    ]);
  });

  it.each([
    [{ reasoning_effort: "high" }, { enabled: true, effort: "high", budget: null, shown: null }],
    [{ reasoning_effort: "none" }, { enabled: false, effort: null, budget: null, shown: null }],
    [{ reasoning: { max_tokens: 2000 } }, { enabled: true, effort: null, budget: 2000, shown: null }],
    [{ reasoning: { effort: "low", exclude: true } }, { enabled: true, effort: "low", budget: null, shown: false }],
    [{ reasoning: { enabled: false } }, { enabled: false, effort: null, budget: null, shown: null }],
    [{ reasoning: {} }, null],
    [{}, null],
  ])("knows how much reasoning is wanted by %j", (fields, reasoning) => {
    expect(read({ ...said("x"), ...fields }).reasoning).toEqual(reasoning);
  });

  it("gives back to their maker what only it can read, however the client kept it", () => {
    const { messages } = read({
      messages: [
        {
          role: "assistant",
          content: "x",
          reasoning_details: [
            { type: "reasoning.text", text: "hm", signature: "sig", format: "anthropic-claude-v1", index: 0 },
            { type: "reasoning.encrypted", data: "enc", format: "anthropic-claude-v1", index: 1 },
            { type: "reasoning.text", text: "who?", signature: "sig", format: "nobody" },
          ],
          tool_calls: [
            {
              id: "a",
              type: "function",
              function: { name: "f", arguments: "{}" },
              extra_content: { google: { thought_signature: "proof" } },
            },
          ],
        },
      ],
    });
    expect(messages[0]?.parts).toMatchObject([
      { kind: "thought", text: "hm", redacted: false, opaque: { dialect: "anthropic-messages", data: "sig" } },
      { kind: "thought", text: "", redacted: true, opaque: { dialect: "anthropic-messages", data: "enc" } },
      { kind: "thought", text: "who?", opaque: null },
      { kind: "text" },
      { kind: "tool_call", opaque: { dialect: "gemini", data: "proof" } },
    ]);
  });

  it("takes a call's signature to Google's models alone, and says so", () => {
    const call = {
      id: "a",
      type: "function",
      function: { name: "f", arguments: "{}" },
      extra_content: { google: { thought_signature: "proof" } },
    };
    const sent = { messages: [{ role: "assistant", content: null, tool_calls: [call] }] };
    const { extra_content: _proof, ...bare } = call;
    const elsewhere = back(sent);
    expect(elsewhere.body.messages).toEqual([{ ...sent.messages[0], tool_calls: [bare] }]);
    expect(elsewhere.notes).toEqual([
      "signatures of earlier calls were left out: they are for the model that made them",
    ]);
    const there = back(sent, { ...writeTarget(), canonicalModel: "gemini-3-flash" });
    expect(there).toMatchObject({ body: sent, notes: [] });
  });

  it("names what it has no place for, and not what asks for nothing", () => {
    const hub = read({
      ...said("x"),
      logit_bias: {},
      store: false,
      modalities: ["text"],
      metadata: { a: "b" },
      verbosity: "low",
      prediction: null,
      stream_options: { include_usage: true },
      ["__proto__x"]: 1,
    });
    expect(hub.left).toEqual(["metadata", "verbosity", "__proto__x"]);
    const named = {
      messages: [
        { role: "user", name: "ann", content: "x" },
        { role: "system", content: "y" },
      ],
    };
    expect(read(named).left).toEqual(["the name in a message", "the place of a system message"]);
  });

  it("takes a member called __proto__ for one it does not know", () => {
    const body = Buffer.from('{"model":"","messages":[],"__proto__":{"stream":true},"constructor":1}');
    expect(chatClient.toHub(body)).toMatchObject({ stream: false, left: ["__proto__", "constructor"] });
  });

  it.each([
    ["functions", { functions: [{ name: "f" }] }],
    ["function_call", { function_call: { name: "f" } }],
    ["modalities", { modalities: ["text", "audio"] }],
    ["tools[0]", { tools: [{ type: "custom", custom: { name: "f" } }] }],
    ["tool_choice", { tool_choice: { type: "allowed_tools" } }],
    ["response_format", { response_format: { type: "grammar" } }],
    ["messages[0].role", { messages: [{ role: "function", content: "x" }] }],
    ["messages[0].content[0]", { messages: [{ role: "user", content: [{ type: "video_url" }] }] }],
    ["messages[0].audio", { messages: [{ role: "assistant", audio: { id: "a" } }] }],
    ["messages[0].tool_calls[0]", { messages: [{ role: "assistant", tool_calls: [{ type: "custom" }] }] }],
    ["messages[0]", { messages: ["x"] }],
    ["messages[0].content", { messages: [{ role: "user", content: 5 }] }],
  ])("is refused where only this dialect can say it, with its place: %s", (param, fields) => {
    expect(refused(fields)).toEqual([param, expect.any(String)]);
  });
});

describe("a chat request through the hub and back", () => {
  it("says all that matters as before", () => {
    const fields = {
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: "https://x.example/cat.png", detail: "low" } },
            { type: "input_audio", input_audio: { data: "BBBB", format: "mp3" } },
            { type: "file", file: { file_data: "data:application/pdf;base64,CCCC", filename: "a.pdf" } },
          ],
        },
        {
          role: "assistant",
          content: "Let me look.",
          tool_calls: [{ id: "a", type: "function", function: { name: "look", arguments: '{"at": 1}' } }],
        },
        { role: "tool", tool_call_id: "a", content: "a cat" },
        { role: "user", content: "Really?" },
      ],
      tools: [
        {
          type: "function",
          function: { name: "look", description: "d", parameters: { type: "object" }, strict: true },
        },
      ],
      tool_choice: { type: "function", function: { name: "look" } },
      parallel_tool_calls: false,
      max_tokens: 100,
      temperature: 0,
      top_p: 0.5,
      top_k: 4,
      stop: ["a", "b"],
      seed: 7,
      presence_penalty: 0.1,
      frequency_penalty: -0.1,
      response_format: {
        type: "json_schema",
        json_schema: { name: "n", description: "d", schema: { type: "object" }, strict: true },
      },
      reasoning_effort: "low",
      user: "u",
      stream: true,
      stream_options: { include_usage: true },
    };
    expect(back(fields)).toEqual({ body: { model: "upstream-model", ...fields }, notes: [] });
  });

  it("says what a deployment takes by the name it takes it by, and notes what it leaves out", () => {
    const parameters = {
      takes: null,
      refuses: new Set(openai.refuses),
      modelRefuses: new Set(["max_tokens", "temperature"]),
      maxStops: 4,
    };
    const target = writeTarget({ preset: openai, parameters });
    const { body, notes } = back({ ...said("x"), max_tokens: 5, temperature: 1, top_k: 3 }, target);
    expect(body).toEqual({
      model: "upstream-model",
      messages: [{ role: "user", content: "x" }],
      max_completion_tokens: 5,
    });
    expect(notes).toEqual([
      "temperature was left out: it is not taken there",
      "top_k was left out: it is not taken there",
    ]);
  });

  it("leaves out what only the model is known to refuse, and never what the answer depends on", () => {
    const parameters = {
      takes: null,
      refuses: new Set<string>(),
      modelRefuses: new Set(["temperature", "stop", "tools"]),
      maxStops: null,
    };
    const { body, notes } = back({ ...said("x"), temperature: 0.3, stop: ["s"] }, writeTarget({ parameters }));
    expect(body).toEqual({ model: "upstream-model", messages: [{ role: "user", content: "x" }], stop: ["s"] });
    expect(notes).toEqual(["temperature was left out: it is not taken there"]);
  });

  it("asks for usage in a stream only where that is understood", () => {
    const deaf = writeTarget({ preset: { ...openai, streamUsage: false } });
    expect(back({ ...said("x"), stream: true }, deaf).body).toEqual({
      model: "upstream-model",
      messages: [{ role: "user", content: "x" }],
      stream: true,
    });
  });

  it("turns a budget into the nearest effort, and does not ask for less than every model knows", () => {
    expect(back({ ...said("x"), reasoning: { max_tokens: 9000 } }).body.reasoning_effort).toBe("medium");
    const { body, notes } = back({ ...said("x"), reasoning: { enabled: false } });
    expect(body).not.toHaveProperty("reasoning_effort");
    expect(notes).toHaveLength(1);
  });
});

describe("a request of another dialect, as chat", () => {
  const hub = (fields: Partial<HubRequest>): HubRequest => ({ ...read(said("x")), ...fields });
  const written = (fields: Partial<HubRequest>): unknown[] => {
    const { body } = chatUpstream.write(hub(fields), writeTarget());
    return (JSON.parse(body.toString()) as { messages: unknown[] }).messages;
  };
  const plain = (text: string) => ({ kind: "text", text, cache: null }) as const;
  const image = {
    kind: "image",
    source: { at: "url", url: "https://x.example/a.png" },
    detail: null,
    cache: null,
  } as const;

  it("has a turn's tool results before the rest of the turn, and pictures of tools as the user's", () => {
    expect(
      written({
        messages: [
          {
            role: "user",
            parts: [
              {
                kind: "tool_result",
                callId: "a",
                name: "f",
                parts: [plain("1"), plain("2")],
                isError: false,
                cache: null,
              },
              { kind: "tool_result", callId: "b", name: "g", parts: [image], isError: false, cache: null },
              { kind: "tool_result", callId: "c", name: "h", parts: [plain("no")], isError: true, cache: null },
              plain("Go on."),
            ],
          },
        ],
      }),
    ).toEqual([
      { role: "tool", tool_call_id: "a", content: "1\n\n2" },
      { role: "tool", tool_call_id: "b", content: "The result is in the next message." },
      { role: "tool", tool_call_id: "c", content: "Error: no" },
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: "https://x.example/a.png" } },
          { type: "text", text: "Go on." },
        ],
      },
    ]);
  });

  it("has texts side by side as one, and a document of text as its text", () => {
    const file = {
      kind: "file",
      source: { at: "inline", mediaType: "text/plain", data: Buffer.from("Dear all").toString("base64") },
      name: "letter",
      cache: null,
    } as const;
    expect(
      written({
        system: [plain("a"), plain("b")],
        messages: [
          { role: "user", parts: [plain("c"), plain("d")] },
          { role: "user", parts: [file] },
        ],
      }),
    ).toEqual([
      { role: "system", content: "a\n\nb" },
      { role: "user", content: "c\n\nd" },
      { role: "user", content: [{ type: "text", text: "letter:\n\nDear all" }] },
    ]);
  });

  it("notes that reasoning is not given back", () => {
    const thought = { kind: "thought", text: "hm", opaque: null, redacted: false, id: null, cache: null } as const;
    const request = hub({ messages: [{ role: "assistant", parts: [thought, plain("x")] }] });
    const { body, notes } = chatUpstream.write(request, writeTarget());
    expect(body.toString()).not.toContain("hm");
    expect(notes).toEqual(["earlier reasoning was left out: it is not taken back there"]);
  });

  it("can't have files by URL, images by id and audio by address", () => {
    const file = (source: object) => ({ kind: "file", source, name: null, cache: null });
    const with_ = (part: object): string | null | undefined =>
      chatUpstream.obstacle?.(hub({ messages: [{ role: "user", parts: [part as never] }] }));
    expect(with_(image)).toBeNull();
    expect(with_({ ...image, source: { at: "id", id: "x", dialect: "openai-responses" } })).toContain("images");
    expect(with_(file({ at: "url", url: "https://x.example/a.pdf" }))).toContain("files");
    expect(with_({ ...file({ at: "url", url: "https://x.example/a.mp3" }), kind: "audio" })).toContain("audio");
    const nested = {
      kind: "tool_result",
      callId: "a",
      name: null,
      parts: [file({ at: "url", url: "u" })],
      isError: false,
    };
    expect(with_(nested)).toContain("files");
  });
});
