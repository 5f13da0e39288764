import {
  answersChat,
  answersError,
  chatChunk,
  chatChunks,
  expectClean,
  FakeClock,
  readChatStream,
  sse,
} from "@tuloy/testkit";
import type { Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { post, setScene } from "../scene.ts";

const words = "All from B.";
const shapeOfA = { id: "chatcmpl-a" };
const roleOfA = sse(chatChunk({ delta: { role: "assistant", content: "" } }, shapeOfA));
const usageOfA = sse({
  ...chatChunk({ delta: {} }, shapeOfA),
  choices: [],
  usage: { prompt_tokens: 1000, completion_tokens: 0, total_tokens: 1000 },
});

const busy = answersError(503, null, "busy");
const breaksOff: Script = (reply) => {
  reply.eventStream();
  for (const event of chatChunks(["All", " from"], { finishReason: null, done: false })) reply.chunk(event);
  return reply.reset();
};

describe("a second attempt inherits nothing from the first", () => {
  test("of its request: the body, the model's id and the key are the second's own", async () => {
    const { a, b, gateway } = await setScene({
      a: (reply) => reply.json(503, {}),
      b: answersChat(words),
    });
    await post(gateway, { stream: true, user: "u-1" });
    const [toA, toB] = [a.requests[0], b.requests[0]];
    expect(toA?.json()).toMatchObject({ model: "a-model-x", user: "u-1", stream: true });
    expect(toB?.json()).toMatchObject({ model: "b-model-x", user: "u-1", stream: true });
    expect(toB?.body.toString()).toBe(toA?.body.toString().replace("a-model-x", "b-model-x"));
    expect(toA?.headers.authorization).toBe("Bearer sk-a-secret-key");
    expect(toB?.headers).toEqual({
      ...toA?.headers,
      host: `127.0.0.1:${b.port}`,
      authorization: "Bearer sk-b-secret-key",
    });
  });

  test("of its answer's beginning: headers, role, usage, half an event and notes are gone", async () => {
    const { gateway } = await setScene({
      a: (reply) =>
        reply
          .eventStream("chunked", { "x-from": "a", "set-cookie": "a=1", "x-request-id": "of-a" })
          .chunk(roleOfA)
          .chunk(": a comment of A\n\n")
          .chunk(usageOfA)
          .chunk("data: not even JSON\n\n")
          .chunk('data: {"id":"chatcmpl-a","choices":[{"delta":{"content":"half')
          .reset(),
      b: (reply) => {
        reply.eventStream();
        for (const event of chatChunks([words], { id: "chatcmpl-b" })) reply.chunk(event);
        return reply.end();
      },
    });
    const raw = await post(gateway, { stream: true, stream_options: { include_usage: true } });
    expect(expectClean(raw, words)).toEqual([]);
    // B sent no usage, so what A sent would be the only one.
    expect(readChatStream(raw.body).usages).toEqual([]);
    expect(raw.text()).not.toMatch(/chatcmpl-a|comment of A|half/);
    expect(raw.headers).not.toHaveProperty("x-from");
    expect(raw.headers).not.toHaveProperty("set-cookie");
    expect(raw.headers["x-request-id"]).toBe(raw.headers["x-tuloy-trace-id"]);
    const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
    expect(trace).toMatchObject({ notes: [], usage: { source: "estimate" } });
    expect(trace.attempts.map(({ usage }) => usage?.source ?? null)).toEqual([null, "estimate"]);
  });

  test("of its time: the first-token limit begins anew", async () => {
    const { a, b, c, gateway } = await setScene(
      {
        a: (reply) => reply.wait(200).status(503).headers({}, 0),
        b: (reply, request) => answersChat(words)(reply.wait(200), request),
        c: answersChat("never asked"),
      },
      { failover: "first_token: 330ms" },
    );
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, words)).toEqual([]);
    expect([a, b, c].map(({ requests }) => requests.length)).toEqual([1, 1, 0]);
    expect(raw.totalMs).toBeGreaterThan(390);
  });

  test("of its time: the limit of a call that failed does not end the answer that follows", async () => {
    const { b, c, gateway } = await setScene(
      {
        a: (reply) => reply.json(503, {}),
        b: (reply) => {
          const [role = "", ...rest] = chatChunks(["All", " from", " B."]);
          reply.eventStream().chunk(role);
          for (const event of rest) reply.chunk(event).wait(100);
          return reply.end();
        },
        c: answersChat("never asked"),
      },
      { failover: "first_token: 250ms, stall: 2s" },
    );
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, words)).toEqual([]);
    expect(raw.totalMs).toBeGreaterThan(390);
    expect([b.requests.length, c.requests.length]).toEqual([1, 0]);
  });

  test("of its kind: after an error that was no stream, a stream is read as one", async () => {
    const { gateway } = await setScene({
      a: (reply) => reply.json(200, { error: { message: "no", type: "server_error" } }),
      b: answersChat(words),
    });
    expect(expectClean(await post(gateway, { stream: true }), words)).toEqual([]);
  });
});

test.each([
  ["a stream that failed over", { stream: true }, [busy, answersChat(words)]],
  ["a JSON answer that failed over", {}, [busy, answersChat(words)]],
  ["a stream that broke", { stream: true }, [breaksOff]],
  ["an error", {}, [busy, busy]],
] as const)("%s leaves no timer behind", async (_, body, replies) => {
  const clock = new FakeClock();
  const [first, second = first] = replies;
  const { gateway } = await setScene({ a: first, b: second }, { clock });
  // Long enough for the records to be written, too short for any limit of a request to pass.
  const settle = (): Promise<void> => clock.pass(3000);
  await settle();
  const before = clock.pending;
  await post(gateway, body);
  await settle();
  expect(clock.pending).toBe(before);
});
