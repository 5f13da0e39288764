import { answersChat, answersError, FakeClock, type Script } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import { model } from "../harness.ts";
import { breakerOf, hearStream, post, question, setScene } from "../scene.ts";

const busy = answersError(503, null, "Busy.");
const hang: Script = (reply) => reply.silence();
const headStart: Script = (reply) => reply.eventStream().silence();

describe("the deadline of a request", () => {
  test.each([
    ["x-tuloy-timeout-ms", { "x-tuloy-timeout-ms": "150" }],
    ["X-Stainless-Timeout, of which half is kept for the way back", { "x-stainless-timeout": "0.3" }],
    ["the shorter of both", { "x-stainless-timeout": "60", "x-tuloy-timeout-ms": "150" }],
  ])("is shortened by %s: 504, and the upstream's connection is closed", async (_name, headers) => {
    for (const stream of [false, true]) {
      const { a, b, gateway } = await setScene({ a: stream ? headStart : hang, b: answersChat("never asked") });
      const answer = await post(gateway, { stream }, { headers });
      expect(answer.status).toBe(504);
      expect(answer.json()).toMatchObject({
        error: { code: "deadline_exceeded", metadata: { attempts: [{ provider: "a", model }] } },
      });
      expect(answer.headers).toMatchObject({ "x-should-retry": "false", "x-tuloy-attempts": "1" });
      await a.closed(0);
      const trace = await gateway.trace(String(answer.headers["x-tuloy-trace-id"]));
      expect(trace).toMatchObject({ outcome: "failed", status: 504, code: "deadline_exceeded" });
      expect(trace.duration_ms).toBeGreaterThanOrEqual(149);
      expect(trace.duration_ms).toBeLessThan(5000);
      // The deployment had not its own time: the client's haste is no fault of it.
      expect(breakerOf(gateway, "a").view(0)).toMatchObject({ consecutiveFailures: 0, lastFailureAt: null });
      expect([a.requests.length, b.requests.length]).toEqual([1, 0]);
    }
  });

  test("lets the official SDK hear why, before its own timeout makes it send everything again", async () => {
    const { a, gateway } = await setScene({ a: hang });
    const call = gateway.client({ maxRetries: 2 }).chat.completions.create(question, { timeout: 1000 });
    await expect(call).rejects.toMatchObject({ status: 504, code: "deadline_exceeded" });
    await expect(call).rejects.toBeInstanceOf(OpenAI.InternalServerError);
    expect(a.requests).toHaveLength(1);
  });

  test("is never lengthened by a client", async () => {
    const { gateway } = await setScene(
      { a: hang },
      { failover: "deadline: 150ms, connect: 100ms, first_token: 100ms" },
    );
    const answer = await post(gateway, {}, { headers: { "x-tuloy-timeout-ms": "60000" } });
    expect(answer.json()).toMatchObject({ error: { code: "deadline_exceeded" } });
  });

  test("spans all attempts: a second one has only what the first one left", async () => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene({ a: headStart, b: headStart }, { clock, failover: "first_token: 200ms" });
    const answer = post(gateway, { stream: true }, { headers: { "x-tuloy-timeout-ms": "350" } });
    await a.received(0);
    clock.advance(250);
    await a.closed(0);
    await b.received(0);
    clock.advance(100);
    expect((await answer).status).toBe(504);
    await b.closed(0);
    clock.advance(1000);
    const { attempts, duration_ms: took } = await gateway.lastTrace();
    expect(attempts.map(({ failure }) => failure)).toEqual(["first_token_timeout", "first_token_timeout"]);
    expect(took).toBe(350);
    // Only the one that had its whole time is to blame.
    expect(breakerOf(gateway, "a").view(0)).toMatchObject({ consecutiveFailures: 1 });
    expect(breakerOf(gateway, "b").view(0)).toMatchObject({ consecutiveFailures: 0 });
  });

  test("that would pass during a wait ends the request at once", async () => {
    const { a, gateway } = await setScene({
      a: answersError(429, "rate_limit_exceeded", "Slow down.", { "retry-after-ms": "2000" }),
    });
    const answer = await post(gateway, {}, { headers: { "x-tuloy-timeout-ms": "1000" } });
    expect(answer.status).toBe(429);
    expect((await gateway.lastTrace()).duration_ms).toBeLessThan(1000);
    expect(a.requests).toHaveLength(1);
  });

  test.each(["soon", "-5", "0", ""])("is not changed by a header that says %j", async (value) => {
    const { gateway } = await setScene({ a: answersChat("In time.") });
    expect((await post(gateway, {}, { headers: { "x-tuloy-timeout-ms": value } })).status).toBe(200);
  });
});

