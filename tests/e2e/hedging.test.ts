import { answersChat, answersError, chatChunks, expectClean, FakeClock } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { answersFromB, shapeOfA, silent, words, wordsOfA } from "../a-and-b.ts";
import { model } from "../harness.ts";
import { breakerOf, hearStream, post, question, setScene, traceIdOf } from "../scene.ts";

describe("a hedge after a fixed delay", () => {
  test("answers a stream when the first deployment is slow: the loser is cut, recorded and paid for", async () => {
    const { a, b, gateway } = await setScene({ a: silent, b: answersFromB }, { failover: "hedge: 60ms" });
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: words, error: null });
    await a.closed(0);
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
    const { headers } = heard;
    expect(headers?.get("x-tuloy-provider")).toBe("b");
    expect(headers?.get("x-tuloy-attempts")).toBe("2");
    // Nothing failed.
    expect(headers?.get("x-tuloy-failover")).toBeNull();
    const trace = await gateway.trace(headers?.get("x-tuloy-trace-id") ?? null);
    expect(trace).toMatchObject({ outcome: "succeeded", provider: "b", failover: null });
    const [loser, winner] = trace.attempts;
    expect(loser).toMatchObject({
      provider: "a",
      kind: "first",
      failure: "cancelled",
      reason: "another deployment answered first",
      usage: { output_tokens: 0, source: "estimate" },
    });
    expect(winner).toMatchObject({ provider: "b", kind: "hedge", failure: null, usage: { source: "provider" } });
    expect(loser?.usage?.input_tokens).toBeGreaterThan(0);
    expect(loser?.cost_usd).toBeGreaterThan(0);
    expect(trace.cost_usd).toBeCloseTo((loser?.cost_usd ?? 0) + (winner?.cost_usd ?? 0), 12);
    expect(winner?.started_ms).toBeGreaterThanOrEqual(60);
    expect(trace.notes).toEqual([
      expect.stringMatching(
        /^hedge: b\/model-x was called \d+ ms after a\/model-x; b\/model-x won, had its first content [\d.]+ ms after its start$/,
      ),
    ]);
    for (const name of ["a", "b"]) {
      expect(breakerOf(gateway, name).view(0)).toMatchObject({ state: "closed", consecutiveFailures: 0 });
    }
  });

  test("answers a request that is not streamed", async () => {
    const { a, b, gateway } = await setScene({ a: silent, b: answersFromB }, { failover: "hedge: 60ms" });
    const { choices } = await gateway.client().chat.completions.create(question);
    expect(choices[0]?.message.content).toBe(words);
    await a.closed(0);
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
    const trace = await gateway.lastTrace();
    expect(trace.attempts.map(({ kind, failure }) => [kind, failure])).toEqual([
      ["first", "cancelled"],
      ["hedge", null],
    ]);
    expect(trace.notes[0]).toContain("b/model-x won, had its whole answer");
  });

  test.each([true, false])(
    "is not made when the first is in time, and leaves no timer (stream: %s)",
    async (stream) => {
      const clock = new FakeClock();
      const { b, gateway } = await setScene(
        { a: answersChat(wordsOfA), b: answersFromB },
        { failover: "hedge: 60ms", clock },
      );
      // The first request opens what is opened once.
      await post(gateway, { stream });
      await clock.pass(1000);
      const timers = clock.pending;
      const raw = await post(gateway, { stream });
      expect(raw.headers["x-tuloy-attempts"]).toBe("1");
      await clock.pass(1000);
      expect(clock.pending).toBe(timers);
      expect(b.requests).toHaveLength(0);
    },
  );

  test("loses when the first deployment answers after all; its own call is cut, and no timer is left", async () => {
    const clock = new FakeClock();
    const bIsAsked = Promise.withResolvers<void>();
    const { a, b, gateway } = await setScene(
      {
        a: async (reply, request) => {
          await bIsAsked.promise;
          return answersChat(wordsOfA, shapeOfA)(reply, request);
        },
        b: (reply) => {
          bIsAsked.resolve();
          return reply.silence();
        },
      },
      { failover: "hedge: 60ms", clock },
    );
    const timers = clock.pending;
    const asking = post(gateway, { stream: true });
    await a.received(0);
    await clock.pass(60);
    const raw = await asking;
    expect(expectClean(raw, wordsOfA)).toEqual([]);
    expect(raw.headers).toMatchObject({ "x-tuloy-provider": "a", "x-tuloy-attempts": "2" });
    expect(raw.headers).not.toHaveProperty("x-tuloy-failover");
    await b.closed(0);
    await clock.pass(1000);
    const trace = await gateway.trace(traceIdOf(raw));
    expect(trace).toMatchObject({ failover: null, deltas: null });
    expect(trace.attempts.map(({ provider, kind, failure }) => [provider, kind, failure])).toEqual([
      ["a", "first", null],
      ["b", "hedge", "cancelled"],
    ]);
    expect(clock.pending).toBe(timers);
  });

  test.each([true, false])(
    "is never mixed with what the loser says at the same moment (stream: %s)",
    async (stream) => {
      // A few are surely too late, however busy the machine is.
      const waitOf = ({ index }: { readonly index: number }): number => (index % 8 === 0 ? 1000 : 30 + (index % 20));
      const [role = "", ...rest] = chatChunks(["And", " this", " is", " A."], shapeOfA);
      const { a, b, gateway } = await setScene(
        {
          a: (reply, request) => {
            if (!stream) return answersChat(wordsOfA, shapeOfA)(reply.wait(waitOf(request)), request);
            reply.eventStream().chunk(role).chunk(": a comment of A\n\n");
            reply.wait(waitOf(request));
            for (const event of rest) reply.chunk(event);
            return reply.end();
          },
          b: (reply, request) => answersFromB(reply.wait(10), request),
        },
        { failover: "hedge: 25ms" },
      );
      const answers = await Promise.all(Array.from({ length: 40 }, () => post(gateway, { stream })));
      for (const answer of answers) {
        const fromA = answer.headers["x-tuloy-provider"] === "a";
        expect(answer.text()).not.toMatch(fromA ? /chatcmpl-b|It is B/ : /chatcmpl-a|comment of A|this is A/);
        expect(!stream || expectClean(answer, fromA ? wordsOfA : words).length === 0).toBe(true);
      }
      expect(a.requests).toHaveLength(40);
      expect(b.requests.length).toBeGreaterThan(0);
      // Not one request has asked more than once of each.
      expect(b.requests.length).toBeLessThanOrEqual(40);
    },
  );

  test("is waited for when the first call fails meanwhile; when it fails too, the next twin answers", async () => {
    const bIsAsked = Promise.withResolvers<void>();
    const aHasFailed = Promise.withResolvers<void>();
    const { c, gateway } = await setScene(
      {
        a: async (reply) => {
          await bIsAsked.promise;
          await reply.json(503, { error: { message: "busy" } }).done;
          aHasFailed.resolve();
        },
        b: async (reply, request) => {
          bIsAsked.resolve();
          await aHasFailed.promise;
          return answersError(503, null, "busy too")(reply, request);
        },
        c: answersChat(words),
      },
      { failover: "hedge: 30ms" },
    );
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: words, error: null });
    expect(heard.headers?.get("x-tuloy-attempts")).toBe("3");
    expect(heard.headers?.get("x-tuloy-failover")).toBe("overloaded");
    const trace = await gateway.lastTrace();
    expect(trace.attempts.map(({ provider, kind, failure }) => [provider, kind, failure])).toEqual([
      ["a", "first", "overloaded"],
      ["b", "hedge", "overloaded"],
      ["c", "twin", null],
    ]);
    expect(c.requests).toHaveLength(1);
  });

  test("does not change what the primary says of the request", async () => {
    const bIsAsked = Promise.withResolvers<void>();
    const { b, gateway } = await setScene(
      {
        a: async (reply, request) => {
          await bIsAsked.promise;
          return answersError(400, "invalid_value", "a is not for this")(reply, request);
        },
        b: (reply) => {
          bIsAsked.resolve();
          return reply.silence();
        },
      },
      { failover: "hedge: 30ms" },
    );
    const raw = await post(gateway, { stream: true });
    expect(raw).toMatchObject({ status: 400, headers: { "x-tuloy-attempts": "2" } });
    expect(raw.text()).toContain("a is not for this");
    await b.closed(0);
    const trace = await gateway.trace(traceIdOf(raw));
    expect(trace.attempts[1]).toMatchObject({
      kind: "hedge",
      failure: "cancelled",
      reason: "the request ended with another deployment's answer",
    });
  });

  test("and the first call are both cut at once when the client leaves; no breaker moves", async () => {
    const { a, b, gateway } = await setScene({ a: silent, b: silent }, { failover: "hedge: 30ms" });
    const leaving = new AbortController();
    const call = gateway.client().chat.completions.create({ ...question, stream: true }, { signal: leaving.signal });
    await b.received(0);
    leaving.abort();
    await expect(call).rejects.toThrow("aborted");
    await Promise.all([a.closed(0), b.closed(0)]);
    const trace = await gateway.lastTrace();
    expect(trace).toMatchObject({ outcome: "cancelled" });
    expect(trace.attempts.map(({ failure, reason }) => [failure, reason])).toEqual([
      ["cancelled", "the client went away"],
      ["cancelled", "the client went away"],
    ]);
    for (const name of ["a", "b"]) {
      expect(breakerOf(gateway, name).view(0)).toMatchObject({ state: "closed", consecutiveFailures: 0 });
    }
  });

  test("never outlives the deadline, and neither does the first call", async () => {
    const { a, b, gateway } = await setScene(
      { a: silent, b: silent },
      { failover: "hedge: 30ms, deadline: 200ms, first_token: 150ms, connect: 100ms" },
    );
    const raw = await post(gateway, { stream: true });
    expect(raw.status).toBe(504);
    await Promise.all([a.closed(0), b.closed(0)]);
    // One that could only begin after it is not made: here by the client's own limit.
    const late = await setScene({ a: silent, b: silent }, { failover: "hedge: 250ms" });
    const short = await post(late.gateway, { stream: true }, { headers: { "x-tuloy-timeout-ms": "200" } });
    expect(short.status).toBe(504);
    expect(late.b.requests).toHaveLength(0);
  });

  test.each([
    ["a lock", { model: `@a/${model}` }, {}],
    ["no failover", {}, { "x-tuloy-no-failover": "true" }],
  ])("is never made against %s", async (_, body, headers) => {
    const clock = new FakeClock();
    const aMaySpeak = Promise.withResolvers<void>();
    const { a, b, gateway } = await setScene(
      { a: (reply, request) => answersChat(wordsOfA)(reply.wait(aMaySpeak.promise), request), b: answersFromB },
      { failover: "hedge: 30ms", clock },
    );
    const asking = post(gateway, { ...body, stream: true }, { headers });
    await a.received(0);
    await clock.pass(5000);
    aMaySpeak.resolve();
    expect(expectClean(await asking, wordsOfA)).toEqual([]);
    expect(b.requests).toHaveLength(0);
  });

  test("is left out, with a note, when the process's retries are used up", async () => {
    const clock = new FakeClock();
    const aMaySpeak = Promise.withResolvers<void>();
    const { a, b, gateway } = await setScene(
      { a: (reply, request) => answersChat(wordsOfA)(reply.wait(aMaySpeak.promise), request), b: answersFromB },
      { failover: "hedge: 30ms", clock },
    );
    const { retryBudget } = gateway.launched.health;
    const asking = post(gateway, { stream: true });
    await a.received(0);
    while (retryBudget.tryRetry(clock.now()));
    await clock.pass(5000);
    aMaySpeak.resolve();
    const raw = await asking;
    expect(expectClean(raw, wordsOfA)).toEqual([]);
    expect(b.requests).toHaveLength(0);
    await clock.pass(1000);
    expect((await gateway.trace(traceIdOf(raw))).notes).toEqual([
      "no hedge beside a/model-x: the process's retry budget is spent",
    ]);
  });
});

