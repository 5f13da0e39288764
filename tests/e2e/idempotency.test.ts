import { answersChat, answersError, chatAnswer, chatChunks, eventually, readChatStream } from "@tuloy/testkit";
import type { Collected, Reply } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import { breaksOff, continues, goesOn, whole } from "../breaking-stream.ts";
import type { TestGateway } from "../harness.ts";
import { hearStream, post, question, setScene } from "../scene.ts";
import { errorOf } from "../shared-scene.ts";
import { openWire, rawRequest } from "../wire.ts";

/** A request with an idempotency key. */
function ask(
  gateway: TestGateway,
  key: string,
  body: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Collected> {
  return post(gateway, body, { headers: { "idempotency-key": key, ...headers } });
}

/** What of an answer must be the same when it is given again. */
function replayed({ status, headers, body }: Collected): unknown {
  return {
    status,
    type: headers["content-type"],
    provider: headers["x-tuloy-provider"],
    model: headers["x-tuloy-model"],
    body: body.toString("latin1"),
  };
}

const traceId = ({ headers }: Collected): string => String(headers["x-tuloy-trace-id"]);

describe("a repetition of an answered request", () => {
  test.each([
    { form: "JSON", stream: false },
    { form: "a stream", stream: true },
  ])("is answered as before to the byte, with no upstream call: $form", async ({ stream }) => {
    const { a, gateway } = await setScene({ a: [answersChat("hello there, old friend")] });
    const first = await ask(gateway, "key-1", { stream });
    const again = await ask(gateway, "key-1", { stream });
    const oldPath = await post(
      gateway,
      { stream },
      { path: "/api/v1/chat/completions", headers: { "idempotency-key": "key-1" } },
    );
    expect(first.status).toBe(200);
    expect(first.text()).toContain("friend");
    expect(first.headers["idempotent-replayed"]).toBeUndefined();
    expect(first.headers["x-tuloy-idempotency"]).toBeUndefined();
    for (const each of [again, oldPath]) {
      expect(replayed(each)).toEqual(replayed(first));
      expect(each.headers).toMatchObject({ "idempotent-replayed": "true", "x-tuloy-attempts": "0" });
      expect(traceId(each)).not.toBe(traceId(first));
    }
    expect(a.requests).toHaveLength(1);

    const kept = await gateway.trace(traceId(first));
    expect(kept.notes).toEqual(["the answer is kept for its idempotency key"]);
    const trace = await gateway.trace(traceId(again));
    expect(trace).toMatchObject({ outcome: "succeeded", status: 200, attempts: [], provider: null, cost_usd: null });
    expect(trace.notes).toEqual([
      `the answer of trace ${traceId(first)} was given again for its idempotency key; nothing was sent to a provider`,
    ]);
  });

  test("is answered as before, too, when the stream broke off and another deployment completed it", async () => {
    const { a, b, gateway } = await setScene(
      { a: breaksOff, b: goesOn },
      { providers: { b: continues("assistant-prefix") } },
    );
    const first = await ask(gateway, "key-1", { stream: true });
    const again = await ask(gateway, "key-1", { stream: true });
    expect(readChatStream(first.body)).toMatchObject({ text: whole, errors: [], terminators: 1 });
    expect(replayed(again)).toEqual(replayed(first));
    expect(again.headers["idempotent-replayed"]).toBe("true");
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
  });

  test("is the same answer to the official SDK", async () => {
    const { a, gateway } = await setScene({ a: [answersChat("hello there")] });
    const client = gateway.client({ headers: { "Idempotency-Key": "stream" } });
    const first = await hearStream(client, { stream_options: { include_usage: true } });
    const again = await hearStream(client, { stream_options: { include_usage: true } });
    expect(first).toMatchObject({ text: "hello there", error: null });
    expect(again).toMatchObject({ text: first.text, chunks: first.chunks, error: null });
    expect(again.headers?.get("idempotent-replayed")).toBe("true");
    expect(a.requests).toHaveLength(1);
  });

  test("is the same answer to many at once", async () => {
    const { a, gateway } = await setScene({ a: [answersChat("hello there")] });
    const first = await ask(gateway, "key-1");
    const many = await Promise.all(Array.from({ length: 20 }, () => ask(gateway, "key-1")));
    expect(many.map(replayed)).toEqual(many.map(() => replayed(first)));
    expect(a.requests).toHaveLength(1);
  });

  test("gives the answer of the twin that it failed over to", async () => {
    const { a, b, gateway } = await setScene({ a: [answersError(503, null, "busy")], b: [answersChat("from b")] });
    const first = await ask(gateway, "key-1");
    const again = await ask(gateway, "key-1");
    expect(first.headers).toMatchObject({ "x-tuloy-provider": "b", "x-tuloy-failover": "overloaded" });
    expect(replayed(again)).toEqual(replayed(first));
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
  });

  test("with another body is refused, while the first is under way and after", async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    const { a, gateway } = await setScene({ a: [(reply) => reply.wait(goOn).json(200, chatAnswer("hello"))] });
    const first = ask(gateway, "key-1");
    await a.received(0);
    const during = await ask(gateway, "key-1", { temperature: 1 });
    resolve();
    await first;
    const after = await ask(gateway, "key-1", { temperature: 1 });
    for (const answer of [during, after]) {
      expect(answer.status).toBe(422);
      expect(errorOf(answer)).toMatchObject({ code: "idempotency_mismatch", param: "Idempotency-Key" });
      expect((await gateway.trace(traceId(answer))).code).toBe("idempotency_mismatch");
    }
    expect(a.requests).toHaveLength(1);
  });

  test("on another path is another request", async () => {
    const { a, gateway } = await setScene(
      {
        a: (reply, { path }) =>
          path.endsWith("/embeddings")
            ? reply.json(200, { object: "list", data: [{ object: "embedding", index: 0, embedding: [1, 2] }] })
            : reply.json(200, chatAnswer("hello")),
      },
      { providers: { a: { also: ["text-embedding-3-small"] } } },
    );
    const headers = { "idempotency-key": "key-1" };
    expect((await ask(gateway, "key-1")).status).toBe(200);
    const embedded = await post(gateway, JSON.stringify({ model: "text-embedding-3-small", input: "hello" }), {
      path: "/v1/embeddings",
      headers,
    });
    expect(embedded.status).toBe(200);
    expect(embedded.headers["idempotent-replayed"]).toBeUndefined();
    expect(a.requests).toHaveLength(2);
  });
});

