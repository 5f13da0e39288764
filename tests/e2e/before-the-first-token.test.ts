import {
  answersChat,
  answersError,
  chatAnswer,
  chatChunk,
  chatChunks,
  eventually,
  expectClean,
  FakeClock,
  sse,
} from "@tuloy/testkit";
import type { Collected, Reply, Script } from "@tuloy/testkit";
import type OpenAI from "openai";
import { beforeAll, describe, expect, test } from "vitest";

import { model } from "../harness.ts";
import { breakerOf, hearStream, openScene, post, question, setScene } from "../scene.ts";
import type { Scene } from "../scene.ts";

const words = "It is B that says all of this – ñandú, 日本.";
const answersFromB = answersChat(words, { id: "chatcmpl-b" });
const shapeOfA = { id: "chatcmpl-a" };
const roleOfA = sse(chatChunk({ delta: { role: "assistant", content: "" } }, shapeOfA));

/** An overloaded server, as some report it under status 200. */
const overloadedError = { error: { message: "A is overloaded", type: "overloaded_error", code: "overloaded" } };

interface BrokenStart {
  readonly a: Script;
  readonly failure: string;
  readonly status: number | null;
}

const page = "<!doctype html><html><body>Bad gateway</body></html>";
const inText = (reply: Reply, type: string, body: string): Reply =>
  reply.status(200).headers({ "content-type": type }, Buffer.byteLength(body)).chunk(body);

/** Ways in which a streamed answer goes wrong while nothing of it has reached the client. */
const brokenStarts: Readonly<Record<string, BrokenStart>> = {
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

/** One gateway for a whole table of faults: its breakers stay closed whatever happens. */
const neverOpen = "breaker: { failures: 1000, of: 1000 }";

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

test("a client sees no head before it is known who answers", async () => {
  const statuses: number[] = [];
  const { a, b, gateway } = await setScene(
    { a: (reply) => reply.eventStream(), b: answersFromB },
    { failover: "first_token: 150ms" },
  );
  let askedBefore = -1;
  const raw = await post(
    gateway,
    { stream: true },
    {
      onHead: (status) => {
        statuses.push(status);
        askedBefore = b.requests.length;
      },
    },
  );
  expect(statuses).toEqual([200]);
  expect(askedBefore).toBe(1);
  expect(raw.headers["x-tuloy-provider"]).toBe("b");
  await a.closed(0);
});

test("a quick provider's answer begins as soon as the slow one's time is up", async () => {
  const { a, b, gateway } = await setScene(
    { a: (reply, request) => answersChat("too late")(reply.wait(20_000), request), b: answersFromB },
    { failover: "first_token: 200ms" },
  );
  const raw = await post(gateway, { stream: true });
  expect(expectClean(raw, words)).toEqual([]);
  expect(raw.firstByteMs).toBeGreaterThanOrEqual(200);
  expect(raw.firstByteMs).toBeLessThan(1200);
  expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
});

test("without a limit of its own a route gives a provider ten seconds to its first token, and not one less", async () => {
  const clock = new FakeClock();
  const { a, b, gateway } = await setScene({ a: (reply) => reply.eventStream(), b: answersFromB }, { clock });
  const answer = hearStream(gateway.client());
  await a.received(0);
  await clock.pass(10_000);
  expect(b.requests).toHaveLength(0);
  // What is on top of it is time to read the prompt: half a millisecond a token.
  await clock.pass(100);
  await b.received(0);
  expect(await answer).toMatchObject({ text: words, error: null });
});

test("what a slow provider says after its time was up is never mixed in", async () => {
  const bIsAsked = Promise.withResolvers<void>();
  const aHasSpoken = Promise.withResolvers<void>();
  const { a, gateway } = await setScene(
    {
      a: async (reply) => {
        reply.eventStream().chunk(roleOfA).wait(bIsAsked.promise);
        for (const event of chatChunks(["late", " but", " whole"], shapeOfA)) reply.chunk(event);
        await reply.end().done;
        aHasSpoken.resolve();
      },
      b: async (reply, request) => {
        bIsAsked.resolve();
        await aHasSpoken.promise;
        return answersFromB(reply, request);
      },
    },
    { failover: "first_token: 100ms" },
  );
  const raw = await post(gateway, { stream: true });
  expect(expectClean(raw, words)).toEqual([]);
  expect(raw.text()).not.toMatch(/chatcmpl-a|late/);
  expect(a.requests).toHaveLength(1);
});

test("an answer that comes at the very moment of the limit is either A's or B's, never some of both", async () => {
  const wholeA = chatChunks(["It", " is", " A"], shapeOfA).join("");
  // On a busy machine all that come near the limit may be in time: some come long after it.
  const waits = (index: number): number => (index < 35 ? 90 + index : 2000);
  const { a, b, gateway } = await setScene(
    {
      a: (reply, request) => reply.wait(waits(request.index)).eventStream().chunk(wholeA).end(),
      b: answersFromB,
    },
    { failover: "first_token: 100ms, breaker: { failures: 1000, of: 1000 }" },
  );
  const answers = await Promise.all(Array.from({ length: 40 }, () => post(gateway, { stream: true })));
  for (const answer of answers) {
    const text = answer.headers["x-tuloy-provider"] === "a" ? "It is A" : words;
    expect(expectClean(answer, text)).toEqual([]);
  }
  expect(a.requests).toHaveLength(40);
  const fromB = answers.filter(({ headers }) => headers["x-tuloy-provider"] === "b");
  expect(fromB.length).toBeGreaterThan(0);
  expect(b.requests).toHaveLength(fromB.length);
});

/** What keeps an answer, streamed or not, from being whole and saying this. */
function problemsOf(answer: Collected, text: string): string[] {
  if (answer.headers["content-type"]?.includes("event-stream")) return expectClean(answer, text);
  const { choices } = answer.json() as OpenAI.ChatCompletion;
  return choices[0]?.message.content === text ? [] : [answer.text()];
}

test.each([true, false])(
  "an error whose text never ends is what its status says after two seconds (stream: %s)",
  async (stream) => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene(
      {
        a: (reply) => reply.status(503).headers({ "content-type": "application/json" }).chunk('{"error":'),
        b: answersFromB,
      },
      { clock },
    );
    const startedAt = clock.now();
    const asking = post(gateway, { stream });
    await a.received(0);
    // In small steps, since nobody tells when the error's head has reached the gateway: its time begins only then.
    await eventually(async () => {
      await clock.pass(50);
      return a.requests[0]?.closed;
    }, "the end of the call");
    const waitedMs = clock.now() - startedAt;
    expect(waitedMs).toBeGreaterThanOrEqual(2000);
    expect(waitedMs).toBeLessThan(5000);
    const answer = await asking;
    expect(problemsOf(answer, words)).toEqual([]);
    expect(answer.headers).toMatchObject({ "x-tuloy-provider": "b", "x-tuloy-failover": "overloaded" });
    // Traces are written a moment later, and time stands still.
    await clock.pass(1000);
    const trace = await gateway.trace(String(answer.headers["x-tuloy-trace-id"]));
    expect(trace.attempts.map(({ failure, status }) => [failure, status])).toEqual([
      ["overloaded", 503],
      [null, 200],
    ]);
    expect(a.requests[0]?.closed?.by).toBe("peer");
    expect(b.requests).toHaveLength(1);
  },
);

