import { answersChat, chatChunk, chatChunks, expectClean, openaiError, readChatStream, sse } from "@tuloy/testkit";
import type { Reply, Script } from "@tuloy/testkit";
import OpenAI from "openai";
import { beforeAll, describe, expect, test } from "vitest";

import { breakerOf, hearStream, openScene, post, question, setScene } from "../scene.ts";
import type { Scene } from "../scene.ts";

const shape = { id: "chatcmpl-a" };
const pieces = ["Go", " on", " then"];
/** A role and three pieces of content, and no end. */
const begun = chatChunks(pieces, { ...shape, finishReason: null, done: false });
const begins = (reply: Reply): Reply => begun.reduce((said, event) => said.chunk(event), reply.eventStream());
const finished = (reason: string): string => sse(chatChunk({ delta: {}, finish_reason: reason }, shape));
const usage = sse({
  ...chatChunk({ delta: {} }, shape),
  choices: [],
  usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
});
const isChunk = (event: unknown): boolean =>
  typeof event === "object" && event !== null && "object" in event && event.object === "chat.completion.chunk";
const neverOpen = "breaker: { failures: 1000, of: 1000 }";

interface Break {
  readonly a: Script;
  /** The class on the trace, and part of its reason where the class has several. */
  readonly failure: string;
  readonly reason?: string;
}

/** Ways in which a stream goes wrong after some of it has reached the client. */
const breaks: Readonly<Record<string, Break>> = {
  "resets the connection": { a: (reply) => begins(reply).reset(), failure: "truncated" },
  "closes the connection": { a: (reply) => begins(reply).fin(), failure: "truncated" },
  "resets in the middle of an event": {
    a: (reply) => begins(reply).chunk('data: {"id":"chatcmpl-a","choices":[{"delta":{"content":" lo').reset(),
    failure: "truncated",
  },
  "ends in good order, without a finish reason": { a: (reply) => begins(reply).end(), failure: "truncated" },
  "ends in good order by closing, without a finish reason": {
    a: (reply) => begun.reduce((said, event) => said.chunk(event), reply.eventStream("fin")).fin(),
    failure: "truncated",
  },
  "sends [DONE] without a finish reason": {
    a: (reply) => begins(reply).chunk(sse("[DONE]")).end(),
    failure: "truncated",
  },
  "says no more": { a: (reply) => begins(reply), failure: "stall", reason: "no bytes for 300 ms" },
  "says no more but pings": {
    a: (reply) => begins(reply).trickle(": ping\n\n".repeat(500), 8, 10),
    failure: "stall",
    reason: "no content for 400 ms",
  },
  "finishes one of two choices": {
    a: (reply) =>
      begins(reply)
        .chunk(sse({ ...chatChunk({ delta: {} }, shape), choices: [{ index: 1, delta: {} }] }))
        .chunk(finished("stop"))
        .chunk(sse("[DONE]"))
        .end(),
    failure: "truncated",
  },
  "sends an error event": {
    a: (reply) =>
      begins(reply)
        .chunk(sse(openaiError(503, "overloaded", "no capacity left")))
        .chunk(sse("[DONE]"))
        .end(),
    failure: "overloaded",
  },
  "sends vLLM's flat error object": {
    a: (reply) =>
      begins(reply)
        .chunk(
          sse({ object: "error", message: "the engine died", type: "InternalServerError", param: null, code: 500 }),
        )
        .chunk(sse("[DONE]"))
        .end(),
    failure: "server_error",
  },
  "reports an error after finish_reason length": {
    a: (reply) =>
      begins(reply)
        .chunk(finished("length"))
        .chunk(sse(openaiError(500, null, "the engine died")))
        .chunk(sse("[DONE]"))
        .end(),
    failure: "server_error",
  },
  "finishes with the reason error": {
    a: (reply) => begins(reply).chunk(finished("error")).chunk(sse("[DONE]")).end(),
    failure: "server_error",
  },
};