describe("a duplicate of a request that is under way", () => {
  test("gets 409 with a time to wait, and the SDK, which waits, gets the answer", async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    const { a, gateway } = await setScene({ a: [(reply) => reply.wait(goOn).json(200, chatAnswer("hello"))] });
    const first = ask(gateway, "key-1");
    await a.received(0);
    const duplicate = await ask(gateway, "key-1");
    expect(duplicate.status).toBe(409);
    expect(errorOf(duplicate)).toMatchObject({ code: "idempotency_in_flight", type: "invalid_request_error" });
    expect(Number(duplicate.headers["retry-after-ms"])).toBeGreaterThanOrEqual(500);
    expect(Number(duplicate.headers["retry-after-ms"])).toBeLessThanOrEqual(10_000);
    expect(duplicate.headers["x-should-retry"]).toBeUndefined();

    const client = gateway.client({ headers: { "Idempotency-Key": "key-1" }, maxRetries: 5 });
    const waiting = client.chat.completions.create(question);
    // It has asked once and was told to wait; only now the first is answered.
    await gateway.lastTrace(2);
    resolve();
    expect((await waiting).choices[0]?.message.content).toBe("hello");
    expect((await first).status).toBe(200);
    expect(a.requests).toHaveLength(1);
  });

  test("one of many at once is carried out", async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    const { a, gateway } = await setScene({ a: (reply) => reply.wait(goOn).json(200, chatAnswer("hello")) });
    const all = Array.from({ length: 20 }, () => ask(gateway, "key-1"));
    const quick = await Promise.race([Promise.all(all), gateway.lastTrace(19)]);
    expect(quick).toMatchObject({ code: "idempotency_in_flight" });
    resolve();
    const statuses = Map.groupBy(await Promise.all(all), ({ status }) => status);
    expect([statuses.get(200)?.length, statuses.get(409)?.length]).toEqual([1, 19]);
    expect(a.requests).toHaveLength(1);
  });
});