describe("a hedge after the 95th percentile", () => {
  test.each([true, false])(
    "waits until the deployment's usual time is known, then goes by it (stream: %s)",
    async (stream) => {
      const clock = new FakeClock();
      const { a, b, gateway } = await setScene(
        { a: answersChat(wordsOfA), b: answersFromB },
        { failover: "hedge: p95, first_token: 60s", clock },
      );
      // Unknown: nobody is called beside it, however long it takes.
      const slow = Promise.withResolvers<void>();
      a.script((reply, request) => answersChat(wordsOfA)(reply.wait(slow.promise), request));
      const unhedged = post(gateway, { stream });
      await a.received(0);
      await clock.pass(10_000);
      slow.resolve();
      expect((await unhedged).headers["x-tuloy-provider"]).toBe("a");
      expect(b.requests).toHaveLength(0);
      // Time stands still while these are answered: the scale's first step is what they took.
      a.script(answersChat(wordsOfA));
      for (let i = 0; i < 40; i++) await post(gateway, { stream });
      expect(b.requests).toHaveLength(0);
      a.script(silent);
      const hedged = post(gateway, { stream });
      await a.received(41);
      await clock.pass(1);
      expect(b.requests).toHaveLength(0);
      await clock.pass(1);
      const raw = await hedged;
      expect(raw.headers).toMatchObject({ "x-tuloy-provider": "b", "x-tuloy-attempts": "2" });
      await a.closed(41);
    },
  );
});
