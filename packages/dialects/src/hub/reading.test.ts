import { describe, expect, it } from "vitest";

import { chatClient, chatUpstream } from "../openai-chat/codec.ts";
import { openai } from "../providers/openai.ts";
import { writeContext } from "./hub.test-data.ts";
import { readExpressAnswer, TranslatedReading } from "./reading.ts";

const answer = (message: object, finish: string | null = "stop", fields: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ choices: [{ index: 0, message, finish_reason: finish }], ...fields }));

const translated = (reportModel: string | null = null): TranslatedReading =>
  new TranslatedReading({
    upstream: chatUpstream,
    client: chatClient,
    context: writeContext({ reportModel }),
    heartbeat: Buffer.alloc(0),
  });

describe.each([
  ["in its own dialect", (body: Buffer) => readExpressAnswer(chatUpstream, body, openai)],
  ["written anew", (body: Buffer) => translated().readAnswer(body, openai)],
])("a whole answer, %s,", (_, read) => {
  it("is judged by its content, its usage and its end", () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2 };
    expect(read(answer({ content: "Hi" }, "stop", { usage }))).toMatchObject({
      ok: true,
      empty: false,
      textLength: 2,
      usage: { input_tokens: 3, output_tokens: 2 },
    });
    expect(read(answer({ content: "" }))).toMatchObject({ ok: true, empty: true });
    expect(read(answer({ content: null }, "content_filter"))).toMatchObject({ ok: true, empty: false });
    expect(read(answer({ content: "" }, "length", { usage }))).toMatchObject({ ok: true, empty: false });
  });

  it.each([
    ["an error object", Buffer.from('{"error":{"message":"busy","code":503}}'), "overloaded"],
    ["a page", Buffer.from("<html>"), "garbled"],
    ["half of it", answer({ content: "Hi" }).subarray(0, 20), "garbled"],
    ["something else", Buffer.from('{"data":[]}'), "garbled"],
    ["an end by failure", answer({ content: "Hi" }, "error"), "server_error"],
  ])("is none when it is %s", (_what, body, failure) => {
    expect(read(body)).toMatchObject({ ok: false, failure: { class: failure } });
  });
});

describe("a whole answer that is written anew", () => {
  const said = (body: Buffer, reading = translated()): unknown => {
    const read = reading.readAnswer(body, openai);
    return read.ok ? JSON.parse(read.body?.toString() ?? "") : read;
  };

  it("has what its provider left out: an id, a model, a call's id", () => {
    const calls = [{ type: "function", function: { name: "f", arguments: "" } }];
    expect(said(answer({ content: null, tool_calls: calls }))).toEqual({
      id: "chatcmpl-made-2",
      object: "chat.completion",
      created: 1_700_000_000,
      model: "upstream-model",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: null,
            refusal: null,
            tool_calls: [{ id: "call_made-1", type: "function", function: { name: "f", arguments: "{}" } }],
          },
          logprobs: null,
          finish_reason: "tool_calls",
        },
      ],
    });
  });

  it("names the model as the route reports it", () => {
    expect(said(answer({ content: "x" }, "stop", { model: "m-2026" }))).toMatchObject({ model: "m-2026" });
    expect(said(answer({ content: "x" }, "stop", { model: "m-2026" }), translated("asked"))).toMatchObject({
      model: "asked",
    });
  });

  it("notes what it can't say", () => {
    const read = translated().readAnswer(answer({ content: "x", annotations: [{ type: "url_citation" }] }), openai);
    expect(read).toMatchObject({ ok: true, notes: ["annotations were left out"] });
  });
});
