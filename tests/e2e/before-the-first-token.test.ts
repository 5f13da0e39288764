import { answersChat, expectClean, sse } from "@tuloy/testkit";
import { beforeAll, describe, expect, test } from "vitest";

import { answersFromB, inText, neverOpen, overloadedError, page, roleOfA, shapeOfA, words } from "../a-and-b.ts";
import type { BrokenAnswer } from "../a-and-b.ts";
import { breakerOf, hearStream, openScene, post, setScene } from "../scene.ts";
import type { Scene } from "../scene.ts";

/** Ways in which a streamed answer goes wrong while nothing of it has reached the client. */
const brokenStarts: Readonly<Record<string, BrokenAnswer>> = {
  "accepts and never answers": { a: (reply) => reply.silence(), failure: "first_token_timeout", status: null },
  "sends its headers and then nothing": {
    a: (reply) => reply.eventStream(),
    failure: "first_token_timeout",
    status: 200,
  },
  "sends half its headers and then nothing": {
    a: (reply) => reply.status(200).raw("content-type: text/event-st"),
    failure: "first_token_timeout",
    status: null,
  },
  "sends only comments, for ever": {
    a: (reply) => reply.eventStream().trickle(": PROCESSING\n\n".repeat(500), 15, 10),
    failure: "first_token_timeout",
    status: 200,
  },
  "sends roles and empty deltas, for ever": {
    a: (reply) => reply.eventStream().trickle(roleOfA.repeat(500), roleOfA.length, 10),
    failure: "first_token_timeout",
    status: 200,
  },
  "closes without a word": { a: (reply) => reply.fin(), failure: "reset", status: null },
  "resets without a word": { a: (reply) => reply.reset(), failure: "reset", status: null },
  "resets after its headers": { a: (reply) => reply.eventStream().reset(), failure: "reset", status: 200 },
  "resets in the middle of its first content": {
    a: (reply) =>
      reply.eventStream().chunk(roleOfA).chunk('data: {"id":"chatcmpl-a","choices":[{"delta":{"con').reset(),
    failure: "reset",
    status: 200,
  },
  "ends a stream in which nothing was said": {
    a: (reply) => reply.eventStream().chunk(roleOfA).end(),
    failure: "truncated",
    status: 200,
  },
  "answers 200 with a page": {
    a: (reply) => inText(reply, "text/html", page),
    failure: "garbled",
    status: 200,
  },
  "answers 200 with a page that is called an event stream": {
    a: (reply) => inText(reply, "text/event-stream", page),
    failure: "garbled",
    status: 200,
  },
  "answers 200 with an error object": {
    a: (reply) => reply.json(200, overloadedError),
    failure: "overloaded",
    status: 200,
  },
  "answers 200 with half a JSON": {
    a: (reply) => inText(reply, "application/json", '{"id":"chatcmpl-a","choices":[{"mess'),
    failure: "garbled",
    status: 200,
  },
  "answers 503": { a: (reply) => reply.json(503, overloadedError), failure: "overloaded", status: 503 },
  "answers 500 with a page": {
    a: (reply) => reply.status(500).headers({ "content-type": "text/html" }, page.length).chunk(page),
    failure: "server_error",
    status: 500,
  },
  "sends the client elsewhere": {
    a: (reply) => reply.status(302).headers({ location: "http://127.0.0.1:1/" }, 0),
    failure: "garbled",
    status: 302,
  },
  "answers 200 with nothing": {
    a: (reply) => reply.status(200).headers({ "content-type": "text/event-stream" }, 0),
    failure: "truncated",
    status: 200,
  },
  "sends an error event after its role": {
    a: (reply) => reply.eventStream().chunk(roleOfA).chunk(sse(overloadedError)).end(),
    failure: "overloaded",
    status: 200,
  },
  "sends an error event by name": {
    a: (reply) => reply.eventStream().chunk(roleOfA).chunk(sse(overloadedError, "error")).end(),
    failure: "overloaded",
    status: 200,
  },
  "sends vLLM's flat error object": {
    a: (reply) =>
      reply
        .eventStream()
        .chunk(roleOfA)
        .chunk(
          sse({ object: "error", message: "the engine died", type: "InternalServerError", param: null, code: 500 }),
        )
        .end(),
    failure: "server_error",
    status: 200,
  },
};

