import { answersChat, answersError, chatAnswer, readChatStream, sse } from "@tuloy/testkit";
import { beforeAll, describe, expect, test } from "vitest";

import { apiKey, model } from "../harness.ts";
import { hearStream, openScene, post, question, setScene } from "../scene.ts";
import type { Scene } from "../scene.ts";

const answers = answersChat("Go on then.", { usage: [5, 7] });

describe("usage in a stream", () => {
  let scene: Scene<"a">;
  beforeAll(async () => {
    const opened = await openScene({ a: answers });
    scene = opened.scene;
    return opened.close;
  });
  const lastBody = (): unknown => scene.a.requests.at(-1)?.json();

  test("is asked for upstream in the client's place, who does not see it; the trace has it", async () => {
    const heard = await hearStream(scene.gateway.client());
    expect(heard.text).toBe("Go on then.");
    expect(heard.chunks.every(({ usage, choices }) => !usage && choices.length === 1)).toBe(true);
    expect(lastBody()).toMatchObject({ stream_options: { include_usage: true } });
    const trace = await scene.gateway.trace(heard.headers?.get("x-tuloy-trace-id") ?? null);
    expect(trace.usage).toEqual({
      input_tokens: 5,
      cached_input_tokens: 0,
      output_tokens: 7,
      reasoning_tokens: 0,
      source: "provider",
    });
    expect(trace.cost_usd).toBeCloseTo((5 * 1 + 7 * 2) / 1e6, 12);
  });

  test("is shown to a client who asked for it, once, at the end", async () => {
    const heard = await hearStream(scene.gateway.client(), { stream_options: { include_usage: true } });
    expect(heard.chunks.filter(({ usage }) => usage)).toHaveLength(1);
    expect(heard.chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 7 } });
    expect(lastBody()).toMatchObject({ stream_options: { include_usage: true } });
  });

  test("is asked for beside what a client set of the other options", async () => {
    const raw = await post(scene.gateway, { stream: true, stream_options: { include_obfuscation: false } });
    expect(lastBody()).toMatchObject({ stream_options: { include_obfuscation: false, include_usage: true } });
    expect(readChatStream(raw.body).usages).toEqual([]);
  });

  test("is asked for, but not shown, when a client declined it", async () => {
    const raw = await post(scene.gateway, { stream: true, stream_options: { include_usage: false } });
    expect(lastBody()).toMatchObject({ stream_options: { include_usage: true } });
    expect(readChatStream(raw.body)).toMatchObject({ usages: [], text: "Go on then.", terminators: 1 });
  });

  test("in the chunk of the last content is left where it is", async () => {
    const whole = {
      id: "a",
      model: "m",
      choices: [{ index: 0, delta: { role: "assistant", content: "all" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    };
    scene.a.script([(reply) => reply.eventStream().chunk(sse(whole)).chunk(sse("[DONE]")).end()]);
    const raw = await post(scene.gateway, { stream: true });
    expect(readChatStream(raw.body)).toMatchObject({ text: "all", usages: [whole.usage] });
    scene.a.script(answers);
  });

  test("is not asked for where nothing is streamed", async () => {
    await post(scene.gateway);
    expect(lastBody()).toEqual({ ...question, model: "a-model-x" });
  });
});

describe("the body goes upstream as it came, but for the model's id", () => {
  const odd = [
    ["numbers in any spelling", '"temperature": 1.0, "top_p": 1e-0, "seed": 12345678901234567890123, "x": -0.0'],
    ["escapes", '"user": "\\u00e9\\ud83d\\ude00\\/\\n", "\\u0073top": ["\\u0041"]'],
    ["lone surrogates", '"user": "\\ud800"'],
    [
      "unknown fields, in their order",
      '"zebra": {"b": 1, "a": [null, true]}, "alpha": "α", "reasoning": {"effort": "low"}',
    ],
    ["duplicate keys", '"user": "one", "user": "two"'],
    ["names that objects inherit", '"__proto__": {"admin": true}, "constructor": 1, "toString": "x"'],
    ["white space", ' \t "user"\r\n :\n"x"  '],
    ["characters of any width", '"user": "ñandú 日本語 🎉 \u2028"'],
  ];
  let scene: Scene<"a" | "b">;
  beforeAll(async () => {
    const opened = await openScene(
      { a: answersError(503, null, "busy"), b: answers },
      {
        failover: "breaker: { failures: 1000, of: 1000 }",
      },
    );
    scene = opened.scene;
    return opened.close;
  });

  test.each(odd)("%s", async (_, fields) => {
    const { a, b, gateway } = scene;
    const written = `{ ${fields}, "model" : "${model}" ,"messages":[ {"role":"user","content":"1.0"} ] }\n`;
    const answer = await post(gateway, written);
    expect(answer.status).toBe(200);
    expect(a.requests.at(-1)?.body.toString()).toBe(written.replace(model, "a-model-x"));
    expect(b.requests.at(-1)?.body.toString()).toBe(written.replace(model, "b-model-x"));
  });

  test("also one of a megabyte, to the byte", async () => {
    const { b, gateway } = scene;
    const content = "ñ".repeat(500_000);
    const written = `{"messages":[{"role":"user","content":"${content}"}],"model":"${model}"}`;
    await post(gateway, written);
    expect(b.requests.at(-1)?.body.equals(Buffer.from(written.replace(model, "b-model-x")))).toBe(true);
  });

  test("a stream's too, but for the wish for usage", async () => {
    const { b, gateway } = scene;
    const written = `{"seed":1.0,"stream":true,"messages":[],"model":"${model}"}`;
    await post(gateway, written);
    const sent = b.requests.at(-1)?.body.toString() ?? "";
    expect(sent.replace(/,?"stream_options":\{"include_usage":true\},?/, "")).toBe(written.replace(model, "b-model-x"));
  });

  test("and the answer comes back as it was sent", async () => {
    const { b, gateway } = scene;
    const spelled = JSON.stringify(chatAnswer("hi")).replace(
      '"usage"',
      '"logprob": -1.0e-2, "big": 12345678901234567890, "usage"',
    );
    b.script([
      (reply) =>
        reply.status(200).headers({ "content-type": "application/json" }, Buffer.byteLength(spelled)).chunk(spelled),
    ]);
    expect((await post(gateway)).text()).toBe(spelled);
    b.script(answers);
  });
});

describe("the headers of an answer", () => {
  const hex = expect.stringMatching(/^[0-9a-f]{32}$/);

  test("name its trace, who gave it, and after how many attempts", async () => {
    const { gateway } = await setScene({ a: answers });
    const whole = await post(gateway);
    const id = whole.headers["x-tuloy-trace-id"];
    expect(whole.headers).toMatchObject({
      "content-type": "application/json",
      "x-tuloy-trace-id": hex,
      "x-request-id": id,
      "request-id": id,
      "x-tuloy-provider": "a",
      "x-tuloy-model": model,
      "x-tuloy-attempts": "1",
      "x-tuloy-cost-usd": "0.00001900",
    });
    expect(whole.headers).not.toHaveProperty("x-tuloy-failover");
    const trace = await gateway.trace(String(id));
    expect(trace.cost_usd).toBeCloseTo(Number(whole.headers["x-tuloy-cost-usd"]), 10);

    const streamed = await post(gateway, { stream: true });
    expect(streamed.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-tuloy-trace-id": hex,
      "x-tuloy-provider": "a",
      "x-tuloy-attempts": "1",
    });
    // What a stream will have cost is not known when its headers are sent.
    expect(streamed.headers).not.toHaveProperty("x-tuloy-cost-usd");
    expect(streamed.headers["x-tuloy-trace-id"]).not.toBe(id);
  });

  test("name the failure when it failed over", async () => {
    const { gateway } = await setScene({ a: answersError(503, null, "busy"), b: answers });
    for (const stream of [true, false]) {
      expect((await post(gateway, { stream })).headers).toMatchObject({
        "x-tuloy-provider": "b",
        "x-tuloy-attempts": "2",
        "x-tuloy-failover": "overloaded",
      });
    }
  });

  test("of an error have the trace id too, and tell SDKs not to send it again", async () => {
    const { a, gateway } = await setScene({ a: answersError(503, null, "busy") });
    const client = gateway.client({ maxRetries: 2 });
    const error: unknown = await client.chat.completions.create(question).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 503, requestID: hex });
    const asked = a.requests.length;
    const failed = await post(gateway);
    expect(failed.headers).toMatchObject({
      "x-tuloy-trace-id": hex,
      "x-should-retry": "false",
      "x-tuloy-attempts": "1",
    });
    expect(failed.json()).toMatchObject({ error: { metadata: { trace_id: failed.headers["x-tuloy-trace-id"] } } });
    expect(asked).toBe(1);
    expect((await gateway.trace(String(failed.headers["x-tuloy-trace-id"]))).outcome).toBe("failed");
  });

  test("hold nothing of the upstream's own", async () => {
    const own = { "set-cookie": "s=1", "x-ratelimit-limit": "9", server: "vLLM", "openai-organization": "acme" };
    const { gateway } = await setScene({ a: (reply) => reply.json(200, chatAnswer("hi"), own) });
    const answer = await post(gateway);
    expect(Object.keys(answer.headers).filter((name) => name in own)).toEqual([]);
  });
});

