import { chatAnswer } from "@tuloy/testkit";
import type { Script } from "@tuloy/testkit";
import { beforeAll, describe, expect, test } from "vitest";

import { answersFromB, inText, neverOpen, overloadedError, page, words } from "../a-and-b.ts";
import type { BrokenAnswer } from "../a-and-b.ts";
import { model } from "../harness.ts";
import { openScene, question } from "../scene.ts";
import type { Scene } from "../scene.ts";

const garbledAnswers: Readonly<Record<string, BrokenAnswer>> = {
  "never answers": { a: (reply) => reply.silence(), failure: "first_token_timeout", status: null },
  "sends half an answer and then nothing": {
    a: (reply) => reply.status(200).headers({ "content-type": "application/json" }, 500).chunk('{"id":"chatcmpl-a",'),
    failure: "first_token_timeout",
    status: 200,
  },
  "closes before all it announced is sent": {
    a: (reply) => reply.status(200).headers({ "content-type": "application/json" }, 500).chunk('{"id":"a",').fin(),
    failure: "reset",
    status: 200,
  },
  "sends half a JSON": {
    a: (reply) => inText(reply, "application/json", '{"id":"chatcmpl-a","choices":[{"mess'),
    failure: "garbled",
    status: 200,
  },
  "sends a page": { a: (reply) => inText(reply, "text/html", page), failure: "garbled", status: 200 },
  "sends an error under 200": {
    a: (reply) => reply.json(200, overloadedError),
    failure: "overloaded",
    status: 200,
  },
  "sends nothing at all under 200": { a: (reply) => reply.json(200, ""), failure: "garbled", status: 200 },
  "is overloaded": { a: (reply) => reply.json(529, overloadedError), failure: "overloaded", status: 529 },
};

describe("a JSON answer comes whole from B when A", () => {
  let scene: Scene<"a" | "b">;
  beforeAll(async () => {
    const opened = await openScene({ a: [], b: answersFromB }, { failover: `answer: 150ms, ${neverOpen}` });
    scene = opened.scene;
    return opened.close;
  });

  test.each(Object.entries(garbledAnswers))("%s", async (_, { a: script, failure, status }) => {
    const { a, b, gateway } = scene;
    a.script(script);
    const asked = { a: a.requests.length, b: b.requests.length };
    const { data, response } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data).toEqual(chatAnswer(words, { id: "chatcmpl-b" }));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "x-tuloy-provider": "b",
      "x-tuloy-attempts": "2",
      "x-tuloy-failover": failure,
    });
    expect([a.requests.length, b.requests.length]).toEqual([asked.a + 1, asked.b + 1]);
    const trace = await gateway.trace(response.headers.get("x-tuloy-trace-id"));
    expect(trace.attempts).toMatchObject([
      { provider: "a", failure, status },
      { provider: "b", failure: null },
    ]);
  });
});

describe("embeddings come whole from B when A", () => {
  const vectors = {
    object: "list",
    model: "b-model-x",
    data: [{ object: "embedding", index: 0, embedding: [0.1, -0.25, 1e-7, 0.5] }],
    usage: { prompt_tokens: 2, total_tokens: 2 },
  };
  const faults: [string, Script, string][] = [
    ["is overloaded", (reply) => reply.json(503, overloadedError), "overloaded"],
    ["resets", (reply) => reply.status(200).headers({}, 500).chunk("{").reset(), "reset"],
    ["sends a list without vectors", (reply) => reply.json(200, { ...vectors, data: [] }), "garbled"],
    ["never answers", (reply) => reply.silence(), "first_token_timeout"],
  ];
  let scene: Scene<"a" | "b">;
  beforeAll(async () => {
    const embeds = { model: "operation: embeddings, dimensions: 4" };
    const opened = await openScene(
      { a: [], b: (reply) => reply.json(200, vectors) },
      { failover: `answer: 150ms, ${neverOpen}`, providers: { a: embeds, b: embeds } },
    );
    scene = opened.scene;
    return opened.close;
  });

  test.each(faults)("%s", async (_, script, failure) => {
    const { a, b, gateway } = scene;
    a.script(script);
    const asked = { a: a.requests.length, b: b.requests.length };
    const { data, response } = await gateway
      .client()
      .embeddings.create({ model, input: "go on", encoding_format: "float" })
      .withResponse();
    expect(data).toEqual(vectors);
    expect(response.headers.get("x-tuloy-failover")).toBe(failure);
    expect([a.requests.length, b.requests.length]).toEqual([asked.a + 1, asked.b + 1]);
    expect([a.requests.at(-1)?.path, b.requests.at(-1)?.path]).toEqual(["/v1/embeddings", "/v1/embeddings"]);
    const trace = await gateway.trace(response.headers.get("x-tuloy-trace-id"));
    expect(trace).toMatchObject({ operation: "embeddings", provider: "b", usage: { input_tokens: 2 } });
  });
});
