import {
  answersChat,
  answersError,
  chatAnswer,
  chatChunk,
  chatChunks,
  expectClean,
  readChatStream,
  sse,
} from "@tuloy/testkit";
import type { ReceivedRequest, Script } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import {
  begins,
  bodyOf,
  breaksOff,
  continues,
  goesOn,
  had,
  pieces,
  prefixOf,
  says,
  shape,
  whole,
} from "../breaking-stream.ts";
import { breakerOf, hearStream, post, question, setScene } from "../scene.ts";

const neverOpen = "breaker: { failures: 1000, of: 1000 }";

describe("a stream that breaks after three pieces is one whole answer for the SDK", () => {
  test("when the next provider goes on exactly", async () => {
    const { a, b, gateway } = await setScene({ a: breaksOff, b: goesOn }, { providers: { b: continues("vllm") } });
    const heard = await hearStream(gateway.client(), { max_tokens: 100, stream_options: { include_usage: true } });
    expect(heard).toMatchObject({ text: whole, error: null });
    expect(new Set(heard.chunks.map(({ id, created, model }) => `${id} ${created} ${model}`)).size).toBe(1);
    const choices = heard.chunks.flatMap((chunk) => chunk.choices);
    expect(choices.filter(({ finish_reason: reason }) => reason)).toHaveLength(1);
    expect(choices.filter(({ delta }) => delta.role)).toHaveLength(1);
    // The prompt once, and what both generated.
    const usages = heard.chunks.flatMap(({ usage }) => (usage ? [usage] : []));
    expect(usages.map((used) => [used.completion_tokens, used.total_tokens - used.prompt_tokens])).toEqual([
      [3 + 9, 12],
    ]);

    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
    const asked = bodyOf(b.requests[0]);
    expect(asked).toMatchObject({ continue_final_message: true, add_generation_prompt: false, max_tokens: 97 });
    expect(asked.messages).toEqual([...question.messages, { role: "assistant", content: had }]);

    const trace = await gateway.trace(heard.headers?.get("x-tuloy-trace-id") ?? null);
    expect(trace).toMatchObject({
      outcome: "succeeded",
      status: 200,
      code: null,
      provider: "b",
      failover: "truncated",
    });
    expect(trace.attempts).toMatchObject([
      { provider: "a", kind: "first", failure: "truncated" },
      { provider: "b", kind: "continuation", failure: null, usage: { output_tokens: 9, source: "provider" } },
    ]);
    expect(trace.notes).toEqual([
      expect.stringMatching(/a\/model-x broke off after 11 characters; b\/model-x went on from exactly there/),
    ]);
    expect(trace.usage).toMatchObject({ output_tokens: 12, source: "estimate" });
    const costs = trace.attempts.map(({ cost_usd: cost }) => cost ?? 0);
    expect(trace.cost_usd).toBeCloseTo((costs[0] ?? 0) + (costs[1] ?? 0), 12);
    expect(trace.first_token_ms).toBe(trace.attempts[0]?.first_token_ms);
    expect(breakerOf(gateway, "a").view(performance.now())).toMatchObject({ consecutiveFailures: 1 });
  });

  test("for the SDK's own collector of streams", async () => {
    const { gateway } = await setScene({ a: breaksOff, b: goesOn }, { providers: { b: continues("vllm") } });
    const final = await gateway.client().chat.completions.stream(question).finalChatCompletion();
    expect(final.choices[0]).toMatchObject({ finish_reason: "stop", message: { role: "assistant", content: whole } });
  });

  test("to the byte, and without usage where none was asked for", async () => {
    const { gateway } = await setScene({ a: breaksOff, b: goesOn }, { providers: { b: continues("vllm") } });
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, whole)).toEqual([]);
    expect(readChatStream(raw.body).usages).toEqual([]);
  });

  test("when the next provider repeats what it was given, as Mistral's does", async () => {
    const { b, gateway } = await setScene(
      { a: breaksOff, b: (reply) => says(reply, whole) },
      { providers: { b: continues("mistral") } },
    );
    expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
    expect(bodyOf(b.requests[0]).messages.at(-1)).toEqual({ role: "assistant", content: had, prefix: true });
  });

  test("when the next provider goes on under another path, as DeepSeek's does", async () => {
    const { b, gateway } = await setScene({ a: breaksOff, b: goesOn }, { providers: { b: continues("deepseek") } });
    expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
    expect(b.requests[0]?.path).toBe("/beta/chat/completions");
  });

  test("when no provider goes on, but the next says the same again", async () => {
    const { b, gateway } = await setScene(
      { a: breaksOff, b: (reply) => says(reply, whole, [11, 13]) },
      { providers: { b: continues("none") } },
    );
    const raw = await post(gateway, { stream: true, stream_options: { include_usage: true } });
    expect(expectClean(raw, whole)).toEqual([]);
    expect(readChatStream(raw.body).usages).toMatchObject([
      { prompt_tokens: 11, completion_tokens: 13, total_tokens: 24 },
    ]);
    expect(bodyOf(b.requests[0]).messages).toEqual(question.messages);
    const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
    expect(trace).toMatchObject({
      outcome: "succeeded",
      usage: { input_tokens: 11, output_tokens: 13, source: "provider" },
    });
    expect(trace.attempts).toMatchObject([{ kind: "first" }, { kind: "replay", failure: null }]);
  });

  test("when the next provider rejects the prefix, is remembered for that, and says the same again", async () => {
    const { b, gateway } = await setScene(
      {
        a: breaksOff,
        b: (reply, request) =>
          prefixOf(bodyOf(request)) === null
            ? says(reply, whole)
            : answersError(400, null, "the conversation must end with a user message")(reply, request),
      },
      { providers: { b: continues("vllm") }, failover: neverOpen },
    );
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, whole)).toEqual([]);
    const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
    expect(trace.attempts).toMatchObject([
      { kind: "first" },
      { kind: "continuation", failure: "invalid_request", status: 400 },
      { kind: "replay", failure: null },
    ]);
    expect(b.requests).toHaveLength(2);
    expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
    expect(b.requests).toHaveLength(3);
  });

  test("when the next provider ignores the prefix and starts over: that is dropped, and it is asked again", async () => {
    const { b, gateway } = await setScene(
      { a: breaksOff, b: (reply) => says(reply, whole) },
      { providers: { b: continues("assistant-prefix") } },
    );
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, whole)).toEqual([]);
    const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
    expect(trace.attempts).toMatchObject([
      { kind: "first" },
      { kind: "continuation", failure: "cancelled", reason: expect.stringContaining("started over") },
      { kind: "replay", failure: null },
    ]);
    expect(b.requests).toHaveLength(2);
    expect(breakerOf(gateway, "b").view(performance.now())).toMatchObject({ consecutiveFailures: 0 });
  });

  test("when the second breaks too, and the third completes both", async () => {
    const { c, gateway } = await setScene(
      {
        a: breaksOff,
        b: (reply, request) => {
          const prefix = prefixOf(bodyOf(request)) ?? "";
          const more = whole.slice(prefix.length, prefix.length + 8);
          return chatChunks([more], { id: "chatcmpl-b", finishReason: null, done: false })
            .reduce((said, event) => said.chunk(event), reply.eventStream())
            .reset();
        },
        c: goesOn,
      },
      { providers: { b: continues("vllm"), c: continues("vllm") } },
    );
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, whole)).toEqual([]);
    expect(prefixOf(bodyOf(c.requests[0]))).toBe(whole.slice(0, had.length + 8).trimEnd());
    const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
    expect(trace.attempts.map(({ kind, failure }) => [kind, failure])).toEqual([
      ["first", "truncated"],
      ["continuation", "truncated"],
      ["continuation", null],
    ]);
  });

  test("when only its end was missing", async () => {
    const { gateway } = await setScene(
      {
        a: (reply) =>
          chatChunks(pieces, { ...shape, finishReason: null, done: false })
            .reduce((said, event) => said.chunk(event), reply.eventStream())
            .reset(),
        b: goesOn,
      },
      { providers: { b: continues("vllm") } },
    );
    expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
  });

  test("when it stalls in the middle, and the stalled connection is closed", async () => {
    const { a, gateway } = await setScene(
      {
        a: (reply) => begins(reply),
        b: goesOn,
      },
      { providers: { b: continues("vllm") }, failover: "stall: 200ms" },
    );
    expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
    await a.closed(0);
  });

  test("when it has half an event and half a character at the cut", async () => {
    const half = Buffer.from(sse(chatChunk({ delta: { content: " é" } }, shape)));
    const { gateway } = await setScene(
      {
        a: (reply) =>
          begins(reply)
            .chunk(half.subarray(0, half.indexOf(0xc3) + 1))
            .reset(),
        b: goesOn,
      },
      { providers: { b: continues("vllm") } },
    );
    expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
  });
});

