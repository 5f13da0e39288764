import { describe, expect, it } from "vitest";

import { openai } from "../providers/openai.ts";
import { readChatAnswer } from "./answer.ts";

const answer = (body: unknown): ReturnType<typeof readChatAnswer> =>
  readChatAnswer(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), openai);
const completion = (message: object, finish = "stop", usage: object | null = null): object => ({
  object: "chat.completion",
  choices: [{ index: 0, message, finish_reason: finish }],
  usage,
});

describe("readChatAnswer", () => {
  it("reads the usage of a good answer", () => {
    expect(answer(completion({ content: "Hi" }, "length", { prompt_tokens: 3, completion_tokens: 1 }))).toEqual({
      ok: true,
      empty: false,
      textLength: 0,
      usage: { input_tokens: 3, cached_input_tokens: 0, output_tokens: 1, reasoning_tokens: 0, source: "provider" },
    });
  });

  it.each([
    ["a tool call", { content: null, tool_calls: [{ id: "c", function: { name: "f", arguments: "{}" } }] }],
    ["a refusal", { content: null, refusal: "No." }],
    ["reasoning", { content: "", reasoning_content: "hm" }],
    ["audio", { content: null, audio: { id: "a", data: "AAAA" } }],
  ])("takes %s for content", (_, message) => {
    expect(answer(completion(message))).toMatchObject({ ok: true, empty: false });
  });

  it("calls an answer empty that has neither content nor output tokens", () => {
    expect(answer(completion({ content: "" }))).toMatchObject({ ok: true, empty: true, usage: null });
    expect(answer(completion({ content: null }, "stop", { prompt_tokens: 3, completion_tokens: 0 }))).toMatchObject({
      empty: true,
    });
    expect(answer(completion({ content: "" }, "length", { prompt_tokens: 3, completion_tokens: 9 }))).toMatchObject({
      empty: false,
    });
    expect(answer(completion({ content: null }, "content_filter"))).toMatchObject({ empty: false });
  });

  it.each([
    ["nothing", ""],
    ["half a document", '{"choices":[{"message":{"content":"Hel'],
    ["a page", "<html><body>502</body></html>"],
    ["plain text", "ok"],
    ["a JSON text", '"ok"'],
    ["an object that is no completion", { status: "ok" }],
    ["no choices", { object: "chat.completion", choices: [] }],
    ["a choice without a message", { choices: [{ index: 0 }] }],
    ["an error nobody knows", { error: { message: "??" } }],
  ])("finds %s garbled", (_, body) => {
    expect(answer(body)).toMatchObject({ ok: false, failure: { class: "garbled", status: 200 } });
  });

  it.each([
    [{ error: { code: "server_is_overloaded", message: "x" } }, "overloaded"],
    [
      {
        object: "error",
        code: 400,
        type: "BadRequestError",
        message: "This model's maximum context length is 8 tokens.",
      },
      "context_length",
    ],
    [[{ error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "Quota" } }], "rate_limited"],
    [{ error: "model 'x' not found, try pulling it first" }, "model_missing"],
  ])("judges %j by the error in it", (body, failure) => {
    expect(answer(body)).toMatchObject({ ok: false, failure: { class: failure } });
  });

  it("is not fooled by an answer that looks like a verdict", () => {
    expect(answer({ ok: false, failure: { class: "auth" } })).toMatchObject({ failure: { class: "garbled" } });
  });
});