describe("with on_partial: error, a stream is reported as broken and nobody else is asked, when after three pieces its provider", () => {
  let scene: Scene<"a" | "b">;
  beforeAll(async () => {
    const opened = await openScene(
      { a: [], b: answersChat("never asked") },
      { failover: `on_partial: error, stall: 300ms, progress: 400ms, ${neverOpen}` },
    );
    scene = opened.scene;
    return opened.close;
  });

  test.each(Object.entries(breaks))("%s", async (_, { a: script, failure, reason = "" }) => {
    const { a, b, gateway } = scene;
    a.script(script);
    const asked = a.requests.length;

    const raw = await post(gateway, { stream: true });
    expect([raw.status, raw.ended]).toEqual([200, "clean"]);
    const stream = readChatStream(raw.body);
    expect(stream).toMatchObject({ text: "Go on then", roleDeltas: 1, ids: ["chatcmpl-a"], terminators: 0 });
    expect([stream.malformed, stream.remainder]).toEqual([[], ""]);
    // The error is the last thing said.
    const id = String(raw.headers["x-tuloy-trace-id"]);
    expect(stream.errors).toHaveLength(1);
    expect(stream.events.at(-1)).toEqual({
      error: {
        message: expect.stringContaining("not whole"),
        type: "server_error",
        code: "stream_broken",
        param: null,
        metadata: { trace_id: id, attempts: [{ provider: "a", model: "model-x", failure, status: 200 }] },
      },
    });
    // What the provider said of it stands inside that error, never as an event of its own.
    expect(stream.events.filter((event) => !isChunk(event))).toHaveLength(1);

    const trace = await gateway.trace(id);
    expect(trace).toMatchObject({ outcome: "broken", code: "stream_broken", status: 200, provider: "a" });
    expect(trace.attempts).toMatchObject([
      { provider: "a", failure, reason: expect.stringContaining(reason), first_token_ms: expect.any(Number) },
    ]);
    expect(trace.usage).toMatchObject({ source: "estimate", output_tokens: expect.any(Number) });
    expect(breakerOf(gateway, "a").view(performance.now())).toMatchObject({ consecutiveFailures: asked + 1 });

    const heard = await hearStream(gateway.client());
    expect(heard.text).toBe("Go on then");
    expect(heard.error).toBeInstanceOf(OpenAI.APIError);
    expect(heard.error).toMatchObject({ code: "stream_broken", type: "server_error" });
    expect([a.requests.length, b.requests.length]).toEqual([asked + 2, 0]);
  });

  test("says no more, and its connection is closed", async () => {
    const { a, gateway } = scene;
    a.script((reply) => begins(reply));
    await post(gateway, { stream: true });
    await a.closed(a.requests.length - 1);
    expect(a.requests.at(-1)?.closed).toMatchObject({ by: "peer" });
  });

  test("breaks off, also for the SDK's own collector of streams", async () => {
    const { a, gateway } = scene;
    a.script((reply) => begins(reply).reset());
    const runner = gateway.client().chat.completions.stream(question);
    await expect(runner.finalMessage()).rejects.toBeInstanceOf(OpenAI.APIError);
  });
});

describe("a request for two choices of which one has finished", () => {
  const stopsShort: [string, (reply: Reply) => Reply, string][] = [
    ["resets the connection", (reply) => reply.reset(), "truncated"],
    ["ends in good order", (reply) => reply.end(), "truncated"],
    ["says no more", (reply) => reply, "stall"],
  ];

  test.each(stopsShort)("is broken when its provider then %s", async (_, end, failure) => {
    const { b, gateway } = await setScene(
      { a: (reply) => end(begins(reply).chunk(finished("stop"))), b: answersChat("never asked") },
      { failover: "on_partial: error, stall: 300ms" },
    );
    const raw = await post(gateway, { stream: true, n: 2 });
    expect([raw.status, raw.ended]).toEqual([200, "clean"]);
    expect(readChatStream(raw.body)).toMatchObject({ terminators: 0, errors: [{ code: "stream_broken" }] });
    const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
    expect(trace).toMatchObject({ outcome: "broken", attempts: [{ provider: "a", failure }] });
    expect(b.requests).toHaveLength(0);
  });

  test("is answered when its provider says that this is all", async () => {
    const { gateway } = await setScene({
      a: (reply) => begins(reply).chunk(finished("stop")).chunk(sse("[DONE]")).end(),
    });
    const raw = await post(gateway, { stream: true, n: 2 });
    expect(expectClean(raw, "Go on then")).toEqual([]);
  });
});