describe("a request that failed", () => {
  test.each([
    ["a provider's refusal", answersError(400, "invalid_value", "no"), 400],
    ["a failure everywhere", answersError(503, null, "busy"), 503],
  ])("leaves its key free at once: %s", async (_, failure, status) => {
    const { a, gateway } = await setScene({ a: [failure, answersChat("hello there")] }, { failover: "attempts: 1" });
    expect((await ask(gateway, "key-1")).status).toBe(status);
    const again = await ask(gateway, "key-1");
    expect(again.status).toBe(200);
    expect(again.headers["idempotent-replayed"]).toBeUndefined();
    expect(a.requests).toHaveLength(2);
  });

  test("as a stream that broke off is not kept", async () => {
    const [role = "", content = "", ...rest] = chatChunks(["hello"]);
    const { a, gateway } = await setScene(
      {
        a: [
          (reply) => reply.eventStream().chunk(role).chunk(content).reset(),
          (reply) => reply.eventStream().chunk(role).chunk(content).chunk(rest.join("")).end(),
        ],
      },
      { failover: "on_partial: error" },
    );
    const broken = readChatStream((await ask(gateway, "key-1", { stream: true })).body);
    expect(broken).toMatchObject({ errors: [{ code: "stream_broken" }], terminators: 0 });
    const second = readChatStream((await ask(gateway, "key-1", { stream: true })).body);
    expect(second).toMatchObject({ text: "hello", errors: [], terminators: 1 });
    expect(a.requests).toHaveLength(2);
  });

  test("before anything was tried leaves its key free, too", async () => {
    const { gateway } = await setScene({ a: answersChat("hello") });
    expect((await ask(gateway, "key-1", { model: "no-such-model" })).status).toBe(404);
    expect((await ask(gateway, "key-1")).status).toBe(200);
  });
});

describe("a key", () => {
  test.each([
    ["of 256 characters", "k".repeat(256)],
    ["without characters", ""],
  ])("%s is refused by name", async (_, key) => {
    const { a, gateway } = await setScene({ a: answersChat("hello") });
    const answer = await ask(gateway, key);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: "invalid_request", param: "Idempotency-Key" });
    expect(errorOf(answer).message).toContain("Idempotency-Key must have 1 to 255 characters");
    expect(a.requests).toHaveLength(0);
  });

  test("of 255 characters is taken, and goes to no provider", async () => {
    const { a, gateway } = await setScene({ a: answersChat("hello") });
    const key = "k".repeat(255);
    expect((await ask(gateway, key)).status).toBe(200);
    expect((await ask(gateway, key)).headers["idempotent-replayed"]).toBe("true");
    expect(a.requests.map(({ headers }) => headers["idempotency-key"])).toEqual([undefined]);
  });
});

