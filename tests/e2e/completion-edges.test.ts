import { eventually, expectClean, FakeClock, readChatStream, sse } from "@tuloy/testkit";
import type { Reply, Script } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import {
  begins,
  bodyOf,
  breaksOff,
  continues,
  event,
  goesOn,
  had,
  prefixOf,
  says,
  shape,
  whole,
} from "../breaking-stream.ts";
import { breakerOf, hearStream, post, question, setScene } from "../scene.ts";

const vllm = { providers: { b: continues("vllm") } };
const role = { role: "assistant", content: "" };

describe("a break inside the arguments of a call", () => {
  const call = (fields: Record<string, unknown>): object => ({ tool_calls: [{ index: 0, ...fields }] });
  const tools: OpenAI.ChatCompletionTool[] = [
    { type: "function", function: { name: "transfer", parameters: { type: "object" } } },
  ];
  const says = (reply: Reply, id: string, parts: readonly string[]): Reply =>
    parts.reduce(
      (said, part) => said.chunk(event(call({ function: { arguments: part } }), id)),
      reply
        .eventStream()
        .chunk(event({ role: "assistant", content: null }, id))
        .chunk(event(call({ id: `call_${id}`, type: "function", function: { name: "transfer", arguments: "" } }), id)),
    );
  const a: Script = (reply) => says(reply, "a", ['{"amount": 1', "00"]).reset();

  test("is completed by a deployment that makes the same call: the client acts on it once", async () => {
    const { b, gateway } = await setScene(
      {
        a,
        b: (reply) =>
          says(reply, "b", ['{"am', 'ount": 100, "to": "B"', "}"])
            .chunk(event({}, "b", "tool_calls"))
            .chunk(sse("[DONE]"))
            .end(),
      },
      vllm,
    );
    const message = await gateway
      .client()
      .chat.completions.stream({ ...question, tools })
      .finalMessage();
    expect(message.tool_calls).toEqual([
      expect.objectContaining({
        id: "call_a",
        function: { name: "transfer", arguments: '{"amount": 100, "to": "B"}' },
      }),
    ]);
    // Never continued, though it could: only text is.
    expect(b.requests.map((request) => bodyOf(request).messages.length)).toEqual([1]);
  });

  test.each([
    ["another amount", ['{"amount": 101, "to": "B"}']],
    ["less", ['{"amount": 1']],
  ])("is reported when the other deployment says %s", async (_, parts) => {
    const { gateway } = await setScene(
      {
        a,
        b: (reply) =>
          says(reply, "b", parts)
            .chunk(event({}, "b", "tool_calls"))
            .chunk(sse("[DONE]"))
            .end(),
      },
      vllm,
    );
    const heard = await hearStream(gateway.client(), { tools });
    expect(heard.error).toBeInstanceOf(OpenAI.APIError);
    const said = heard.chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    expect(said.map(({ function: part }) => part?.arguments).join("")).toBe('{"amount": 100');
  });
});

describe("only a replay may complete", () => {
  const asked: [string, Record<string, unknown>][] = [
    [
      "an answer that follows a JSON schema",
      { response_format: { type: "json_schema", json_schema: { name: "x", schema: {} } } },
    ],
    ["an answer that has to be JSON", { response_format: { type: "json_object" } }],
    ["an answer with log probabilities", { logprobs: true }],
    [
      "an answer that the request itself begins",
      { messages: [...question.messages, { role: "assistant", content: "I say:" }] },
    ],
  ];

  test.each(asked)("%s", async (_, body) => {
    const { b, gateway } = await setScene({ a: breaksOff, b: (reply) => says(reply, whole) }, vllm);
    expect(expectClean(await post(gateway, { stream: true, ...body }), whole)).toEqual([]);
    expect((await gateway.lastTrace()).attempts.map(({ kind }) => kind)).toEqual(["first", "replay"]);
    expect(prefixOf(bodyOf(b.requests[0]))).not.toBe(had);
  });
});

describe("a break while the model", () => {
  const thinks = (reply: Reply, id: string, thoughts: readonly string[]): Reply =>
    thoughts.reduce(
      (said, thought) => said.chunk(event({ reasoning_content: thought }, id)),
      reply.eventStream().chunk(event(role, id)),
    );
  const answers = (reply: Reply, text: string): Reply =>
    reply
      .chunk(event({ content: text }, "b"))
      .chunk(event({}, "b", "stop"))
      .chunk(sse("[DONE]"))
      .end();

  test("only reasoned starts the answer anew", async () => {
    const { gateway } = await setScene(
      {
        a: (reply) => thinks(reply, "a", ["Let me", " see"]).reset(),
        b: (reply) => answers(thinks(reply, "b", ["Hm, well"]), whole),
      },
      vllm,
    );
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, whole)).toEqual([]);
    const trace = await gateway.lastTrace();
    expect(trace).toMatchObject({ outcome: "succeeded", attempts: [{}, { kind: "replay" }] });
    expect(trace.notes).toEqual([expect.stringContaining("only reasoning had been sent")]);
  });

  test("spoke after reasoning is completed only by the same thoughts", async () => {
    const { gateway } = await setScene(
      {
        a: (reply) =>
          thinks(reply, "a", ["Let me", " see"])
            .chunk(event({ content: "Go on" }, "a"))
            .reset(),
        b: [
          (reply) => answers(thinks(reply, "b", ["Let me s", "ee"]), "Go on then"),
          (reply) => answers(thinks(reply, "b", ["Let me think"]), "Go on then"),
        ],
      },
      { ...vllm, failover: "breaker: { failures: 1000, of: 1000 }" },
    );
    expect(expectClean(await post(gateway, { stream: true }), "Go on then")).toEqual([]);
    const raw = await post(gateway, { stream: true });
    expect(readChatStream(raw.body)).toMatchObject({
      text: "Go on",
      terminators: 0,
      errors: [{ code: "stream_broken" }],
    });
  });
});