describe("a break inside the arguments of a tool call", () => {
  const call = (fields: Record<string, unknown>): string =>
    sse(chatChunk({ delta: { tool_calls: [{ index: 0, ...fields }] } }, shape));
  const halfACall = [
    sse(chatChunk({ delta: { role: "assistant", content: null } }, shape)),
    call({ id: "call_1", type: "function", function: { name: "transfer", arguments: "" } }),
    call({ function: { arguments: '{"amount": 1' } }),
    call({ function: { arguments: "00" } }),
  ];
  const tools: OpenAI.ChatCompletionTool[] = [
    { type: "function", function: { name: "transfer", parameters: { type: "object" } } },
  ];
  const endings: [string, (reply: Reply) => Reply][] = [
    ["a reset", (reply) => reply.reset()],
    ["an end in good order", (reply) => reply.end()],
    ["an end that claims to be whole", (reply) => reply.chunk(sse("[DONE]")).end()],
  ];

  test.each(endings)("by %s is reported when another provider answers otherwise", async (_, end) => {
    const { b, gateway } = await setScene({
      a: (reply) => end(halfACall.reduce((said, event) => said.chunk(event), reply.eventStream())),
      b: answersChat("never passed on"),
    });
    const heard = await hearStream(gateway.client(), { tools });
    expect(heard.error).toBeInstanceOf(OpenAI.APIError);
    const said = heard.chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    expect(said.map(({ function: part }) => part?.arguments).join("")).toBe('{"amount": 100');
    expect(heard.chunks.some((chunk) => chunk.choices[0]?.finish_reason)).toBe(false);
    const raw = await post(gateway, { stream: true, tools });
    expect(readChatStream(raw.body)).toMatchObject({ terminators: 0, errors: [{ code: "stream_broken" }] });
    // It was asked for a replay, which said something else, and never for a continuation.
    const asked = b.requests.map((request) => (request.json() as { messages: unknown[] }).messages.length);
    expect(asked).toEqual([1, 1]);
  });

  test("before its name was sent is none: another provider answers", async () => {
    const { gateway } = await setScene({
      a: (reply) =>
        reply
          .eventStream()
          .chunk(halfACall[0] ?? "")
          .reset(),
      b: answersChat("from the start"),
    });
    expect(await hearStream(gateway.client(), { tools })).toMatchObject({ text: "from the start", error: null });
  });
});

describe("a stream with its finish reason is whole, and [DONE] is written, when its provider then", () => {
  const ends: [string, (reply: Reply) => Reply][] = [
    ["ends in good order", (reply) => reply.end()],
    ["closes the connection", (reply) => reply.fin()],
    ["resets the connection", (reply) => reply.reset()],
    ["says no more and keeps the connection", (reply) => reply],
  ];
  let scene: Scene<"a" | "b">;
  beforeAll(async () => {
    const opened = await openScene({ a: [], b: answersChat("never asked") }, { failover: "stall: 200ms" });
    scene = opened.scene;
    return opened.close;
  });

  test.each(ends)("%s", async (_, end) => {
    const { a, b, gateway } = scene;
    // The usage arrives for certain before the end does: a reset may overtake what is on its way.
    const usageIsHere = Promise.withResolvers<void>();
    a.script((reply) => end(begins(reply).chunk(finished("stop")).chunk(usage).wait(usageIsHere.promise)));
    const raw = await post(
      gateway,
      { stream: true, stream_options: { include_usage: true } },
      { onData: (bytes) => void (bytes.includes("prompt_tokens") && usageIsHere.resolve()) },
    );
    expect(expectClean(raw, "Go on then")).toEqual([]);
    expect(readChatStream(raw.body).usages).toEqual([{ prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 }]);
    const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
    expect(trace).toMatchObject({ outcome: "succeeded", code: null, failover: null });
    expect(trace.usage).toMatchObject({ input_tokens: 11, output_tokens: 3, source: "provider" });
    expect(trace.cost_usd).toBeCloseTo((11 * 1 + 3 * 2) / 1e6, 12);
    expect(trace.notes).toEqual([expect.stringContaining("[DONE]")]);
    expect(b.requests).toHaveLength(0);
    expect(breakerOf(gateway, "a").view(performance.now())).toMatchObject({ consecutiveFailures: 0 });
  });
});