describe("a streamed answer comes clean from B, and A is asked once, when A", () => {
  let scene: Scene<"a" | "b">;
  beforeAll(async () => {
    const opened = await openScene({ a: [], b: answersFromB }, { failover: `first_token: 150ms, ${neverOpen}` });
    scene = opened.scene;
    return opened.close;
  });

  test.each(Object.entries(brokenStarts))("%s", async (_, { a: script, failure, status }) => {
    const { a, b, gateway } = scene;
    a.script(script);
    const asked = { a: a.requests.length, b: b.requests.length };

    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, words)).toEqual([]);
    expect(raw.text()).not.toMatch(/chatcmpl-a|A is|engine died/);
    expect(raw.headers).toMatchObject({
      "x-tuloy-provider": "b",
      "x-tuloy-attempts": "2",
      "x-tuloy-failover": failure,
    });
    expect([a.requests.length, b.requests.length]).toEqual([asked.a + 1, asked.b + 1]);

    const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
    expect(trace).toMatchObject({ outcome: "succeeded", failover: failure, provider: "b", status: 200 });
    expect(trace.attempts).toMatchObject([
      { provider: "a", kind: "first", failure, status, first_token_ms: null },
      { provider: "b", kind: "twin", failure: null, status: 200 },
    ]);
    const now = performance.now();
    expect(breakerOf(gateway, "a").view(now)).toMatchObject({ consecutiveFailures: asked.a + 1 });
    expect(breakerOf(gateway, "b").view(now)).toMatchObject({ consecutiveFailures: 0 });

    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: words, error: null });
    expect(new Set(heard.chunks.map(({ id }) => id))).toEqual(new Set(["chatcmpl-b"]));
    expect([a.requests.length, b.requests.length]).toEqual([asked.a + 2, asked.b + 2]);
  });
});

test("a provider that refuses connections costs a request next to nothing", async () => {
  const { a, b, gateway } = await setScene({ a: answersChat("never"), b: answersFromB });
  a.refuse();
  const heard = await hearStream(gateway.client());
  expect(heard).toMatchObject({ text: words, error: null });
  const trace = await gateway.trace(heard.headers?.get("x-tuloy-trace-id") ?? null);
  expect(trace.attempts).toMatchObject([{ provider: "a", failure: "refused", connected_ms: null }, { provider: "b" }]);
  expect(trace.duration_ms).toBeLessThan(1000);
  expect([a.acceptedSockets, b.requests.length]).toEqual([0, 1]);
});

test.each(["accepts and never answers", "sends its headers and then nothing", "sends only comments, for ever"])(
  "the connection of a provider that %s is closed, and not used again",
  async (fault) => {
    const { a, gateway } = await setScene(
      { a: brokenStarts[fault]?.a ?? [], b: answersFromB },
      { failover: "first_token: 100ms" },
    );
    await post(gateway, { stream: true });
    await a.closed(0);
    expect(a.requests[0]?.closed).toMatchObject({ by: "peer" });
    await post(gateway, { stream: true });
    expect(a.requests.map(({ socket }) => socket)).toEqual([0, 1]);
  },
);

test("a kept connection that its provider closes at the wrong moment is replaced by a fresh one, which counts as nothing", async () => {
  const fromA = answersChat(words, shapeOfA);
  const { a, b, gateway } = await setScene({ a: [fromA, (reply) => reply.fin(), fromA], b: answersFromB });
  await post(gateway, { stream: true });
  const raw = await post(gateway, { stream: true });
  expect(expectClean(raw, words)).toEqual([]);
  expect(raw.headers).toMatchObject({ "x-tuloy-provider": "a", "x-tuloy-attempts": "1" });
  expect(a.requests.map(({ socket }) => socket)).toEqual([0, 0, 1]);
  expect(b.requests).toHaveLength(0);
  expect(breakerOf(gateway, "a").view(performance.now())).toMatchObject({ consecutiveFailures: 0 });
});

test("a fresh connection that breaks too is a failure, and B is asked", async () => {
  const { a, b, gateway } = await setScene({
    a: [answersChat(words, shapeOfA), (reply) => reply.fin(), (reply) => reply.fin()],
    b: answersFromB,
  });
  await post(gateway, { stream: true });
  const raw = await post(gateway, { stream: true });
  expect(expectClean(raw, words)).toEqual([]);
  expect(raw.headers).toMatchObject({ "x-tuloy-provider": "b", "x-tuloy-attempts": "2", "x-tuloy-failover": "reset" });
  expect([a.requests.length, b.requests.length]).toEqual([3, 1]);
});

test("answers before the answer (100 Continue, 103 Early Hints) are none", async () => {
  const { b, gateway } = await setScene({
    a: (reply, request) => answersChat(words, shapeOfA)(reply.informational(103, { link: "</x>" }), request),
    b: answersFromB,
  });
  const raw = await post(gateway, { stream: true });
  expect(expectClean(raw, words)).toEqual([]);
  expect(b.requests).toHaveLength(0);
});