describe("a client that leaves", () => {
  /** Sends a request with a key on a connection of its own, and leaves once this was done. */
  async function leave(
    gateway: TestGateway,
    body: object,
    until: () => Promise<unknown>,
    { lines = [], reads = true }: { readonly lines?: readonly string[]; readonly reads?: boolean } = {},
  ): Promise<void> {
    const wire = await openWire(gateway.url);
    if (!reads) wire.socket.pause();
    const whole = JSON.stringify({ ...question, ...body });
    wire.send(rawRequest({ body: whole, lines: ["Idempotency-Key: key-1", ...lines] }));
    await until();
    wire.socket.destroy();
    // Its connection's end came before this answer: both went through the same loop.
    await post(gateway, { model: "no-such-model" });
  }

  test("a JSON request is finished and kept all the same", async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    const { a, gateway } = await setScene({ a: [(reply) => reply.wait(goOn).json(200, chatAnswer("hello"))] });
    await leave(gateway, {}, () => a.received(0));
    expect((await ask(gateway, "key-1")).status).toBe(409);
    resolve();
    const trace = await eventually(async () => (await gateway.traces()).find(({ attempts }) => attempts.length > 0));
    expect(trace).toMatchObject({ outcome: "succeeded" });
    expect(trace.notes).toEqual([
      "the client went away; the answer is finished for its idempotency key",
      "the answer is kept for its idempotency key",
    ]);
    const again = await ask(gateway, "key-1");
    expect(again.headers["idempotent-replayed"]).toBe("true");
    expect(again.text()).toContain("hello");
    expect(a.requests).toHaveLength(1);
  });

  test("a stream is cancelled, and its key is free", async () => {
    const begins = (reply: Reply): Reply => reply.eventStream().chunk(chatChunks(["begun"]).slice(0, 2).join(""));
    const { a, gateway } = await setScene({ a: [begins, answersChat("hello there")] });
    await leave(gateway, { stream: true }, () => a.received(0));
    await a.closed(0);
    const again = await ask(gateway, "key-1", { stream: true });
    expect(readChatStream(again.body).text).toBe("hello there");
    expect(again.headers["idempotent-replayed"]).toBeUndefined();
  });

  test("a stream is finished with x-tuloy-on-disconnect: finish, also one that the client had stopped reading", async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    const text = "x".repeat(64 * 1024);
    const [role = "", content = "", finish = "", done = ""] = chatChunks([text]);
    const { a, gateway } = await setScene({
      a: [
        async (reply) => {
          reply.eventStream().chunk(role);
          // More than the sockets on the way hold.
          for (let piece = 0; piece < 200; piece++) reply.chunk(content);
          await goOn;
          reply.chunk(finish).chunk(done).end();
        },
      ],
    });
    await leave(gateway, { stream: true }, () => a.received(0), {
      lines: ["x-tuloy-on-disconnect: finish"],
      reads: false,
    });
    resolve();
    const trace = await eventually(
      async () => (await gateway.traces()).find(({ attempts }) => attempts.length > 0),
      "the end of the stream",
      20_000,
    );
    expect(trace.outcome).toBe("succeeded");
    const again = await ask(gateway, "key-1", { stream: true });
    expect(again.headers["idempotent-replayed"]).toBe("true");
    expect(readChatStream(again.body)).toMatchObject({ text: text.repeat(200), terminators: 1, errors: [] });
    expect(a.requests).toHaveLength(1);
  });
});

test("an answer larger than 16 MB is given, but not kept; its key is used up, so nothing is done twice", async () => {
  const { a, gateway } = await setScene({ a: [(reply) => reply.json(200, chatAnswer("x".repeat(17 * 1024 * 1024)))] });
  const first = await ask(gateway, "key-1");
  expect(first.status).toBe(200);
  expect(first.body.length).toBeGreaterThan(17 * 1024 * 1024);
  expect(first.headers["x-tuloy-idempotency"]).toBe("not-stored");
  expect((await gateway.trace(traceId(first))).notes.join()).toContain("larger than 16 MB");
  const again = await ask(gateway, "key-1");
  expect(again.status).toBe(409);
  expect(errorOf(again).code).toBe("idempotent_replay_unavailable");
  expect(a.requests).toHaveLength(1);
});

describe("a route with retention: none", () => {
  const routes = ["name: quiet, match: { operation: chat }, retention: none"];

  test.each([false, true])(
    "keeps no answer: a later duplicate gets 409, which the SDK does not repeat (stream: %s)",
    async (stream) => {
      const { promise: goOn, resolve } = Promise.withResolvers<void>();
      const { a, gateway } = await setScene(
        { a: [(reply, request) => void answersChat("hello there")(reply.wait(goOn), request)] },
        { routes },
      );
      const first = ask(gateway, "key-1", { stream });
      await a.received(0);
      expect(errorOf(await ask(gateway, "key-1", { stream })).code).toBe("idempotency_in_flight");
      resolve();
      expect((await first).status).toBe(200);
      expect((await first).headers["x-tuloy-idempotency"]).toBeUndefined();
      const later = await ask(gateway, "key-1", { stream });
      expect(later.status).toBe(409);
      expect(errorOf(later)).toMatchObject({ code: "idempotent_replay_unavailable", param: "Idempotency-Key" });
      expect(errorOf(later).message).toContain(traceId(await first));
      expect(later.headers["x-should-retry"]).toBe("false");

      const tracesBefore = (
        await eventually(async () => {
          const traces = await gateway.traces();
          return traces.length >= 3 ? traces : undefined;
        })
      ).length;
      const client = gateway.client({ headers: { "Idempotency-Key": "key-1" }, maxRetries: 3 });
      await expect(client.chat.completions.create({ ...question, stream })).rejects.toThrow(OpenAI.ConflictError);
      await gateway.lastTrace(tracesBefore + 1);
      expect(await gateway.traces()).toHaveLength(tracesBefore + 1);
      expect(a.requests).toHaveLength(1);
    },
  );
});