describe("a server of unknown skill is asked with a small request before its first use", () => {
  const isProbe = (request: ReceivedRequest): boolean => bodyOf(request)["max_tokens"] === 8;
  const withProbe =
    (answer: string, then: Script): Script =>
    (reply, request) =>
      isProbe(request) ? reply.json(200, chatAnswer(answer)) : then(reply, request);

  test("and goes on exactly from then on, without being asked again", async () => {
    const { b, gateway } = await setScene(
      { a: breaksOff, b: withProbe("en, eight, nine", goesOn) },
      { failover: neverOpen },
    );
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, whole)).toEqual([]);
    const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
    expect(trace.attempts.map(({ kind }) => kind)).toEqual(["first", "continuation_probe", "continuation"]);
    expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
    expect(b.requests.filter(isProbe)).toHaveLength(1);
    expect(b.requests).toHaveLength(3);
  });

  test.each(["seven, eight, nine", "one, two, three", "Sure! Seven"])(
    "and is only asked to replay when it answers %s",
    async (answer) => {
      const { b, gateway } = await setScene(
        { a: breaksOff, b: withProbe(answer, (reply) => says(reply, whole)) },
        { failover: neverOpen },
      );
      expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
      expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
      expect(b.requests.map((request) => (isProbe(request) ? "probe" : bodyOf(request).messages.length))).toEqual([
        "probe",
        1,
        1,
      ]);
    },
  );
});

