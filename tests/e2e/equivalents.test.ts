import { answersChat, answersError, chatChunks, type Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { model } from "../harness.ts";
import { hearStream, post, question, setScene, type SceneOptions } from "../scene.ts";

const busy = answersError(503, null, "Busy.");
const broken = answersError(500, null, "It broke.");
const fromNear = answersChat("From the near model.");
const fromFar = answersChat("From the far model.");
const never = answersChat("never asked");

const facts = "tier: 3, context: 100000, capabilities: [tools]";
const described = `models:
  ${model}: { ${facts} }
  near: { ${facts} }
  far: { tier: 2, context: 50000, capabilities: [tools] }`;
const listing = described.replace(`${model}: { `, `${model}: { equivalents: [far], `);

/** A alone serves the model; the others serve one that is near it and one that is farther from it. */
function around(equivalents: string, options: SceneOptions & { readonly route?: string } = {}): SceneOptions {
  const { route = "", providers = {}, ...rest } = options;
  return {
    more: described,
    routes: [`name: r, match: { models: [${model}] }, equivalents: ${equivalents}${route}`],
    ...rest,
    providers: {
      far: { model: null, models: ["far: { id: far-id, price: { input: 1, output: 2 } }"], ...providers["far"] },
      near: { model: null, models: ["near: { id: near-id, price: { input: 1, output: 2 } }"], ...providers["near"] },
      a: { ...providers["a"] },
    },
  };
}

describe("when no twin answers", () => {
  test("no other model does, unless the route or the request says so", async () => {
    const { far, near, gateway } = await setScene({ a: busy, far: never, near: never }, around("off"));
    await expect(gateway.client().chat.completions.create(question)).rejects.toMatchObject({ status: 503 });
    expect([far.acceptedSockets, near.acceptedSockets]).toEqual([0, 0]);
    expect((await gateway.lastTrace()).equivalents).toBeUndefined();
  });

  test("the nearest one does, and answer, header and trace say which and why", async () => {
    const { a, far, near, gateway } = await setScene({ a: busy, far: never, near: fromNear }, around("nearest"));
    const { data, response } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("From the near model.");
    expect(response.headers.get("x-tuloy-model")).toBe("near");
    expect(response.headers.get("x-tuloy-provider")).toBe("near");
    expect(response.headers.get("x-tuloy-failover")).toBe("overloaded");
    expect(near.requests[0]?.json()).toMatchObject({ model: "near-id" });
    const trace = await gateway.lastTrace();
    expect(trace).toMatchObject({
      model,
      candidates: [`a/${model}`],
      equivalents: [
        {
          deployment: "near/near",
          score: 1,
          why: `does all that ${model} does; same tier 3; as large a window; costs no more`,
        },
        { deployment: "far/far", score: 0.863, why: expect.stringContaining("tier 2 for 3; a window of 50%") },
      ],
    });
    expect(trace.attempts.map((attempt) => [attempt.kind, attempt.model])).toEqual([
      ["first", model],
      ["equivalent", "near"],
    ]);
    expect([a.requests.length, far.acceptedSockets]).toEqual([1, 0]);
  });

  test("the model that the file lists does, also in a stream, and no nearer one that it does not", async () => {
    const { near, gateway } = await setScene(
      { a: busy, near: never, far: fromFar },
      around("listed", { more: listing }),
    );
    const heard = await hearStream(gateway.client());
    expect([heard.text, heard.error]).toEqual(["From the far model.", null]);
    expect(heard.headers?.get("x-tuloy-model")).toBe("far");
    expect(near.acceptedSockets).toBe(0);
    expect((await gateway.lastTrace()).equivalents).toEqual([
      { deployment: "far/far", score: null, why: `the configuration lists it for ${model}` },
    ]);
  });

  test("the models that the request lists do, in its order, and these alone", async () => {
    for (const [field, policy] of [
      ["models", "off"],
      ["fallbacks", "nearest"],
    ] as const) {
      const { near, gateway } = await setScene({ a: busy, near: never, far: fromFar }, around(policy));
      const answer = await post(gateway, { [field]: ["far"] });
      expect(answer.headers["x-tuloy-model"]).toBe("far");
      expect(near.acceptedSockets).toBe(0);
      expect((await gateway.lastTrace()).equivalents).toMatchObject([{ why: `the request lists it for ${model}` }]);
    }
  });

  test.each([
    ["a route that says never", "never", { models: ["near"] }],
    ["a locked request", "nearest", { model: `@a/${model}`, models: ["near"] }],
    ["a request without fallbacks", "nearest", { provider: { allow_fallbacks: false } }],
  ])("%s stays with the model", async (_name, policy, body) => {
    const { near, far, gateway } = await setScene({ a: busy, near: never, far: never }, around(policy));
    expect((await post(gateway, body)).status).toBe(503);
    expect([near.acceptedSockets, far.acceptedSockets]).toEqual([0, 0]);
  });
});

describe("leaving the model is the last resort", () => {
  test("all twins come first, whatever they cost or how slow they are", async () => {
    const { b, near, gateway } = await setScene(
      { near: never, far: never, a: busy, b: answersChat("From the twin.") },
      around("nearest", { providers: { a: {} } }),
    );
    expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("b");
    expect([b.requests.length, near.acceptedSockets]).toEqual([1, 0]);
  });

  test("one more call to what broke comes before it", async () => {
    const { a, gateway } = await setScene(
      { a: broken, near: fromNear, far: never },
      around("nearest", { random: () => 0 }),
    );
    expect((await post(gateway)).headers["x-tuloy-model"]).toBe("near");
    expect(a.requests).toHaveLength(2);
    expect((await gateway.lastTrace()).attempts.map(({ kind }) => kind)).toEqual([
      "first",
      "same_deployment",
      "equivalent",
    ]);
  });

  test("a short Retry-After is waited for before it", async () => {
    const limited = answersError(429, "rate_limit_exceeded", "Slow down.", { "retry-after-ms": "30" });
    const { a, near, gateway } = await setScene(
      { a: [limited, answersChat("A again.")], near: fromNear, far: never },
      around("nearest"),
    );
    expect((await post(gateway)).headers["x-tuloy-model"]).toBe(model);
    expect([a.requests.length, near.acceptedSockets]).toEqual([2, 0]);
    a.script(answersError(429, "rate_limit_exceeded", "Slow down.", { "retry-after": "20" }));
    expect((await post(gateway)).headers["x-tuloy-model"]).toBe("near");
  });

  test("a slow stream is cut for it at its first-token limit", async () => {
    const hang: Script = (reply) => reply.eventStream().silence();
    const { gateway } = await setScene(
      { a: hang, near: fromNear, far: never },
      around("nearest", { route: ", failover: { first_token: 50ms }" }),
    );
    expect((await hearStream(gateway.client())).text).toBe("From the near model.");
  });
});

describe("an equivalent", () => {
  test("is bound by the cost cap, with its reason, and the next best serves", async () => {
    const { near, gateway } = await setScene(
      { a: busy, near: never, far: fromFar },
      around("nearest", {
        route: ", failover: { max_cost_multiplier: 1.2 }",
        providers: { near: { models: ["near: { id: near-id, price: { input: 1.3, output: 2.6 } }"] } },
      }),
    );
    expect((await post(gateway)).headers["x-tuloy-model"]).toBe("far");
    expect(near.acceptedSockets).toBe(0);
    expect((await gateway.lastTrace()).exclusions).toMatchObject([{ deployment: "near/near", reason: "price_cap" }]);
  });

  test("is bound by the region pin, so that none of it leaves", async () => {
    const { near, gateway } = await setScene(
      { a: busy, near: never, far: fromFar },
      around("listed", {
        more: listing.replace("equivalents: [far]", "equivalents: [near, far]"),
        route: ", regions: [eu]",
        providers: { a: { facts: "region: eu" }, far: { facts: "region: eu-north-1" }, near: { facts: "region: us" } },
      }),
    );
    expect((await post(gateway)).headers["x-tuloy-model"]).toBe("far");
    expect(near.acceptedSockets).toBe(0);
    expect((await gateway.lastTrace()).exclusions).toMatchObject([{ deployment: "near/near@us", reason: "region" }]);
  });

  test("answers at once what the model itself cannot take, and its plan says so", async () => {
    const { a, gateway } = await setScene(
      { a: never, near: fromNear, far: never },
      around("nearest", { providers: { a: { model: "context: 10" } } }),
    );
    expect((await post(gateway)).headers["x-tuloy-model"]).toBe("near");
    expect(a.acceptedSockets).toBe(0);
    const trace = await gateway.lastTrace();
    expect(trace.candidates).toEqual([]);
    expect(trace.attempts.map(({ kind }) => kind)).toEqual(["equivalent"]);
    expect(trace.deltas).toBeNull();
  });

  test("answers what was too long for the model where its own window is known to be larger", async () => {
    const tooLong = answersError(
      400,
      "context_length_exceeded",
      "This model's maximum context length is 100000 tokens.",
    );
    const { gateway } = await setScene(
      { a: tooLong, near: never, far: fromFar },
      around("nearest", {
        more: described.replace("context: 50000", "context: 200000"),
      }),
    );
    expect((await post(gateway)).headers["x-tuloy-model"]).toBe("far");
    const same = await setScene({ a: tooLong, near: never, far: never }, around("nearest"));
    const refused = await post(same.gateway);
    expect(refused.status).toBe(400);
    expect(refused.json()).toMatchObject({ error: { code: "context_length_exceeded" } });
  });

  test("is never asked when a filter refused, or once the answer has begun", async () => {
    const filtered = await setScene(
      { a: answersError(400, "content_filter", "No."), near: never, far: never },
      around("nearest"),
    );
    expect((await post(filtered.gateway)).status).toBe(400);
    expect(filtered.near.acceptedSockets).toBe(0);
    const cut: Script = (reply) => {
      const [role = "", first = ""] = chatChunks(["Half an ", "answer."]);
      return reply.eventStream().chunk(role).chunk(first).reset();
    };
    const begun = await setScene({ a: cut, near: never, far: never }, around("nearest"));
    const heard = await hearStream(begun.gateway.client());
    expect(heard.error).not.toBeNull();
    expect(begun.near.acceptedSockets).toBe(0);
  });
});
