import { answersChat, chatChunks, eventually, expectClean, FakeClock } from "@tuloy/testkit";
import { expect, test } from "vitest";

import { answersFromB, roleOfA, shapeOfA, words } from "../a-and-b.ts";
import { hearStream, post, problemsOf, setScene } from "../scene.ts";

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