test("an error after the finish reason is no success, unless a replay says the same and ends the same", async () => {
  const a: Script = (reply) =>
    begins(reply)
      .chunk(event({}, shape.id, "length"))
      .chunk(sse({ error: { message: "the engine died", type: "server_error", param: null, code: null } }))
      .end();
  const ends =
    (reason: string): Script =>
    (reply) =>
      reply
        .eventStream()
        .chunk(event({ ...role, content: had }, "b"))
        .chunk(event({}, "b", reason))
        .chunk(sse("[DONE]"))
        .end();
  const { gateway } = await setScene(
    { a, b: [ends("length"), ends("stop")] },
    { ...vllm, failover: "breaker: { failures: 1000, of: 1000 }" },
  );
  expect(expectClean(await post(gateway, { stream: true }), had)).toEqual([]);
  const raw = await post(gateway, { stream: true });
  expect(readChatStream(raw.body)).toMatchObject({ terminators: 0, errors: [{ code: "stream_broken" }] });
});

describe("while an answer is being completed", () => {
  test("the client's leaving ends the completing call at once, and nobody is blamed", async () => {
    const { b, gateway } = await setScene(
      {
        a: breaksOff,
        b: (reply) =>
          reply
            .eventStream()
            .chunk(event({ ...role, content: ", as" }, "b"))
            .silence(),
      },
      vllm,
    );
    let text = "";
    const raw = await post(
      gateway,
      { stream: true },
      { onData: (bytes) => !(text += bytes.toString()).includes(", as") },
    );
    expect(raw.ended).toBe("left");
    await b.closed(0);
    const trace = await gateway.lastTrace();
    expect(trace).toMatchObject({
      outcome: "cancelled",
      attempts: [{ kind: "first" }, { kind: "continuation", failure: "cancelled" }],
    });
    expect(breakerOf(gateway, "b").view(performance.now())).toMatchObject({ consecutiveFailures: 0 });
  });

  test("the deadline ends it with an error event", async () => {
    const { b, gateway } = await setScene(
      { a: breaksOff, b: (reply) => reply.silence() },
      { ...vllm, failover: "deadline: 700ms, connect: 500ms, first_token: 600ms" },
    );
    const raw = await post(gateway, { stream: true });
    expect(readChatStream(raw.body)).toMatchObject({
      text: had,
      terminators: 0,
      errors: [{ code: expect.stringMatching(/deadline_exceeded|stream_broken/) }],
    });
    await b.closed(0);
    expect(await gateway.lastTrace()).toMatchObject({ outcome: "broken" });
  });

  test("a completing deployment that never speaks is given up, and the next one asked", async () => {
    const { b, gateway } = await setScene(
      { a: breaksOff, b: (reply) => reply.silence(), c: goesOn },
      { providers: { b: continues("vllm"), c: continues("vllm") }, failover: "first_token: 150ms" },
    );
    expect(expectClean(await post(gateway, { stream: true }), whole)).toEqual([]);
    await b.closed(0);
    expect((await gateway.lastTrace()).attempts.map(({ failure }) => failure)).toEqual([
      "truncated",
      "first_token_timeout",
      null,
    ]);
  });

  test("signs of life keep the way open while a replay repeats what was sent", async () => {
    const clock = new FakeClock();
    const more = Promise.withResolvers<void>();
    const { b, gateway } = await setScene(
      {
        a: breaksOff,
        b: (reply) =>
          reply
            .eventStream()
            .chunk(event({ ...role, content: had.slice(0, 5) }, "b"))
            .wait(more.promise)
            .chunk(event({ content: whole.slice(5) }, "b"))
            .chunk(event({}, "b", "stop"))
            .chunk(sse("[DONE]"))
            .end(),
      },
      { providers: { b: continues("none") }, clock },
    );
    let heard = "";
    const answer = post(gateway, { stream: true }, { onData: (bytes) => void (heard += bytes.toString()) });
    await b.received(0);
    await eventually(() => b.requests[0] !== undefined && heard.includes("then"), "the beginning");
    await clock.pass(15_000);
    await eventually(() => heard.includes(": keep-alive"), "a sign of life");
    more.resolve();
    expect(expectClean(await answer, whole)).toEqual([]);
    expect(readChatStream((await answer).body).comments).toEqual(["keep-alive"]);
  });
});

test("when a provider dies with many streams open, each of them is completed", async () => {
  const { a, gateway } = await setScene({ a: (reply) => begins(reply).silence(), b: goesOn }, vllm);
  const open = 200;
  let begun = 0;
  const answers = Array.from({ length: open }, () => {
    let heard = "";
    let counted = false;
    return post(
      gateway,
      { stream: true },
      {
        onData: (bytes) => {
          heard += bytes.toString();
          if (counted || !heard.includes("then,")) return;
          counted = true;
          begun++;
        },
      },
    );
  });
  await eventually(() => begun === open, "all streams to begin");
  a.refuse();
  const problems = (await Promise.all(answers)).flatMap((answer) => expectClean(answer, whole));
  expect(problems).toEqual([]);
});

test("a completed answer names the model that was asked for, where the route says so", async () => {
  const { gateway } = await setScene(
    { a: breaksOff, b: goesOn },
    { ...vllm, routes: ["name: asked, match: { models: [model-*] }, report_model: requested"] },
  );
  const raw = await post(gateway, { stream: true });
  expect(expectClean(raw, whole)).toEqual([]);
  expect(readChatStream(raw.body).models).toEqual([question.model]);
});
