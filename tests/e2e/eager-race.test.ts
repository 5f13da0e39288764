import { answersChat, chatChunk, eventually, expectClean, FakeClock, sse } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { answersFromB, shapeOfA, silent, words, wordsOfA } from "../a-and-b.ts";
import { model } from "../harness.ts";
import { breakerOf, hearStream, post, question, setScene, traceIdOf } from "../scene.ts";

/** A route before the default one that is eager, without its hedge. */
function eager(failover: string): string {
  return `name: eager, match: { models: ["${model}"] }, aggressiveness: eager, failover: { ${failover} }`;
}

describe("an eager route", () => {
  test("races on the first token: both are on the trace, one is the answer, the loser is cut", async () => {
    const { a, b, gateway } = await setScene(
      { a: silent, b: answersFromB },
      { routes: [eager("first_token: 100ms, hedge: off")] },
    );
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: words, error: null });
    await a.closed(0);
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
    expect(heard.headers?.get("x-tuloy-failover")).toBe("first_token_timeout");
    expect(heard.headers?.get("x-tuloy-attempts")).toBe("2");
    const trace = await gateway.lastTrace();
    expect(trace).toMatchObject({ provider: "b", failover: "first_token_timeout", usage: { source: "provider" } });
    expect(trace.attempts.map(({ provider, kind, failure, reason }) => [provider, kind, failure, reason])).toEqual([
      [
        "a",
        "first",
        "cancelled",
        expect.stringMatching(/^another .* first, and this one had passed its limit of \d+ ms$/),
      ],
      ["b", "race", null, null],
    ]);
    expect(trace.notes[0]).toMatch(/^race: b\/model-x was called \d+ ms after a\/model-x; b\/model-x won/);
    // The one that was late counts as slow, the other as well.
    expect(breakerOf(gateway, "a").view(0)).toMatchObject({ consecutiveFailures: 1 });
    expect(breakerOf(gateway, "b").view(0)).toMatchObject({ consecutiveFailures: 0 });
  });

  test("does not cut what is late: it may still be the first to answer", async () => {
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
      { routes: [eager("first_token: 60ms, hedge: off")] },
    );
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: wordsOfA, error: null });
    await b.closed(0);
    expect(a.requests).toHaveLength(1);
    expect(heard.headers?.get("x-tuloy-failover")).toBeNull();
    const trace = await gateway.lastTrace();
    expect(trace.attempts.map(({ kind, failure }) => [kind, failure])).toEqual([
      ["first", null],
      ["race", "cancelled"],
    ]);
  });

  test("races on the answer's limit when nothing is streamed", async () => {
    const { a, gateway } = await setScene(
      { a: silent, b: answersFromB },
      { routes: [eager("answer: 80ms, hedge: off")] },
    );
    const { choices } = await gateway.client().chat.completions.create(question);
    expect(choices[0]?.message.content).toBe(words);
    await a.closed(0);
    expect((await gateway.lastTrace()).attempts.map(({ kind }) => kind)).toEqual(["first", "race"]);
  });

  test("has two calls at a time: a third takes the place of the older when both are late", async () => {
    const clock = new FakeClock();
    const { a, b, c, gateway } = await setScene(
      { a: silent, b: silent, c: answersChat(words) },
      { routes: [eager("first_token: 1s, hedge: off")], clock },
    );
    const timers = clock.pending;
    const asking = post(gateway, { stream: true });
    await a.received(0);
    // In small steps, since nobody tells when a connection stands: a call's time begins only then.
    const pass = (index: { readonly requests: readonly unknown[] }): Promise<unknown> =>
      eventually(async () => {
        await clock.pass(20);
        return index.requests.length > 0;
      });
    await pass(b);
    expect(a.requests[0]?.closed).toBeNull();
    await pass(c);
    await a.closed(0);
    const raw = await asking;
    expect(expectClean(raw, words)).toEqual([]);
    expect(raw.headers).toMatchObject({ "x-tuloy-provider": "c", "x-tuloy-attempts": "3" });
    await b.closed(0);
    await clock.pass(5000);
    const trace = await gateway.trace(traceIdOf(raw));
    expect(trace.attempts.map(({ provider, kind, failure }) => [provider, kind, failure])).toEqual([
      ["a", "first", "first_token_timeout"],
      ["b", "race", "cancelled"],
      ["c", "race", null],
    ]);
    expect(clock.pending).toBe(timers);
  });

  test("hedges by the 95th percentile when nothing else is said", async () => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene(
      { a: answersChat(wordsOfA), b: answersFromB },
      { routes: [eager("")], clock },
    );
    for (let i = 0; i < 20; i++) await post(gateway, { stream: true });
    a.script(silent);
    const asking = post(gateway, { stream: true });
    await a.received(20);
    await clock.pass(5);
    expect(expectClean(await asking, words)).toEqual([]);
    expect(b.requests).toHaveLength(1);
    await a.closed(20);
  });

  test("a stream that needs long begins within the limit and a second when a twin is quick", async () => {
    const clock = new FakeClock();
    const { b, gateway } = await setScene(
      { a: silent, b: answersFromB },
      { routes: [eager("first_token: 2s, hedge: off")], clock },
    );
    const askedAt = clock.now();
    const asking = post(gateway, { stream: true });
    await eventually(async () => {
      await clock.pass(20);
      return b.requests.length > 0;
    });
    expect(expectClean(await asking, words)).toEqual([]);
    expect(clock.now() - askedAt).toBeLessThan(3000);
  });

  test("what runs beside a call inherits nothing from it", async () => {
    const { a, b, gateway } = await setScene(
      {
        a: (reply) =>
          reply
            .eventStream("chunked", { "x-from": "a", "x-request-id": "of-a" })
            .chunk(sse(chatChunk({ delta: { role: "assistant", content: "" } }, shapeOfA)))
            .chunk("data: not even JSON\n\n")
            .chunk('data: {"id":"chatcmpl-a","choices":[{"delta":{"content":"half'),
        b: answersFromB,
      },
      { routes: [eager("first_token: 100ms, hedge: off")] },
    );
    const raw = await post(gateway, { stream: true, user: "u-1" });
    expect(expectClean(raw, words)).toEqual([]);
    expect(raw.text()).not.toMatch(/chatcmpl-a|half/);
    expect(raw.headers).not.toHaveProperty("x-from");
    const [toA, toB] = [a.requests[0], b.requests[0]];
    expect(toB?.body.toString()).toBe(toA?.body.toString().replace("a-model-x", "b-model-x"));
    expect(toB?.headers.authorization).toBe("Bearer sk-b-secret-key");
    const trace = await gateway.trace(traceIdOf(raw));
    expect(trace.notes).toEqual([expect.stringMatching(/^race: /)]);
  });
});
