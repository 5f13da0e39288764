import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isReadRequest, type ReadRequest } from "../request.ts";
import { readChatRequest } from "./request.ts";

const usual = { model: "gpt-4.1", messages: [{ role: "user", content: "Hi" }] };
const quiet = { streamUsage: false };
const asking = { streamUsage: true };

function read(body: unknown): ReadRequest {
  const result = readChatRequest(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)));
  if (!isReadRequest(result)) throw new Error(result.message);
  return result;
}

function refuse(body: unknown): { code: string; param: string | null; message: string; status: number } {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const result = readChatRequest(bytes);
  if (isReadRequest(result)) throw new Error("was read");
  return result;
}

describe("readChatRequest", () => {
  it("reads the facts of a plain request", () => {
    const request = read({ ...usual, max_tokens: 50 });
    expect(request).toMatchObject({ operation: "chat", dialect: "openai-chat", model: "gpt-4.1" });
    expect(request.facts).toEqual({
      stream: false,
      wantsUsage: false,
      choices: 1,
      capabilities: [],
      inputTokens: 20,
      contextTokens: 20,
      maxOutputTokens: 50,
      highEffort: false,
      overrides: null,
      session: null,
      parameters: ["max_tokens"],
      stops: 0,
      stored: null,
    });
  });

  it.each([
    ["tools", { tools: [{ type: "function", function: { name: "f" } }] }],
    ["tools", { functions: [{ name: "f" }] }],
    [
      "images",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://a/b.png" } }] }] },
    ],
    ["json_schema", { response_format: { type: "json_schema", json_schema: {} } }],
    ["logprobs", { logprobs: true }],
    ["n", { n: 2 }],
    ["audio", { modalities: ["text", "audio"] }],
    ["audio", { messages: [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "AAAA" } }] }] }],
    ["files", { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file-1" } }] }] }],
  ])("sees that a request uses %s", (capability, fields) => {
    expect(read({ ...usual, ...fields }).facts.capabilities).toEqual([capability]);
  });

  it.each([
    [3, 3],
    [1, 1],
    [0, 1],
    [null, 1],
    ["2", 1],
    [-1, 1],
  ])("takes n: %j for %i choices", (n, choices) => {
    expect(read({ ...usual, n }).facts.choices).toBe(choices);
  });

  it("sees no capability in fields that are there but ask for nothing", () => {
    const fields = {
      tools: [],
      n: 1,
      logprobs: false,
      top_logprobs: 0,
      response_format: { type: "json_object" },
      modalities: ["text"],
    };
    expect(read({ ...usual, ...fields }).facts.capabilities).toEqual([]);
  });

  it("does not take an embedded image's bytes for text", () => {
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(1_000_000)}` } };
    const { inputTokens } = read({ ...usual, messages: [{ role: "user", content: [image] }] }).facts;
    expect(inputTokens).toBeGreaterThan(1000);
    expect(inputTokens).toBeLessThan(1100);
  });

  it("takes an embedded file for as many tokens as its pages have", () => {
    const file = { type: "file", file: { file_data: `data:application/pdf;base64,${"A".repeat(1_000_000)}` } };
    const { inputTokens } = read({ ...usual, messages: [{ role: "user", content: [file] }] }).facts;
    expect(inputTokens).toBeGreaterThan(40_000);
    expect(inputTokens).toBeLessThan(41_000);
  });

  it("prefers max_completion_tokens, and takes nonsense for no limit", () => {
    expect(read({ ...usual, max_tokens: 5, max_completion_tokens: 7 }).facts.maxOutputTokens).toBe(7);
    expect(read({ ...usual, max_tokens: "many" }).facts.maxOutputTokens).toBeNull();
  });

  it.each([
    ["high", true],
    ["xhigh", true],
    ["medium", false],
  ])("knows reasoning effort %s", (effort, high) => {
    expect(read({ ...usual, reasoning_effort: effort }).facts.highEffort).toBe(high);
    expect(read({ ...usual, reasoning: { effort } }).facts.highEffort).toBe(high);
  });

  it("takes null for an absent stream, and lets unknown fields pass", () => {
    const request = read({ ...usual, stream: null, anything: { at: ["all"] } });
    expect(request.facts.stream).toBe(false);
    expect(JSON.parse(request.encode("gpt-4.1", asking).toString())).toHaveProperty("anything");
  });
});

describe("a refused request", () => {
  it.each([
    [{ messages: [] }, "model", 'The field "model" is missing.'],
    [{ ...usual, model: "" }, "model", 'The field "model" is empty.'],
    [{ ...usual, model: 5 }, "model", 'The field "model" must be a string, but it is a number.'],
    [{ ...usual, model: null }, "model", "but it is null"],
    [{ model: "m" }, "messages", 'The field "messages" is missing.'],
    [{ ...usual, messages: "Hi" }, "messages", "must be an array of messages, but it is a string"],
    [{ ...usual, stream: "yes" }, "stream", "must be true or false, but it is a string"],
    [[usual], null, "must be a JSON object, but it is an array"],
    ["null", null, "must be a JSON object, but it is null"],
  ])("%j names the field and what to do", (body, param, message) => {
    const error = refuse(body);
    expect(error).toMatchObject({ code: "invalid_request", status: 400, param });
    expect(error.message).toContain(message);
  });

  it("says where the JSON breaks", () => {
    expect(refuse('{"model":"m",\n "messages": [1,]}')).toMatchObject({
      code: "invalid_json",
      message:
        'The request body is not valid JSON: at line 2, column 17, a value is expected, but there is "]". Correct it there.',
    });
  });

  it("never quotes more than a character of a broken body", () => {
    expect(refuse('{"model":"m","messages":[{"content":"a secret plan" oops}]}').message).not.toMatch(/secret|oops/);
  });

  it("says that a body is empty or not UTF-8", () => {
    expect(refuse(" ")).toMatchObject({
      code: "invalid_json",
      message: "The request body is empty. Send a JSON object.",
    });
    const latin1 = Buffer.from('{"model":"m","messages":["é"]}', "latin1");
    expect(refuse(latin1)).toMatchObject({ code: "invalid_json", message: expect.stringContaining("not UTF-8") });
  });

  it("is one that nests too deep, with the place", () => {
    const deep = `{"model":"m",\n"messages":${"[".repeat(200)}${"]".repeat(200)}}`;
    expect(refuse(deep).message).toBe(
      "The request body nests deeper than 128 levels at line 2, column 139. Flatten it.",
    );
  });
});

describe("encode", () => {
  it("returns the client's own bytes when nothing changes", () => {
    const body = Buffer.from(JSON.stringify({ ...usual, stream: true }));
    const request = readChatRequest(body);
    if (!isReadRequest(request)) throw new Error("refused");
    expect(request.encode("gpt-4.1", quiet)).toBe(body);
  });

  it("changes the model and no other byte", () => {
    const request = read('{ "messages" : [ {"role":"user","content":"model"} ], "model" :"gpt-4.1" , "x": 1e2 }');
    expect(request.encode('a/"b"', asking).toString()).toBe(
      '{ "messages" : [ {"role":"user","content":"model"} ], "model" :"a/\\"b\\"" , "x": 1e2 }',
    );
  });

  it("asks for usage in a stream where the provider knows that, and where the client did not", () => {
    const streaming = { ...usual, stream: true };
    const options = (fields: object, preset = asking): unknown =>
      JSON.parse(
        read({ ...streaming, ...fields })
          .encode("m", preset)
          .toString(),
      ).stream_options;
    expect(options({})).toEqual({ include_usage: true });
    expect(options({ stream_options: null })).toEqual({ include_usage: true });
    expect(options({ stream_options: {} })).toEqual({ include_usage: true });
    expect(options({ stream_options: { include_usage: false, other: [1] } })).toEqual({
      include_usage: true,
      other: [1],
    });
    expect(options({}, quiet)).toBeUndefined();
    expect(options({ stream: false })).toBeUndefined();
  });

  it("sees what the client itself asked for", () => {
    const body = JSON.stringify({ ...usual, stream: true, stream_options: { include_usage: true } });
    const request = read(body);
    expect(request.facts.wantsUsage).toBe(true);
    expect(request.encode("gpt-4.1", asking).toString()).toBe(body);
  });

  it("changes exactly model and stream_options.include_usage of any request", () => {
    const fields = fc.dictionary(
      fc.string().filter((key) => !["model", "messages", "stream", "stream_options", "__proto__"].includes(key)),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fields, fc.string({ minLength: 1 }), (extra, upstreamModel) => {
        const body = { ...extra, ...usual, stream: true };
        const sent: unknown = JSON.parse(read(body).encode(upstreamModel, asking).toString());
        const expected = { ...body, model: upstreamModel, stream_options: { include_usage: true } };
        expect(sent).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
    );
  });
});
