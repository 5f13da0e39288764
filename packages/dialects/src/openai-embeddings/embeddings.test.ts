import { describe, expect, it } from "vitest";

import { openai } from "../providers/openai.ts";
import { isReadRequest, type ReadRequest } from "../request.ts";
import { openaiEmbeddings } from "./dialect.ts";

function read(body: unknown): ReadRequest {
  const result = openaiEmbeddings.read(Buffer.from(JSON.stringify(body)));
  if (!isReadRequest(result)) throw new Error(result.message);
  return result;
}

const answer = (body: unknown): ReturnType<typeof openaiEmbeddings.readAnswer> =>
  openaiEmbeddings.readAnswer(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), openai);

describe("a request for embeddings", () => {
  it.each([
    ["one text", "x".repeat(40), 10, 10],
    ["several texts, of which each has to fit by itself", ["x".repeat(40), "x".repeat(80)], 30, 20],
    ["tokens", [1, 2, 3], 3, 3],
    ["several lists of tokens", [[1, 2, 3], [4]], 4, 3],
  ])("is measured for %s", (_, input, inputTokens, contextTokens) => {
    const { facts, operation } = read({ model: "e", input });
    expect(operation).toBe("embeddings");
    expect(facts).toMatchObject({
      inputTokens,
      contextTokens,
      maxOutputTokens: 0,
      stream: false,
      choices: 1,
      capabilities: [],
    });
  });

  it("has only its model changed", () => {
    const request = read({ model: "e", input: "x", dimensions: 5 });
    expect(request.encode("up", { streamUsage: true }).toString()).toBe('{"model":"up","input":"x","dimensions":5}');
  });

  it("is refused without an input, and with a nonsensical one", () => {
    const refuse = (body: unknown): unknown => openaiEmbeddings.read(Buffer.from(JSON.stringify(body)));
    expect(refuse({ model: "e" })).toMatchObject({ code: "invalid_request", param: "input" });
    expect(refuse({ model: "e", input: 5 })).toMatchObject({
      param: "input",
      message: expect.stringContaining("a number"),
    });
    expect(refuse({ input: "x" })).toMatchObject({ param: "model" });
  });
});

describe("an answer with embeddings", () => {
  it("is good with floats or base64, and tells its usage", () => {
    for (const embedding of [[0.1, 0.2], "AACAPw=="]) {
      const body = { object: "list", data: [{ index: 0, embedding }], usage: { prompt_tokens: 5, total_tokens: 5 } };
      expect(answer(body)).toMatchObject({ ok: true, empty: false, usage: { input_tokens: 5, output_tokens: 0 } });
    }
  });

  it.each([
    ["no data", { object: "list" }],
    ["empty data", { object: "list", data: [] }],
    ["an item without its embedding", { data: [{ index: 0 }] }],
    ["an empty embedding", { data: [{ embedding: [] }] }],
    ["half a document", '{"data":[{"embedding":[0.1'],
  ])("is garbled with %s", (_, body) => {
    expect(answer(body)).toMatchObject({ ok: false, failure: { class: "garbled", status: 200 } });
  });

  it("fails by the error inside it", () => {
    expect(answer({ error: { code: "rate_limit_exceeded", message: "slow" } })).toMatchObject({
      ok: false,
      failure: { class: "rate_limited" },
    });
  });
});
