import { answersAnthropicError, answersChat, answersError, answersMessage, messageEvents } from "@tuloy/testkit";
import type { MessageBlock, Reply, Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { bodyOf, breaksOff, continues, goesOn, had, pieces, prefixOf, says, whole } from "../../breaking-stream.ts";
import { anthropicAt, asked, claude, hearEvents, hearMessage, hearStreamed, sentTo } from "../../messages-scene.ts";
import { hearStream, post, question, setScene } from "../../scene.ts";

const weather = { city: "Cebu", days: 2 };
const call: MessageBlock = { type: "tool_use", id: "toolu_01A", name: "weather", input: weather };
const tools = [{ type: "function" as const, function: { name: "weather", parameters: { type: "object" } } }];

/** Anthropic's stream of the same answer as `breaksOff`, up to the same place. */
const messageBreaksOff: Script = (reply) => {
  const events = messageEvents([{ type: "text", text: pieces.slice(0, 3).join("") }], {
    stopReason: null,
    id: "msg_a",
  });
  return events
    .slice(0, -1)
    .reduce<Reply>((said, event) => said.chunk(event), reply.eventStream())
    .reset();
};

const messageGoesOn: Script = (reply, request) => {
  const prefix = prefixOf(bodyOf(request)) ?? "";
  const rest = whole.slice(prefix.length);
  return messageEvents([{ type: "text", text: rest }], { usage: { input: 9, output: 4 } })
    .reduce<Reply>((said, event) => said.chunk(event), reply.eventStream())
    .end();
};

describe("a client of OpenAI's dialect and a deployment that speaks only Anthropic's", () => {
  test("answer and stream, with calls and usage", async () => {
    const blocks: MessageBlock[] = [{ type: "text", text: "I look." }, call];
    const usage = { input: 3, output: 9, read: 100, written: 20 };
    const { a, gateway } = await setScene({ a: answersMessage(blocks, { usage }) }, { providers: { a: claude } });
    const client = gateway.client();
    const answer = await client.chat.completions.create({ ...question, tools });
    const streamed = await client.chat.completions
      .stream({ ...question, tools, stream_options: { include_usage: true } })
      .finalChatCompletion();
    for (const { choices, usage: used } of [answer, streamed]) {
      expect(choices[0]).toMatchObject({
        finish_reason: "tool_calls",
        message: {
          role: "assistant",
          content: "I look.",
          tool_calls: [{ id: "toolu_01A", function: { name: "weather" } }],
        },
      });
      const made = choices[0]?.message.tool_calls?.[0];
      expect(made?.type === "function" && JSON.parse(made.function.arguments)).toEqual(weather);
      expect(used).toMatchObject({
        prompt_tokens: 123,
        completion_tokens: 9,
        prompt_tokens_details: { cached_tokens: 100 },
      });
    }
    expect(a.requests[0]).toMatchObject({ path: "/v1/messages" });
    expect(sentTo(a.requests[0])).toMatchObject({ tools: [{ name: "weather", input_schema: { type: "object" } }] });
  });

  test("note on the trace what was left out, and fail over from one lane to the other", async () => {
    const { b, gateway } = await setScene(
      { a: answersError(503, null, "busy"), b: answersMessage("Hi.") },
      { providers: { b: claude } },
    );
    const { headers } = await post(gateway, { seed: 7, verbosity: "low" });
    expect(b.requests).toHaveLength(1);
    const trace = await gateway.trace(String(headers["x-tuloy-trace-id"]));
    expect(trace).toMatchObject({ provider: "b", failover: "overloaded", outcome: "succeeded" });
    expect(trace.notes).toEqual(
      expect.arrayContaining([
        "b/model-x: verbosity was left out: the deployment speaks anthropic-messages",
        expect.stringMatching(/^b\/model-x: seed was left out/),
      ]),
    );
  });
});

describe("a request that a dialect has no words for", () => {
  test("excludes its deployments with the reason, and no attempt is spent on them", async () => {
    const { a, b, gateway } = await setScene(
      { a: answersMessage("never"), b: answersChat("Hi.") },
      { providers: { a: claude } },
    );
    const { status, headers } = await post(gateway, { n: 2 });
    expect(status).toBe(200);
    expect([a.requests.length, b.requests.length]).toEqual([0, 1]);
    const trace = await gateway.trace(String(headers["x-tuloy-trace-id"]));
    expect(trace.exclusions).toEqual([
      {
        deployment: "a/model-x",
        reason: "capability",
        detail: "the request uses n, and this deployment speaks anthropic-messages, which has no words for it",
      },
    ]);
  });

  const fileOfOurs = {
    messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file-1" } }] }],
  };

  test("is told so when nobody is left", async () => {
    const { a, gateway } = await setScene({ a: answersMessage("never") }, { providers: { a: claude } });
    const { status, body } = await post(gateway, fileOfOurs);
    expect(status).toBe(400);
    expect(JSON.parse(body.toString())).toMatchObject({
      error: {
        code: "no_deployment_allowed",
        message: expect.stringContaining("a file that is kept at a provider of another dialect"),
      },
    });
    expect(a.requests).toHaveLength(0);
  });

  test("moves on past them when its content shows it on the way", async () => {
    const { b, c, gateway } = await setScene(
      { a: answersError(503, null, "busy"), b: answersMessage("never"), c: answersChat("Hi.") },
      { providers: { b: claude } },
    );
    const { status, headers } = await post(gateway, fileOfOurs);
    expect(status).toBe(200);
    expect([b.requests.length, c.requests.length]).toEqual([0, 1]);
    const trace = await gateway.trace(String(headers["x-tuloy-trace-id"]));
    expect(trace.exclusions).toMatchObject([{ deployment: "b/model-x", reason: "capability" }]);
    expect(trace.attempts.map(({ provider }) => provider)).toEqual(["a", "c"]);
  });
});

describe("a stream that breaks in one dialect is completed by a deployment of another", () => {
  const included = { stream_options: { include_usage: true } };

  test("from Anthropic's to OpenAI's, for a client of OpenAI's", async () => {
    const { b, gateway } = await setScene(
      { a: messageBreaksOff, b: goesOn },
      { providers: { a: claude, b: continues("vllm") } },
    );
    const heard = await hearStream(gateway.client(), { ...included, max_tokens: 100 });
    expect(heard).toMatchObject({ text: whole, error: null });
    expect(new Set(heard.chunks.map(({ id, model }) => `${id} ${model}`))).toEqual(new Set(["msg_a model-x"]));
    const choices = heard.chunks.flatMap((chunk) => chunk.choices);
    expect(choices.filter(({ delta }) => delta.role)).toHaveLength(1);
    expect(choices.filter(({ finish_reason: reason }) => reason)).toHaveLength(1);
    expect(bodyOf(b.requests[0])).toMatchObject({ continue_final_message: true });
    expect(prefixOf(bodyOf(b.requests[0]))).toBe(had);
  });

  test("from OpenAI's to Anthropic's, for a client of OpenAI's", async () => {
    const { b, gateway } = await setScene(
      { a: breaksOff, b: messageGoesOn },
      { providers: { b: { ...claude, ...continues("assistant-prefix") } } },
    );
    const heard = await hearStream(gateway.client(), { ...included, max_tokens: 100 });
    expect(heard).toMatchObject({ text: whole, error: null });
    expect(new Set(heard.chunks.map(({ id, model }) => `${id} ${model}`))).toEqual(new Set(["chatcmpl-a a-model-x"]));
    expect(heard.chunks.flatMap(({ usage }) => (usage ? [usage.completion_tokens] : []))).toEqual([3 + 4]);
    expect(prefixOf(bodyOf(b.requests[0]))).toBe(had);
  });

  test("from OpenAI's to OpenAI's, for a client of Anthropic's", async () => {
    const { gateway } = await setScene({ a: breaksOff, b: goesOn }, { providers: { b: continues("vllm") } });
    const heard = await hearEvents(anthropicAt(gateway.url));
    expect(heard).toMatchObject({ text: whole, error: null });
    expect(heard.events.filter(({ type }) => type === "message_start")).toHaveLength(1);
    expect(heard.events.filter(({ type }) => type === "message_stop")).toHaveLength(1);
    expect(heard.events.filter(({ type }) => type === "content_block_start")).toHaveLength(1);
  });

  test("from Anthropic's to Anthropic's, by a replay in the same words", async () => {
    const again: Script = (reply) =>
      messageEvents([{ type: "text", text: whole }], { usage: { input: 5, output: 12 } })
        .reduce<Reply>((said, event) => said.chunk(event), reply.eventStream())
        .end();
    const { gateway } = await setScene({ a: messageBreaksOff, b: again }, { providers: { a: claude, b: claude } });
    const heard = await hearEvents(anthropicAt(gateway.url));
    expect(heard).toMatchObject({ text: whole, error: null });
    expect(heard.events.filter(({ type }) => type === "message_start")).toHaveLength(1);
  });

  test("from Anthropic's to OpenAI's chat, for a client of neither", async () => {
    const { b, gateway } = await setScene(
      { a: messageBreaksOff, b: goesOn },
      { providers: { a: claude, b: continues("vllm") } },
    );
    const { model } = question;
    const stream = await gateway.client().responses.create({ model, input: "Say something.", stream: true });
    const events = await Array.fromAsync(stream);
    const deltas = events.flatMap((event) => (event.type === "response.output_text.delta" ? [event.delta] : []));
    expect(deltas.join("")).toBe(whole);
    const numbers = events.map(({ sequence_number: number }) => number);
    expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
    expect(events.filter(({ type }) => type === "response.created")).toHaveLength(1);
    const end = events.at(-1);
    expect(end).toMatchObject({ type: "response.completed", response: { output: [{ content: [{ text: whole }] }] } });
    expect(prefixOf(bodyOf(b.requests[0]))).toBe(had);
  });

  test("or reported, where nobody says the same", async () => {
    const other: Script = (reply) => says(reply, "Something else altogether.");
    const { gateway } = await setScene(
      { a: messageBreaksOff, b: other },
      { providers: { a: claude, b: continues("none") } },
    );
    const heard = await hearEvents(anthropicAt(gateway.url));
    expect(heard.text).toBe(had);
    expect(heard.error).not.toBeNull();
    expect(heard.events.some(({ type }) => type === "message_stop")).toBe(false);
  });
});

test("a client of Anthropic's is answered by a deployment of OpenAI's", async () => {
  const { a, gateway } = await setScene({ a: answersChat("Good day to you.") });
  const client = anthropicAt(gateway.url);
  for (const message of [await hearMessage(client), await hearStreamed(client)]) {
    expect(message).toMatchObject({
      role: "assistant",
      content: [{ type: "text", text: "Good day to you." }],
      stop_reason: "end_turn",
      usage: { input_tokens: 5, output_tokens: 7 },
    });
  }
  expect(sentTo(a.requests[0])).toMatchObject({ messages: asked.messages, max_tokens: 200 });
});

describe("an error of a provider that was asked in another dialect", () => {
  test("has its words and status, in the form of OpenAI's", async () => {
    const script = answersAnthropicError(400, "invalid_request_error", "messages: too few of them");
    const { a, b, gateway } = await setScene({ a: script, b: answersChat("never") }, { providers: { a: claude } });
    const { status, body } = await post(gateway);
    expect(status).toBe(400);
    expect(JSON.parse(body.toString())).toMatchObject({
      error: {
        type: "invalid_request_error",
        code: "invalid_request",
        message: expect.stringContaining("too few of them"),
      },
    });
    expect([a.requests.length, b.requests.length]).toEqual([1, 0]);
  });

  test("is known by its name where clients look for that", async () => {
    const script = answersAnthropicError(
      400,
      "invalid_request_error",
      "prompt is too long: 200001 tokens > 200000 maximum",
    );
    const { gateway } = await setScene({ a: script }, { providers: { a: claude } });
    const { status, body } = await post(gateway);
    expect(status).toBe(400);
    expect(JSON.parse(body.toString())).toMatchObject({ error: { code: "context_length_exceeded" } });
  });

  test("is in the form of Anthropic's for a client of that", async () => {
    const { gateway } = await setScene({ a: answersError(400, "invalid_value", "temperature: too hot") });
    const { status, body } = await post(gateway, { ...asked }, { path: "/v1/messages" });
    expect(status).toBe(400);
    expect(JSON.parse(body.toString())).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining("too hot") },
    });
  });
});

test("a stream that is translated names the model as the route reports it", async () => {
  const { gateway } = await setScene(
    { a: messageBreaksOff, b: goesOn },
    {
      providers: { a: claude, b: continues("vllm") },
      routes: ["name: asked, match: { models: [model-x] }, report_model: requested"],
    },
  );
  const heard = await hearStream(gateway.client());
  expect(heard).toMatchObject({ text: whole, error: null });
  expect(new Set(heard.chunks.map((chunk) => chunk.model))).toEqual(new Set([question.model]));
});
