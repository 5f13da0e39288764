import {
  answersChat,
  answersError,
  chatAnswer,
  chatChunk,
  chatChunks,
  eventually,
  expectClean,
  FakeClock,
  readChatStream,
  sse,
} from "@tuloy/testkit";
import type { Collected, Reply, Script } from "@tuloy/testkit";
import { openaiChat } from "@tuloy/dialects";
import { describe, expect, onTestFinished, test, vi } from "vitest";

import { begins, bodyOf, breaksOff, continues, goesOn, had, prefixOf, says, shape, whole } from "../breaking-stream.ts";
import { model } from "../harness.ts";
import type { TestGateway } from "../harness.ts";
import { breakerOf, post, setScene } from "../scene.ts";

const vllm = { b: continues("vllm"), c: continues("vllm") };
const event = (delta: object): string => sse(chatChunk({ delta }, { id: "chatcmpl-b" }));
/** Goes on when a promise is kept, and until then says nothing. */
const goesOnAfter =
  (moment: Promise<void>): Script =>
  async (reply, request) => {
    await moment;
    return goesOn(reply, request);
  };

/** Asks for a stream, and tells what of it has come so far. */
function listen(gateway: TestGateway): { readonly heard: { text: string }; readonly answer: Promise<Collected> } {
  const heard = { text: "" };
  const options = { onData: (bytes: Buffer) => void (heard.text += bytes.toString()) };
  return { heard, answer: post(gateway, { stream: true }, options) };
}

function inFlight(gateway: TestGateway, provider: string): number {
  const { health } = gateway.launched;
  const keys = health.keyPool(provider).view(`${provider}/${model}`, performance.now());
  return keys.reduce((sum, key) => sum + key.inFlight, 0);
}

describe("a completing call that is late", () => {
  const stalls: Script = (reply) => begins(reply);

  test("is waited for when nobody else is left, and counted as slow", async () => {
    const clock = new FakeClock();
    const ready = Promise.withResolvers<void>();
    const { b, gateway } = await setScene(
      { a: stalls, b: goesOnAfter(ready.promise) },
      { providers: vllm, failover: "stall: 1s, first_token: 2s", clock },
    );
    const { heard, answer } = listen(gateway);
    await eventually(() => heard.text.includes("then,"), "the beginning");
    await clock.pass(1000);
    await b.received(0);
    await clock.pass(10_000);
    expect(breakerOf(gateway, "b").view(clock.now())).toMatchObject({ consecutiveFailures: 1 });
    ready.resolve();
    expect(expectClean(await answer, whole)).toEqual([]);
    await clock.pass(1000);
    const trace = await gateway.lastTrace();
    expect(trace.attempts.map(({ kind, failure }) => [kind, failure])).toEqual([
      ["first", "stall"],
      ["continuation", null],
    ]);
  });

  test("is cut when another can go on", async () => {
    const clock = new FakeClock();
    const { b, gateway } = await setScene(
      { a: stalls, b: (reply) => reply.silence(), c: goesOn },
      { providers: vllm, failover: "stall: 1s, first_token: 2s", clock },
    );
    const { heard, answer } = listen(gateway);
    await eventually(() => heard.text.includes("then,"), "the beginning");
    await clock.pass(1000);
    await b.received(0);
    await clock.pass(2100);
    expect(expectClean(await answer, whole)).toEqual([]);
    await b.closed(0);
  });
});