describe("an empty answer", () => {
  const silent = answersChat("", { ...shapeOfA, usage: [5, 0] });

  test.each([true, false])("is asked for once elsewhere (stream: %s)", async (stream) => {
    const { a, b, c, gateway } = await setScene({ a: silent, b: answersFromB, c: answersChat("never") });
    const answer = await post(gateway, { stream });
    expect(problemsOf(answer, words)).toEqual([]);
    expect([a.requests.length, b.requests.length, c.requests.length]).toEqual([1, 1, 0]);
    expect(answer.headers).toMatchObject({ "x-tuloy-provider": "b", "x-tuloy-failover": "empty" });
  });

  test.each([true, false])(
    "is passed on when the next is empty too, and nobody else is asked (stream: %s)",
    async (stream) => {
      const { a, b, c, gateway } = await setScene({
        a: silent,
        b: answersChat("", { id: "chatcmpl-b", usage: [5, 0] }),
        c: answersChat("never"),
      });
      const answer = await post(gateway, { stream });
      expect(problemsOf(answer, "")).toEqual([]);
      expect(answer.status).toBe(200);
      expect(answer.text()).toContain("chatcmpl-a");
      expect(answer.text()).not.toContain("chatcmpl-b");
      expect([a.requests.length, b.requests.length, c.requests.length]).toEqual([1, 1, 0]);
      expect(answer.headers["x-tuloy-provider"]).toBe("a");
      const trace = await gateway.trace(String(answer.headers["x-tuloy-trace-id"]));
      expect(trace).toMatchObject({ outcome: "succeeded", status: 200, provider: "a" });
      expect(trace.attempts.map(({ failure }) => failure)).toEqual(["empty", "empty"]);
      expect(trace.notes).toEqual([expect.stringContaining("empty")]);
      expect(breakerOf(gateway, "a").isClosed).toBe(true);
    },
  );

  test.each([true, false])(
    "is passed on when the next one fails, and nothing is said to have failed over (stream: %s)",
    async (stream) => {
      const { a, b, gateway } = await setScene({ a: silent, b: answersError(503, null, "busy") });
      const answer = await post(gateway, { stream });
      expect(answer.status).toBe(200);
      expect(problemsOf(answer, "")).toEqual([]);
      expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
      expect(answer.headers).toMatchObject({ "x-tuloy-provider": "a" });
      expect(answer.headers).not.toHaveProperty("x-tuloy-failover");
      const trace = await gateway.trace(String(answer.headers["x-tuloy-trace-id"]));
      expect(trace).toMatchObject({ outcome: "succeeded", provider: "a", failover: null });
      expect(trace.attempts.map(({ failure }) => failure)).toEqual(["empty", "overloaded"]);
    },
  );

  test.each([true, false])("that used tokens, for hidden reasoning, is an answer (stream: %s)", async (stream) => {
    const { b, gateway } = await setScene({ a: answersChat("", { ...shapeOfA, usage: [5, 900] }), b: answersFromB });
    const answer = await post(gateway, { stream });
    expect([answer.headers["x-tuloy-provider"], answer.headers["x-tuloy-attempts"]]).toEqual(["a", "1"]);
    expect(problemsOf(answer, "")).toEqual([]);
    expect(b.requests).toHaveLength(0);
  });
});

const garbledAnswers: Readonly<Record<string, BrokenStart>> = {
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
