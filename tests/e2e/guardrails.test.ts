import { answersChat, answersError } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { breakerOf, hearStream, post, question, setScene } from "../scene.ts";

const fromA = answersChat("From A.");
const fromB = answersChat("From B.");
const fromC = answersChat("From C.");
const never = answersChat("never asked");
const busy = answersError(503, null, "Busy.");

describe("a region pin", () => {
  const routes = ["name: eu-only, regions: [eu], match: { models: [model-x] }"];
  const providers = {
    a: { facts: "region: eu" },
    b: { facts: "region: eu-west-1" },
    us: { facts: "region: us-east-1" },
    world: { facts: "region: global" },
    somewhere: {},
  };

  test("holds during failover: within it the twin serves, and no byte leaves for anywhere else", async () => {
    const { us, world, somewhere, gateway } = await setScene(
      { us: never, world: never, somewhere: never, a: busy, b: fromB },
      { routes, providers },
    );
    const { data, response } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("From B.");
    expect(response.headers.get("x-tuloy-provider")).toBe("b");
    expect((await gateway.lastTrace()).exclusions).toEqual([
      {
        deployment: "us/model-x@us-east-1",
        reason: "region",
        detail: "it is in us-east-1, and the route is pinned to eu",
      },
      {
        deployment: "world/model-x@global",
        reason: "region",
        detail: "it is in global, and the route is pinned to eu",
      },
      {
        deployment: "somewhere/model-x",
        reason: "region",
        detail: "its region is unknown, and the route is pinned to eu",
      },
    ]);
    expect([us, world, somewhere].map(({ acceptedSockets }) => acceptedSockets)).toEqual([0, 0, 0]);
  });

  test.each(["answers 503", "resets", "is not there"])("fails rather than leaves it when all of it %s", async (how) => {
    const { a, b, us, gateway } = await setScene({ us: never, a: busy, b: busy }, { routes, providers });
    for (const upstream of [a, b]) {
      if (how === "resets") upstream.script((reply) => reply.reset());
      if (how === "is not there") upstream.refuse();
    }
    const client = gateway.client({ maxRetries: 2 });
    // Twice alike without an outage is the prompt's own doing; an earlier request of another kind shows the outage.
    await post(gateway, { messages: [{ role: "user", content: "Another." }] });
    const failed = client.chat.completions.create(question);
    await expect(failed).rejects.toMatchObject({ status: 503, code: "region_unavailable" });
    await expect(failed).rejects.toThrow(/in eu could answer, and route eu-only allows no other region/);
    const heard = await hearStream(gateway.client());
    expect(heard.error).toMatchObject({ status: 503, code: "region_unavailable" });
    expect(us.acceptedSockets).toBe(0);
    expect(await gateway.lastTrace(3)).toMatchObject({ status: 503, code: "region_unavailable", outcome: "failed" });
  });

  test("whose deployments' breakers are open is told so with the time when one may be back", async () => {
    const { us, a, gateway } = await setScene(
      { us: never, a: busy },
      {
        routes: [`${routes[0] ?? ""}, failover: { attempts: 1, breaker: { failures: 1 } }`],
        providers,
      },
    );
    await post(gateway);
    breakerOf(gateway, "a");
    a.refuse();
    const refused = await post(gateway);
    expect(refused.status).toBe(503);
    expect(refused.json()).toMatchObject({ error: { code: "region_unavailable" } });
    expect(us.acceptedSockets).toBe(0);
  });

  test("is no excuse when nobody elsewhere would have answered either", async () => {
    const { gateway } = await setScene({ a: busy }, { routes, providers });
    const refused = await post(gateway);
    expect(refused.json()).toMatchObject({ error: { code: "upstream_failed" } });
  });

  test("without anybody in it that may serve the request is 503, and holds for a locked model", async () => {
    const { us, a, gateway } = await setScene({ us: never, a: never }, { routes, providers });
    const locked = await post(gateway, { model: "@us/model-x" });
    expect(locked.status).toBe(503);
    expect(locked.json()).toMatchObject({ error: { code: "region_unavailable", param: "model" } });
    expect([us.acceptedSockets, a.acceptedSockets]).toEqual([0, 0]);
  });
});