describe("a stream that nobody can complete ends in an error event, without [DONE], when", () => {
  const reported = async (gateway: Parameters<typeof post>[0], body: Record<string, unknown> = {}): Promise<string> => {
    const raw = await post(gateway, { stream: true, ...body });
    const stream = readChatStream(raw.body);
    expect([raw.status, raw.ended, stream.terminators, stream.remainder]).toEqual([200, "clean", 0, ""]);
    expect(stream.errors).toMatchObject([{ code: "stream_broken", message: expect.stringContaining("not whole") }]);
    expect(stream.text).toBe(had);
    const trace = await gateway.trace(String(raw.headers["x-tuloy-trace-id"]));
    expect(trace).toMatchObject({ outcome: "broken", code: "stream_broken" });
    const heard = await hearStream(gateway.client(), body);
    expect(heard.error).toBeInstanceOf(OpenAI.APIError);
    return trace.notes.join("; ");
  };

  test("the replay says something else", async () => {
    const { b, gateway } = await setScene(
      { a: breaksOff, b: answersChat("Go on thus, and on and on.") },
      { providers: { b: continues("none") }, failover: neverOpen },
    );
    expect(await reported(gateway)).toContain("not completed: ");
    const trace = await gateway.lastTrace();
    expect(trace.attempts).toMatchObject([
      { kind: "first", failure: "truncated" },
      { provider: "b", kind: "replay", failure: "cancelled", reason: expect.stringContaining("something else, after") },
    ]);
    // That is no fault of its provider, and it is read no further.
    expect(breakerOf(gateway, "b").view(performance.now())).toMatchObject({ consecutiveFailures: 0 });
    expect(b.requests).toHaveLength(2);
  });

  test("the replay is shorter", async () => {
    const { gateway } = await setScene(
      { a: breaksOff, b: answersChat("Go on") },
      { providers: { b: continues("none") }, failover: neverOpen },
    );
    expect(await reported(gateway)).toContain("not completed: ");
  });

  test("the next provider is down, and so is the first", async () => {
    const { gateway } = await setScene(
      {
        a: [breaksOff, answersError(503, null, "down"), breaksOff, answersError(503, null, "down")],
        b: answersError(503, null, "down"),
      },
      { providers: { b: continues("vllm") }, failover: neverOpen },
    );
    expect(await reported(gateway)).toContain("not completed: ");
  });

  test("a filter cut the answer off: nobody else is asked to evade it", async () => {
    const filtered = sse({
      error: { message: "filtered", type: "invalid_request_error", param: null, code: "content_filter" },
    });
    const { b, gateway } = await setScene(
      {
        a: (reply) => begins(reply).chunk(filtered).end(),
        b: goesOn,
      },
      { providers: { b: continues("vllm") } },
    );
    expect(await reported(gateway)).toContain("not completed: ");
    expect(b.requests).toHaveLength(0);
  });
});

describe("a locked request is completed by its own provider or not at all", () => {
  test("by its own", async () => {
    const { b, gateway } = await setScene(
      {
        a: (reply, request) =>
          prefixOf(bodyOf(request)) === null ? breaksOff(reply, request) : goesOn(reply, request),
        b: answersChat("never asked"),
      },
      { providers: { a: continues("vllm") } },
    );
    expect(expectClean(await post(gateway, { stream: true, model: "@a/model-x" }), whole)).toEqual([]);
    expect(b.requests).toHaveLength(0);
  });

  test.each([
    ["locked", { model: "@a/model-x" }, {}],
    ["not to fail over", {}, { "x-tuloy-no-failover": "true" }],
  ])("not at all, when it is %s", async (_, body, headers) => {
    const { b, gateway } = await setScene(
      { a: breaksOff, b: goesOn },
      { providers: { a: continues("none"), b: continues("vllm") } },
    );
    const raw = await post(gateway, { stream: true, ...body }, { headers });
    expect(readChatStream(raw.body)).toMatchObject({ text: had, terminators: 0, errors: [{ code: "stream_broken" }] });
    expect(b.requests).toHaveLength(0);
  });
});