describe("a fault of our own", () => {
  const bug = (): never => {
    throw new Error("a bug");
  };

  function expectNoLoss(gateway: TestGateway, provider: string): void {
    expect(inFlight(gateway, provider)).toBe(0);
    expect(breakerOf(gateway, provider).view(performance.now())).toMatchObject({
      state: "closed",
      consecutiveFailures: 0,
    });
    expect(gateway.launched.health.pace(`${provider}/${model}`).inFlight).toBe(0);
  }

  test("in making a completing call ends in an error event; its key and permit are free again", async () => {
    const { b, gateway } = await setScene({ a: breaksOff, b: goesOn }, { providers: vllm });
    onTestFinished(() => void vi.restoreAllMocks());
    vi.spyOn(openaiChat, "continueRequest").mockImplementation(bug);
    const raw = await post(gateway, { stream: true });
    expect(readChatStream(raw.body)).toMatchObject({ text: had, terminators: 0, errors: [{ code: "stream_broken" }] });
    expect((await gateway.lastTrace()).attempts).toMatchObject([
      { kind: "first" },
      { kind: "continuation", failure: "internal" },
    ]);
    expect(b.requests).toHaveLength(0);
    expectNoLoss(gateway, "b");
  });

  test("in making a continuation probe, too", async () => {
    const { gateway } = await setScene({ a: breaksOff, b: goesOn });
    onTestFinished(() => void vi.restoreAllMocks());
    const asItIs = openaiChat.read.bind(openaiChat);
    vi.spyOn(openaiChat, "read").mockImplementationOnce(asItIs).mockImplementationOnce(bug);
    const raw = await post(gateway, { stream: true });
    expect(readChatStream(raw.body)).toMatchObject({ text: had, terminators: 0, errors: [{ code: "stream_broken" }] });
    expect((await gateway.lastTrace()).attempts).toMatchObject([
      { kind: "first" },
      { kind: "continuation_probe", failure: "internal" },
    ]);
    expectNoLoss(gateway, "b");
  });

  test("in handing a stream over ends in an error event, too", async () => {
    const { gateway } = await setScene(
      { a: answersChat("never heard") },
      { routes: ["name: asked, match: { models: [model-*] }, report_model: requested"] },
    );
    onTestFinished(() => void vi.restoreAllMocks());
    const relabel = openaiChat.relabelStream(model);
    vi.spyOn(relabel, "push").mockImplementation(bug);
    vi.spyOn(openaiChat, "relabelStream").mockReturnValue(relabel);
    const raw = await post(gateway, { stream: true });
    expect(readChatStream(raw.body)).toMatchObject({ text: "", terminators: 0, errors: [{ code: "stream_broken" }] });
    expect(await gateway.lastTrace()).toMatchObject({ outcome: "broken", attempts: [{ failure: "internal" }] });
    expectNoLoss(gateway, "a");
  });
});

test("a stream that an equivalent began is completed by that equivalent's twin", async () => {
  const near = (name: string): { readonly model: null; readonly models: string[]; readonly facts: string } => ({
    model: null,
    models: [`near: { id: ${name}-near, price: { input: 1, output: 2 } }`],
    facts: "continuation: vllm",
  });
  const { b, gateway } = await setScene(
    { busy: answersError(503, null, "Busy."), a: breaksOff, b: goesOn },
    {
      more: `models:\n  ${model}: { equivalents: [near] }`,
      routes: [`name: r, match: { models: [${model}] }, equivalents: listed`],
      providers: { a: near("a"), b: near("b") },
    },
  );
  expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
  expect(bodyOf(b.requests[0])).toMatchObject({ model: "b-near" });
  const trace = await gateway.lastTrace();
  expect(trace.attempts.map(({ kind, deployment }) => [kind, deployment])).toEqual([
    ["first", `busy/${model}`],
    ["equivalent", "a/near"],
    ["continuation", "b/near"],
  ]);
});

test("a continuation probe is a JSON call, is no turn of the session, and costs its key what it used", async () => {
  const { b, gateway } = await setScene(
    {
      a: breaksOff,
      b: (reply, request) =>
        bodyOf(request)["max_tokens"] === 8
          ? reply.json(200, chatAnswer("three, two, one", { usage: [40, 8] }))
          : reply.json(500, { error: { message: "It broke." } }),
    },
    { providers: { b: { keys: [{ value: "sk-b", more: "limits: { tpm: 1000 }" }] } } },
  );
  await post(gateway, { stream: true, max_tokens: 900 }, { headers: { "x-session-id": "s" } });
  const [probe] = b.requests;
  expect(probe?.headers).toMatchObject({ accept: "application/json" });
  expect(bodyOf(probe)).not.toHaveProperty("stream");
  const pool = gateway.launched.health.keyPool("b");
  expect(pool.usable(`b/${model}`, performance.now(), { tokens: 900 })).toBe(true);
  expect(gateway.launched.health.pace(`b/${model}`).answer.ms).toBeNull();
});

describe("signs of life", () => {
  test("come back when a completing call breaks again", async () => {
    const clock = new FakeClock();
    const ready = Promise.withResolvers<void>();
    const speaksAndBreaks: Script = (reply, request) => {
      const prefix = prefixOf(bodyOf(request)) ?? "";
      const more = whole.slice(prefix.length, prefix.length + 8);
      return chatChunks([more], { id: "chatcmpl-b", finishReason: null, done: false })
        .reduce((said, each) => said.chunk(each), reply.eventStream())
        .reset();
    };
    const { c, gateway } = await setScene(
      { a: breaksOff, b: speaksAndBreaks, c: goesOnAfter(ready.promise) },
      { providers: vllm, failover: "first_token: 5m", clock },
    );
    const { heard, answer } = listen(gateway);
    await c.received(0);
    for (const times of [1, 2]) {
      await clock.pass(15_000);
      await eventually(() => heard.text.split(": keep-alive").length === times + 1, "a sign of life");
    }
    ready.resolve();
    expect(expectClean(await answer, whole)).toEqual([]);
    await clock.pass(60_000);
    expect(readChatStream((await answer).body).comments).toEqual(["keep-alive", "keep-alive"]);
  });
});