describe("a cost cap", () => {
  const route = (yaml: string) => [`name: capped, match: { models: [model-x] }, ${yaml}`];
  const providers = {
    a: { price: "{ input: 10, output: 10 }" },
    dear: { price: "{ input: 13, output: 13 }" },
    unknown: { price: null },
    c: { price: "{ input: 12, output: 12 }" },
  };

  test("leaves out dearer backups and those without a price, with the reason, and the next best serves", async () => {
    const { dear, unknown, gateway } = await setScene(
      { a: busy, dear: never, unknown: never, c: fromC },
      { providers, routes: route("failover: { max_cost_multiplier: 1.2 }") },
    );
    const { data } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("From C.");
    expect((await gateway.lastTrace()).exclusions).toMatchObject([
      {
        deployment: "dear/model-x",
        reason: "price_cap",
        detail: expect.stringContaining("1.30 × the primary a/model-x"),
      },
      { deployment: "unknown/model-x", reason: "no_price" },
    ]);
    expect([dear.acceptedSockets, unknown.acceptedSockets]).toEqual([0, 0]);
  });

  test("that leaves nobody when the primary fails is a 4xx that says so, and the SDK sends it once", async () => {
    const { a, dear, gateway } = await setScene(
      { a: busy, dear: never },
      { providers, routes: route("failover: { max_cost_multiplier: 1.2 }") },
    );
    const failed = gateway.client({ maxRetries: 2 }).chat.completions.create(question);
    await expect(failed).rejects.toMatchObject({ status: 400, code: "no_deployment_allowed" });
    await expect(failed).rejects.toThrow(
      /within the price cap could answer; left out were dear\/model-x: it costs 1\.30 ×/,
    );
    expect([a.requests.length, dear.acceptedSockets]).toEqual([1, 0]);
    expect(await gateway.lastTrace()).toMatchObject({
      code: "no_deployment_allowed",
      attempts: [{ failure: "overloaded" }],
    });
  });

  test("does not apply against a primary that costs nothing, and the trace says so", async () => {
    const { gateway } = await setScene(
      { free: busy, dear: fromB },
      {
        providers: { free: { price: "{ input: 0, output: 0 }" }, dear: providers.dear },
        routes: route("failover: { max_cost_multiplier: 1.2 }"),
      },
    );
    expect((await post(gateway)).status).toBe(200);
    expect((await gateway.lastTrace()).notes).toContain(
      "the primary costs nothing, so that max_cost_multiplier does not apply",
    );
  });

  test("in dollars holds for the primary too, by the route or by the request", async () => {
    const { a, dear, gateway } = await setScene(
      { dear: never, a: fromA },
      { providers, routes: route("max_price: { output: 12 }") },
    );
    expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("a");
    const refused = await post(gateway, { provider: { max_price: { prompt: 5 } } });
    expect(refused.status).toBe(400);
    expect(refused.json()).toMatchObject({ error: { code: "no_deployment_allowed" } });
    expect([a.requests.length, dear.acceptedSockets]).toEqual([1, 0]);
  });
});

describe("fidelity", () => {
  test("leaves out a backup of lower precision, unless the route allows it", async () => {
    const providers = { a: { model: "quantization: bf16" }, b: { model: "quantization: int4" } };
    const strict = await setScene({ a: busy, b: never }, { providers });
    expect((await post(strict.gateway)).status).toBe(503);
    expect(strict.b.acceptedSockets).toBe(0);
    expect((await strict.gateway.lastTrace()).exclusions).toEqual([
      { deployment: "b/model-x", reason: "fidelity", detail: "it serves int4, below bf16 of a/model-x" },
    ]);
    const allowed = await setScene(
      { a: busy, b: fromB },
      { providers, routes: ["name: any, match: { models: [model-x] }, quantizations: [bf16, int4]"] },
    );
    expect((await post(allowed.gateway)).headers["x-tuloy-provider"]).toBe("b");
  });
});

describe("a request that asks for privacy", () => {
  test("goes only where nothing is kept, and where nobody trains on it", async () => {
    const { a, b, c, gateway } = await setScene(
      { a: never, b: fromB, c: fromC },
      {
        providers: {
          b: { facts: "retains: false" },
          c: { facts: "trains: false" },
        },
      },
    );
    expect((await post(gateway, { provider: { zdr: true } })).headers["x-tuloy-provider"]).toBe("b");
    expect((await post(gateway, { provider: { data_collection: "deny" } })).headers["x-tuloy-provider"]).toBe("c");
    const both = await post(gateway, { provider: { zdr: true, data_collection: "deny" } });
    expect(both.status).toBe(400);
    expect(both.json()).toMatchObject({ error: { code: "no_deployment_allowed" } });
    expect([a.acceptedSockets, b.requests.length, c.requests.length]).toEqual([0, 1, 1]);
    expect((await gateway.lastTrace(3)).exclusions.map(({ reason }) => reason)).toEqual([
      "retention",
      "retention",
      "retention",
    ]);
  });
});

describe("a request's own list of providers", () => {
  test("orders, allows and leaves out, within what the route allows", async () => {
    const { c, gateway } = await setScene(
      { a: fromA, b: fromB, c: never },
      { routes: ["name: two, match: { models: [model-x] }, providers: [a, b]"] },
    );
    const by = async (provider: object) => (await post(gateway, { provider })).headers["x-tuloy-provider"];
    expect(await by({ order: ["b"] })).toBe("b");
    expect(await by({ only: ["b", "c"] })).toBe("b");
    expect(await by({ ignore: ["a"] })).toBe("b");
    const outside = await post(gateway, { provider: { only: ["c"] } });
    expect(outside.status).toBe(400);
    expect(c.acceptedSockets).toBe(0);
  });

  test("with no fallbacks tries one, and says so of the rest", async () => {
    const { b, gateway } = await setScene({ a: busy, b: never });
    const alone = await post(gateway, { provider: { allow_fallbacks: false } });
    expect(alone.status).toBe(503);
    expect((await gateway.lastTrace()).exclusions).toMatchObject([{ deployment: "b/model-x", reason: "no_failover" }]);
    expect(b.acceptedSockets).toBe(0);
  });
});
