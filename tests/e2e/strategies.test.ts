import { answersChat, answersError, FakeClock, type Script } from "@tuloy/testkit";
import type OpenAI from "openai";
import { describe, expect, test } from "vitest";

import type { TestGateway } from "../harness.ts";
import { breakerOf, hearStream, post, question, setScene } from "../scene.ts";

const fromA = answersChat("From A.");
const fromB = answersChat("From B.");
const fromC = answersChat("From C.");
const busy = answersError(503, null, "Busy.");

/** Who answered a request of the official SDK. */
async function answeredBy(
  gateway: TestGateway,
  body: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {},
  headers: Record<string, string> = {},
): Promise<string | null> {
  const { response } = await gateway
    .client({ headers })
    .chat.completions.create({ ...question, ...body })
    .withResponse();
  return response.headers.get("x-tuloy-provider");
}

describe("strategy: cost", () => {
  const providers = {
    a: { price: "{ input: 1, output: 20 }" },
    b: { price: "{ input: 3, output: 4 }" },
    c: { price: null },
  };

  test("sends each request where it costs least, and to unknown prices last", async () => {
    const { a, c, gateway } = await setScene(
      { c: fromC, a: fromA, b: fromB },
      { providers, routes: ["name: cheap, strategy: cost, match: { models: [model-x] }"] },
    );
    const long = [{ role: "user" as const, content: "word ".repeat(8000) }];
    expect(await answeredBy(gateway, { max_tokens: 2000 })).toBe("b");
    expect(await answeredBy(gateway, { messages: long, max_tokens: 10 })).toBe("a");
    expect((await gateway.lastTrace(2)).candidates).toEqual(["a/model-x", "b/model-x", "c/model-x"]);
    a.script(busy);
    expect(await answeredBy(gateway, { messages: long, max_tokens: 10 })).toBe("b");
    expect(c.requests).toHaveLength(0);
  });

  test("is what a request can ask for itself", async () => {
    const { gateway } = await setScene({ a: fromA, b: fromB }, { providers });
    const cheapest = await post(gateway, { max_tokens: 2000, provider: { sort: "price" } });
    expect(cheapest.headers["x-tuloy-provider"]).toBe("b");
    expect((await post(gateway, { max_tokens: 2000 })).headers["x-tuloy-provider"]).toBe("a");
  });
});

describe("strategy: latency", () => {
  const routes = ["name: quick, strategy: latency, match: { models: [model-x] }"];
  const after =
    (ms: number, clock: FakeClock, text: string): Script =>
    (reply, request) => {
      clock.advance(ms);
      return answersChat(text)(reply, request);
    };

  test("sends streams to the deployment that is quickest to its first token, and away from one that turns slow", async () => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene(
      { a: after(400, clock, "From A."), b: after(50, clock, "From B.") },
      { routes, clock, random: () => 0.5 },
    );
    const asked = async (): Promise<string | null> =>
      (await hearStream(gateway.client())).headers?.get("x-tuloy-provider") ?? null;
    // Nobody has numbers: each is tried once.
    expect([await asked(), await asked()]).toEqual(["a", "b"]);
    expect([await asked(), await asked()]).toEqual(["b", "b"]);
    b.script(after(2000, clock, "From B."));
    expect(await asked()).toBe("b");
    expect([await asked(), await asked()]).toEqual(["a", "a"]);
    a.script(busy);
    // A fast error is no quick answer: the request still goes on to B, and the next one starts there.
    expect(await asked()).toBe("b");
    expect(await asked()).toBe("b");
    // Traces are written in batches, by the clock.
    clock.advance(1000);
    expect((await gateway.lastTrace(9)).candidates).toEqual(["b/model-x", "a/model-x"]);
  });

  test("explores now and then, and says so on the trace", async () => {
    const draws = [0.5, 0.5, 0.5];
    const { gateway } = await setScene({ a: fromA, b: fromB }, { routes, random: () => draws.shift() ?? 0.5 });
    await answeredBy(gateway);
    await answeredBy(gateway);
    const { health } = gateway.launched;
    health.pace("a/model-x").answer.record(10_000_000, 0);
    expect(await answeredBy(gateway)).toBe("b");
    // The next plan draws below 2%, and then the first of the candidates.
    draws.push(0.01, 0);
    expect(await answeredBy(gateway)).toBe("a");
    expect((await gateway.lastTrace(4)).notes).toContain(
      "a candidate was put first by chance, to keep the latencies fresh",
    );
  });
});

