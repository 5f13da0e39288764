import { answersChat, answersError } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { model } from "../harness.ts";
import { hearStream, post, question, setScene } from "../scene.ts";
import { errorOf, shareScene } from "../shared-scene.ts";

const busy = answersError(503, null, "Busy.");

describe("what a body says of routing", () => {
  const overrides = {
    provider: { order: ["A"], zdr: false, data_collection: "allow", sort: { by: "price" }, require_parameters: false },
    fallbacks: [{ model }],
    session_id: "a-session",
  };

  test("never reaches an upstream, neither as JSON nor as a stream, also after a failover", async () => {
    const { a, b, gateway } = await setScene({ a: busy, b: answersChat("From B.") });
    const client = gateway.client();
    const asked = { ...question, ...overrides, temperature: 0.5, custom: { provider: { order: ["kept"] } } };
    const { choices } = await client.chat.completions.create({ ...asked, stream: false });
    expect(choices[0]?.message.content).toBe("From B.");
    const heard = await hearStream(client, { ...overrides, custom: 1 } as object);
    expect([heard.text, heard.error]).toEqual(["From B.", null]);
    const sent = [...a.requests, ...b.requests].map(({ body }) => JSON.parse(body.toString()) as object);
    expect(sent.length).toBeGreaterThanOrEqual(3);
    for (const body of sent) {
      for (const key of [...Object.keys(overrides), "models"]) expect(body).not.toHaveProperty([key]);
      expect(body).toHaveProperty("custom");
    }
    expect(sent[0]).toEqual({
      ...question,
      stream: false,
      model: `a-${model}`,
      temperature: 0.5,
      custom: asked.custom,
    });
  });

  test("without fallbacks keeps the request with the first deployment", async () => {
    const { a, b, gateway } = await setScene({ a: busy, b: answersChat("never asked") });
    const answer = await post(gateway, { provider: { allow_fallbacks: false } });
    expect(answer.status).toBe(503);
    expect([a.requests.length, b.acceptedSockets]).toEqual([1, 0]);
    expect((await gateway.lastTrace()).exclusions).toMatchObject([{ deployment: `b/${model}`, reason: "no_failover" }]);
  });
});

describe("a request's own list of models", () => {
  const scene = shareScene();

  test("names the model where the body does not, by any name that a model has", async () => {
    const answer = await post(scene.gateway, JSON.stringify({ models: [model], messages: question.messages }));
    expect(answer.status).toBe(200);
    expect(JSON.parse(scene.sent().body.toString())).toEqual({ model: `a-${model}`, messages: question.messages });
    expect((await scene.gateway.trace(String(answer.headers["x-tuloy-trace-id"]))).requested_model).toBe(model);
  });

  test.each([{ models: ["model-z"] }, { fallbacks: [{ model: "model-z" }] }, { models: [`@a/${model}`, "model-z"] }])(
    "must name models that somebody serves: %j",
    async (body) => {
      const answer = await post(scene.gateway, body);
      expect(answer.status).toBe(404);
      expect(errorOf(answer)).toMatchObject({ code: "model_not_found", param: "models" });
      expect(errorOf(answer).message).toContain('"model-z". Nearest: model-x.');
      expect(scene.asked()).toEqual([]);
    },
  );

  test("may say that the model itself is its own stand-in, however it is called", async () => {
    expect((await post(scene.gateway, { models: [model, `@a/${model}`, `a/${model}`] })).status).toBe(200);
  });

  test.each([
    [{ provider: { ordre: ["a"] } }, "provider", 'has "ordre", which is not known here: the nearest is order.'],
    [{ provider: { sort: "speed" } }, "provider.sort", "must be one of price, latency, throughput"],
    [{ models: "model-x" }, "models", "must be an array of models"],
  ])("or another override that is wrong is the sender's fault: %j", async (body, param, words) => {
    const answer = await post(scene.gateway, body);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: "invalid_request", param });
    expect(errorOf(answer).message).toContain(words);
    expect(scene.asked()).toEqual([]);
  });
});