describe("a request that names its provider", () => {
  test.each([`@a/${model}`, `@a/a-${model}`, `a/${model}`])("as %s gets that one or an error", async (locked) => {
    const { a, b, gateway } = await setScene({ a: answersChat("From A."), b: answersChat("never asked") });
    const client = gateway.client({ maxRetries: 2 });
    const { data } = await client.chat.completions.create({ ...question, model: locked }).withResponse();
    expect(data.choices[0]?.message.content).toBe("From A.");
    a.script(busy);
    await expect(client.chat.completions.create({ ...question, model: locked })).rejects.toMatchObject({ status: 503 });
    a.script(headStart);
    const cut = await post(gateway, { model: locked, stream: true }, { headers: { "x-tuloy-timeout-ms": "100" } });
    expect(cut.status).toBe(504);
    a.refuse();
    await expect(client.chat.completions.create({ ...question, model: locked })).rejects.toMatchObject({ status: 502 });
    expect(b.acceptedSockets).toBe(0);
    const trace = await gateway.lastTrace(4);
    expect(trace.exclusions).toMatchObject([{ deployment: `b/${model}`, reason: "locked_elsewhere" }]);
    expect(trace.candidates).toEqual([`a/${model}`]);
  });

  test("gets it although it is a backup, and although its breaker is open", async () => {
    const { a, b, gateway } = await setScene(
      { a: answersChat("never asked"), b: busy },
      { failover: "breaker: { failures: 1, open: 20s, open_max: 20s }" },
    );
    await post(gateway, { model: `@b/${model}` });
    expect(breakerOf(gateway, "b").isClosed).toBe(false);
    b.script(answersChat("From B."));
    const heard = await hearStream(gateway.client(), { model: `@b/${model}` });
    expect([heard.text, heard.error]).toEqual(["From B.", null]);
    expect(a.acceptedSockets).toBe(0);
  });
});

describe("a header of a request", () => {
  test("x-tuloy-no-failover keeps it with the primary, and the trace says why the others were not asked", async () => {
    const { a, b, gateway } = await setScene({ a: busy, b: answersChat("never asked") });
    const client = gateway.client({ headers: { "x-tuloy-no-failover": "true" } });
    await expect(client.chat.completions.create(question)).rejects.toMatchObject({ status: 503 });
    expect([a.requests.length, b.acceptedSockets]).toEqual([1, 0]);
    expect((await gateway.lastTrace()).exclusions).toMatchObject([{ deployment: `b/${model}`, reason: "no_failover" }]);
  });

  test("x-tuloy-route chooses a route by its name, and none that is not for this request", async () => {
    const { a, b, gateway } = await setScene(
      { a: answersChat("From A."), b: answersChat("From B.") },
      {
        routes: [
          "name: b-first, match: { models: [model-*], environments: [production] }, providers: [b, a]",
          "name: embeddings-only, match: { operation: embeddings }",
        ],
      },
    );
    const through = (route: string) => post(gateway, {}, { headers: { "x-tuloy-route": route } });
    const chosen = await through("b-first");
    expect(chosen.headers["x-tuloy-provider"]).toBe("b");
    expect((await gateway.trace(String(chosen.headers["x-tuloy-trace-id"]))).route).toBe("b-first");
    expect((await through("default")).headers["x-tuloy-provider"]).toBe("a");
    for (const wrong of ["no-such-route", "embeddings-only"]) {
      const refused = await through(wrong);
      expect(refused.status).toBe(400);
      expect(refused.json()).toMatchObject({ error: { code: "invalid_request", param: "x-tuloy-route" } });
    }
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
  });

  test("x-tuloy-tags is on the trace, and goes no further", async () => {
    const { a, gateway } = await setScene({ a: answersChat("ok") });
    const headers = {
      "x-tuloy-tags": "feature=search, team = web ,nothing,__proto__=own,=x",
      "x-tuloy-route": "default",
    };
    const { response } = await gateway.client({ headers }).chat.completions.create(question).withResponse();
    const { tags } = await gateway.trace(response.headers.get("x-tuloy-trace-id"));
    expect(Object.entries(tags)).toEqual([
      ["feature", "search"],
      ["team", "web"],
      ["__proto__", "own"],
    ]);
    const sent = Object.keys(a.requests[0]?.headers ?? {});
    expect(sent.filter((name) => name.startsWith("x-"))).toEqual([]);
  });
});