describe("strategy: weighted", () => {
  test("divides requests by the weights, of which a backup without one gets none", async () => {
    // With the same chance for all, the larger share comes first.
    const chances: number[] = [];
    const { c, gateway } = await setScene(
      { c: fromC, a: fromA, b: fromB },
      {
        random: () => chances.shift() ?? 0.5,
        routes: ["name: split, weights: { a: 90, b: 10 }, match: { models: [model-x] }"],
      },
    );
    expect(await answeredBy(gateway)).toBe("a");
    expect((await gateway.lastTrace()).candidates).toEqual(["a/model-x", "b/model-x", "c/model-x"]);
    // One draw for each that has a share: a late time for A, an early one for B.
    chances.push(0.999, 0.001);
    expect(await answeredBy(gateway)).toBe("b");
    expect((await gateway.lastTrace(2)).candidates).toEqual(["b/model-x", "a/model-x", "c/model-x"]);
    expect(c.acceptedSockets).toBe(0);
  });

  test("keeps each session at its deployment, by its header or its body", async () => {
    const { a, b, gateway } = await setScene(
      { a: fromA, b: fromB },
      { routes: ["name: split, weights: { a: 50, b: 50 }, match: { models: [model-x] }"] },
    );
    const sessions = Array.from({ length: 30 }, (_, index) => `session-${index}`);
    const first = await Promise.all(sessions.map((id) => answeredBy(gateway, {}, { "x-session-id": id })));
    const again = await Promise.all(sessions.map((id) => answeredBy(gateway, { prompt_cache_key: id })));
    expect(again).toEqual(first);
    expect(a.requests.length).toBeGreaterThan(10);
    expect(b.requests.length).toBeGreaterThan(10);
  });
});

describe("a session", () => {
  const providers = { a: { price: "{ input: 1, output: 1 }" }, b: { price: "{ input: 2, output: 2 }" } };
  const routes = ["name: cheap, strategy: cost, match: { models: [model-x] }"];
  const turn = (gateway: TestGateway, session = "talk") => answeredBy(gateway, {}, { "x-session-id": session });

  test("stays with the backup that took it over, while others go where it is cheapest, and yields at once", async () => {
    const { a, b, gateway } = await setScene(
      { a: busy, b: fromB },
      { providers, routes: [`${routes[0] ?? ""}, failover: { breaker: { failures: 1 } }`] },
    );
    expect(await turn(gateway)).toBe("b");
    a.script(fromA);
    breakerOf(gateway, "a").restore();
    expect(await turn(gateway)).toBe("b");
    expect((await gateway.lastTrace(2)).notes).toContain("the session stays with the deployment that answered it last");
    expect(await turn(gateway, "another talk")).toBe("a");
    b.script(busy);
    expect(await turn(gateway)).toBe("a");
    expect(breakerOf(gateway, "b").isClosed).toBe(false);
    const asked = b.requests.length;
    expect(await turn(gateway)).toBe("a");
    expect(b.requests).toHaveLength(asked);
    expect(a.requests.length).toBeGreaterThan(2);
  });

  test("means nothing under order", async () => {
    const { a, gateway } = await setScene({ a: busy, b: fromB });
    expect(await turn(gateway)).toBe("b");
    a.script(fromA);
    expect(await turn(gateway)).toBe("a");
  });
});

test("a route is chosen by a header, and by none of its values in another case", async () => {
  const { gateway } = await setScene(
    { a: fromA, b: fromB },
    { routes: ["name: batch, match: { header: { X-Feature: batch } }, providers: [b, a]"] },
  );
  expect(await answeredBy(gateway, {}, { "x-feature": "batch" })).toBe("b");
  expect((await gateway.lastTrace()).route).toBe("batch");
  expect(await answeredBy(gateway, {}, { "x-feature": "Batch" })).toBe("a");
  expect(await answeredBy(gateway)).toBe("a");
  const named = await post(gateway, {}, { headers: { "x-tuloy-route": "batch" } });
  expect(named.status).toBe(400);
});