test("of a client's headers only those that are meant for providers go upstream", async () => {
  const { a, gateway } = await setScene({ a: answers });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await post(gateway, {}, { headers: { cookie: "s=1", "x-secret": "1", traceparent, "user-agent": "mine/1" } });
  const headers = a.requests[0]?.headers ?? {};
  expect(headers).toMatchObject({ traceparent, authorization: "Bearer sk-a-secret-key" });
  expect(headers["user-agent"]).toMatch(/^mine\/1 tuloy\//);
  expect(Object.keys(headers).filter((name) => ["cookie", "x-secret"].includes(name))).toEqual([]);
  expect(JSON.stringify(headers)).not.toContain(apiKey);
});

describe("under /api/v1 everything is as under /v1", () => {
  test("a stream fails over", async () => {
    const { a, b, gateway } = await setScene({ a: answersError(503, null, "busy"), b: answers });
    const client = gateway.client().withOptions({ baseURL: `${gateway.url}/api/v1` });
    expect(await hearStream(client)).toMatchObject({ text: "Go on then.", error: null });
    // The provider's own path stays the provider's.
    expect([a.requests[0]?.path, b.requests[0]?.path]).toEqual(["/v1/chat/completions", "/v1/chat/completions"]);
  });

  test("models are listed, and a key is asked for", async () => {
    const { gateway } = await setScene({ a: answers });
    const client = gateway.client().withOptions({ baseURL: `${gateway.url}/api/v1` });
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual([model]);
    const stranger = await post(
      gateway,
      {},
      { path: "/api/v1/chat/completions", headers: { authorization: "Bearer no" } },
    );
    expect(stranger.status).toBe(401);
  });
});