test("reasoning that was discarded takes nothing off max_tokens", async () => {
  const thinks = (reply: Reply, thoughts: number): Reply =>
    Array.from({ length: thoughts }).reduce<Reply>(
      (said) => said.chunk(event({ reasoning_content: "Hm. " })),
      reply.eventStream().chunk(event({ role: "assistant", content: "" })),
    );
  const { c, gateway } = await setScene(
    {
      a: (reply) => thinks(reply, 60).reset(),
      b: (reply) =>
        reply
          .eventStream()
          .chunk(event({ role: "assistant", content: had }))
          .reset(),
      c: (reply, request) => says(reply, whole.slice((prefixOf(bodyOf(request)) ?? "").length)),
    },
    { providers: { b: continues("none"), c: continues("vllm") } },
  );
  const raw = await post(gateway, { stream: true, max_tokens: 100 });
  expect(readChatStream(raw.body)).toMatchObject({ text: whole, terminators: 1 });
  expect(bodyOf(c.requests[0])["max_tokens"]).toBe(99);
});

describe("on_partial: hold", () => {
  /** Begins at once, and ends when a promise is kept. */
  const writes =
    (end: Promise<void>): Script =>
    (reply) =>
      begins(reply)
        .wait(end)
        .chunk(sse(chatChunk({ delta: {}, finish_reason: "stop" }, shape)))
        .chunk(sse("[DONE]"))
        .end();

  /** Settles when the gateway holds the first content of its first stream. */
  function heldContent(): Promise<unknown> {
    onTestFinished(() => void vi.restoreAllMocks());
    const watching = vi.spyOn(openaiChat, "watch");
    return eventually(() => watching.mock.results.some(({ value }) => Boolean(value.committed)), "the first content");
  }

  test("with a hedge: an answer that is being written is not asked for twice", async () => {
    const clock = new FakeClock();
    const end = Promise.withResolvers<void>();
    const { b, gateway } = await setScene(
      { a: writes(end.promise), b: answersChat("never asked") },
      { failover: "on_partial: hold, hedge: 1s", clock },
    );
    const held = heldContent();
    const { answer } = listen(gateway);
    await held;
    await clock.pass(5000);
    end.resolve();
    expect(expectClean(await answer, had)).toEqual([]);
    expect(b.acceptedSockets).toBe(0);
    await clock.pass(1000);
    expect((await gateway.lastTrace()).notes).toEqual([]);
  });

  test("with a hedge: a silent deployment gets one all the same", async () => {
    const clock = new FakeClock();
    const { a, gateway } = await setScene(
      { a: (reply) => reply.silence(), b: answersChat("All from B.") },
      { failover: "on_partial: hold, hedge: 1s", clock },
    );
    const { answer } = listen(gateway);
    await a.received(0);
    await clock.pass(1000);
    expect(expectClean(await answer, "All from B.")).toEqual([]);
    await clock.pass(1000);
    expect((await gateway.lastTrace()).attempts.map(({ kind }) => kind)).toEqual(["first", "hedge"]);
  });

  test("and a client's deadline in mid-answer: the deployment was not slow", async () => {
    const clock = new FakeClock();
    const { a, gateway } = await setScene(
      { a: writes(new Promise(() => {})) },
      { failover: "on_partial: hold, stall: 5m, breaker: { failures: 1 }", clock },
    );
    const held = heldContent();
    const answer = post(gateway, { stream: true }, { headers: { "x-tuloy-timeout-ms": "60000" } });
    await held;
    await clock.pass(60_000);
    expect(readChatStream((await answer).body)).toMatchObject({ errors: [{ code: "deadline_exceeded" }] });
    await a.closed(0);
    expect(breakerOf(gateway, "a").view(clock.now())).toMatchObject({ state: "closed", consecutiveFailures: 0 });
    await clock.pass(1000);
    expect((await gateway.lastTrace()).attempts).toMatchObject([
      { failure: "cancelled", reason: "the request's deadline passed before the whole answer was there" },
    ]);
  });
});

test("a deployment that goes on and fails in one breath has said what it said: the next goes on from there", async () => {
  const speaksAndFails: Script = (reply, request) => {
    const prefix = prefixOf(bodyOf(request)) ?? "";
    const next = event({ content: whole.slice(prefix.length, prefix.length + 8) });
    return reply
      .eventStream()
      .chunk(next + sse({ error: { message: "busy", code: "server_is_overloaded" } }))
      .end();
  };
  const { c, gateway } = await setScene({ a: breaksOff, b: speaksAndFails, c: goesOn }, { providers: vllm });
  expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
  expect(prefixOf(bodyOf(c.requests[0]))).toBe(whole.slice(0, had.length + 8).trimEnd());
});