test("a provider that keeps its connection open after [DONE] does not keep the client waiting", async () => {
  const { gateway } = await setScene({
    a: (reply) => begins(reply).chunk(finished("stop")).chunk(sse("[DONE]")),
  });
  const raw = await post(gateway, { stream: true }, { timeoutMs: 1500 });
  expect(expectClean(raw, "Go on then")).toEqual([]);
});

test("what a provider says after [DONE] is not passed on", async () => {
  const { gateway } = await setScene({
    a: (reply) =>
      begins(reply)
        .chunk(finished("stop") + sse("[DONE]") + sse(openaiError(500, null, "too late")) + sse("[DONE]"))
        .chunk(": and a comment\n\n")
        .end(),
  });
  const raw = await post(gateway, { stream: true });
  expect(expectClean(raw, "Go on then")).toEqual([]);
  expect(raw.text().endsWith("data: [DONE]\n\n")).toBe(true);
});

test("an event that is not JSON is left out of a good stream, and noted", async () => {
  const { gateway } = await setScene({
    a: (reply) =>
      begins(reply).chunk('data: {"id":"chatcmpl-a","cho\n\n').chunk(finished("stop")).chunk(sse("[DONE]")).end(),
    b: answersChat("never asked"),
  });
  const raw = await post(gateway, { stream: true });
  expect(expectClean(raw, "Go on then")).toEqual([]);
  const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
  expect(trace).toMatchObject({ outcome: "succeeded", notes: [expect.stringContaining("not a JSON object")] });
  expect(await hearStream(gateway.client())).toMatchObject({ text: "Go on then", error: null });
});

describe("a stream that pauses is not cut", () => {
  const done = [finished("stop"), sse("[DONE]")].join("");
  const ping = ": ping\n\n";

  test("as long as its provider pings, however long it calls its tools", async () => {
    const { gateway } = await setScene(
      { a: (reply) => begins(reply).trickle(ping.repeat(40), ping.length, 20).chunk(done).end() },
      { failover: "stall: 500ms, progress: 5s" },
    );
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, "Go on then")).toEqual([]);
    expect(raw.totalMs).toBeGreaterThan(700);
    expect(readChatStream(raw.body).comments).toHaveLength(40);
  });

  test("as long as it reasons aloud, before its first word and after it", async () => {
    const thought = sse(chatChunk({ delta: { reasoning_content: "hm " } }, shape));
    const { b, gateway } = await setScene(
      {
        a: (reply) =>
          begun
            .reduce(
              (said, event) => said.chunk(event),
              reply.eventStream().trickle(thought.repeat(40), thought.length, 20),
            )
            .trickle(thought.repeat(40), thought.length, 20)
            .chunk(done)
            .end(),
        b: answersChat("never asked"),
      },
      { failover: "first_token: 500ms, stall: 500ms, progress: 500ms" },
    );
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: "Go on then", error: null });
    expect(b.requests).toHaveLength(0);
  });

  test("before its first token, when its model is known to reason in secret", async () => {
    const { b, gateway } = await setScene(
      {
        a: (reply) =>
          begun
            .reduce((said, event) => said.chunk(event), reply.eventStream().wait(400))
            .chunk(done)
            .end(),
        b: answersChat("B"),
      },
      { failover: "first_token: 150ms", providers: { a: { also: ["gpt-5"] }, b: { also: ["gpt-5"] } } },
    );
    expect(await hearStream(gateway.client(), { model: "gpt-5" })).toMatchObject({ text: "Go on then", error: null });
    expect(b.requests).toHaveLength(0);
    // Any other model is given up by then.
    expect(await hearStream(gateway.client())).toMatchObject({ text: "B", error: null });
  });

  test("before its first token, when nobody is left to ask", async () => {
    const { a, gateway } = await setScene(
      {
        a: (reply) =>
          begun
            .reduce((said, event) => said.chunk(event), reply.eventStream().wait(400))
            .chunk(done)
            .end(),
      },
      { failover: "first_token: 100ms" },
    );
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: "Go on then", error: null });
    expect(a.requests).toHaveLength(1);
    // It was slow all the same.
    const view = breakerOf(gateway, "a").view(performance.now());
    expect(view).toMatchObject({ state: "closed", consecutiveFailures: 1 });
  });
});
