import { answersError, answersMessage, answersResponse, chatChunk, responseEvents, sse } from "@tuloy/testkit";
import type { ResponseItem, Script } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";

import { answersAs, gist, hearResponse, question, speakers, speaksResponses } from "../../responses-scene.ts";
import { setScene } from "../../scene.ts";

const text = "Go on then, as you were, until the very end of it.";
const answer: readonly ResponseItem[] = [{ text }];

/** The events of a stream up to its third piece of text, then the connection is gone. */
const breaksInResponses: Script = (reply) => {
  const events = responseEvents(answer, { id: "resp_a" });
  const third = events.findIndex((event) => event.includes('"delta":" then,')) + 1;
  reply.eventStream();
  for (const event of events.slice(0, third)) reply.chunk(event);
  return reply.reset();
};

const breaksInChat: Script = (reply) => {
  reply.eventStream().chunk(sse(chatChunk({ delta: { role: "assistant", content: "" } })));
  for (const content of ["Go", " on", " then,"]) reply.chunk(sse(chatChunk({ delta: { content } })));
  return reply.reset();
};

const chat = { facts: "continuation: none" };
const pairs = [
  ["Responses", "Responses", breaksInResponses, speaksResponses, "openai-responses", speaksResponses],
  ["Responses", "chat", breaksInResponses, speaksResponses, "openai-chat", chat],
  ["chat", "Responses", breaksInChat, chat, "openai-responses", speaksResponses],
] as const;

describe("a stream of the Responses API that breaks in the middle", () => {
  it.each(pairs)("from a deployment that speaks %s is completed by one that answers again in %s", async (...pair) => {
    const [, , breaks, first, dialect, second] = pair;
    const { gateway } = await setScene(
      { a: breaks, b: answersAs(dialect, answer, { id: "resp_b" }) },
      { providers: { a: first, b: second } },
    );
    const { final, events, error } = await hearResponse(gateway.client());
    expect(error).toBeNull();
    if (final === null) throw new Error("the stream had no end");
    expect(gist(final)).toMatchObject({ status: "completed", output_text: text, output: [[{ text }]] });
    expect(final.id).toMatch(first === speaksResponses ? /^resp_a$/ : /^resp_tuloy_/);
    const numbers = events.map((event) => event.sequence_number);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    const once = events.filter(({ type }) => type === "response.created" || type === "response.completed");
    expect(once).toHaveLength(2);
    const { outcome, attempts } = await gateway.lastTrace();
    expect(outcome).toBe("succeeded");
    expect(attempts.map(({ kind }) => kind)).toEqual(["first", "replay"]);
    // Nobody keeps what two had a part in.
    await expect(gateway.client().responses.retrieve(final.id)).rejects.toMatchObject({ status: 404 });
  });

  it("is gone on with exactly by a chat deployment that can", async () => {
    const goesOn: Script = (reply, request) => {
      const { messages } = request.json() as { messages: { role: string; content: string }[] };
      const prefix = messages.at(-1)?.content ?? "";
      return answersAs("openai-chat", [{ text: text.slice(prefix.length) }])(reply, request);
    };
    const { gateway, b } = await setScene(
      { a: breaksInResponses, b: goesOn },
      { providers: { a: speaksResponses, b: { facts: "continuation: assistant-prefix" } } },
    );
    const { final, error } = await hearResponse(gateway.client());
    expect(error).toBeNull();
    expect(final?.output_text).toBe(text);
    const { messages } = (await b.received(0)).json() as { messages: unknown[] };
    expect(messages.at(-1)).toMatchObject({ role: "assistant", content: "Go on then," });
  });

  it("is gone on with softly by another of the same API, where the route says so", async () => {
    const { gateway, b } = await setScene(
      {
        a: breaksInResponses,
        b: [answersResponse([{ text: "Something else." }]), answersResponse([{ text: " and so it ends." }])],
      },
      { providers: { a: speaksResponses, b: speaksResponses }, failover: "on_partial: continue-soft" },
    );
    const { final, error } = await hearResponse(gateway.client(), { max_output_tokens: 100 });
    expect(error).toBeNull();
    expect(final?.output_text).toBe("Go on then, and so it ends.");
    const asked = b.requests.at(-1)?.json() as { input: { role: string }[]; max_output_tokens: number };
    expect(asked.input.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(asked.max_output_tokens).toBe(97);
  });

  it("has its tool calls completed by one that makes the same", async () => {
    const items: ResponseItem[] = [
      { text: "Let me look." },
      { call: "weather", callId: "call_a", arguments: '{"at": "Manila", "when": "now"}' },
    ];
    const breaks: Script = (reply) => {
      const events = responseEvents(items, { id: "resp_a" });
      const cut = events.findIndex((event) => event.includes("function_call_arguments.delta")) + 1;
      reply.eventStream();
      for (const event of events.slice(0, cut)) reply.chunk(event);
      return reply.reset();
    };
    const { gateway } = await setScene(
      { a: breaks, b: answersAs("openai-chat", items) },
      { providers: { a: speaksResponses } },
    );
    const { final, error } = await hearResponse(gateway.client());
    expect(error).toBeNull();
    expect(final && gist(final).output).toEqual([
      [{ text: "Let me look." }],
      { call: "weather", callId: "call_a", arguments: { at: "Manila", when: "now" } },
    ]);
  });

  it.each([
    ["that nobody completes", "continue"],
    ["that the route does not complete", "error"],
  ])(
    "is told of by an error that the SDK raises, in both forms, with its number: one %s",
    async (_which, onPartial) => {
      const { gateway } = await setScene(
        { a: breaksInResponses },
        { providers: { a: speaksResponses }, failover: `on_partial: ${onPartial}` },
      );
      const { final, error, events } = await hearResponse(gateway.client());
      expect(final).toBeNull();
      expect(error).toBeInstanceOf(OpenAI.APIError);
      expect((error as InstanceType<typeof OpenAI.APIError>).code).toBe("stream_broken");
      const raw = await fetch(`${gateway.url}/v1/responses`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${String(gateway.client().apiKey)}` },
        body: JSON.stringify({ ...question, stream: true }),
      });
      const last = (await raw.text()).trim().split("\n\n").at(-1) ?? "";
      expect(last).toMatch(/^event: error\n/);
      expect(JSON.parse(last.slice(last.indexOf("{")))).toMatchObject({
        type: "error",
        sequence_number: events.length,
        code: "stream_broken",
        error: { code: "stream_broken", type: "server_error" },
      });
    },
  );

  it("is never completed where a tool that runs at the provider may have acted", async () => {
    const { gateway, b } = await setScene(
      { a: breaksInResponses, b: answersResponse(answer) },
      { providers: { a: speaksResponses, b: speaksResponses } },
    );
    const { error } = await hearResponse(gateway.client(), { tools: [{ type: "web_search" }] });
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(b.requests).toHaveLength(0);
  });
});

describe("a conversation with tools", () => {
  const tools: OpenAI.Responses.FunctionTool[] = [
    { type: "function", name: "weather", parameters: { type: "object", properties: {} }, strict: false },
  ];
  const calls: readonly ResponseItem[] = [
    { reasoning: "I need the weather.", encrypted: "gAAAA" },
    { call: "weather", callId: "call_1", arguments: "{}" },
    { call: "weather", callId: "call_2", arguments: '{"at": "Cebu"}' },
  ];

  /** One turn, and the input of the next: all that was said, and what the tools gave back. */
  async function turn(client: OpenAI, input: OpenAI.Responses.ResponseInput): Promise<OpenAI.Responses.ResponseInput> {
    const { output } = await client.responses.create({ ...question, input, tools, store: false });
    const results: OpenAI.Responses.ResponseInput = output.flatMap((item) =>
      item.type === "function_call" ? [{ type: "function_call_output", call_id: item.call_id, output: "rain" }] : [],
    );
    return [...input, ...(output as OpenAI.Responses.ResponseInput), ...results];
  }

  it("goes on at a chat deployment when the first one fails", async () => {
    const { gateway, b } = await setScene(
      {
        a: [answersResponse(calls), answersError(503, null, "busy")],
        b: answersAs("openai-chat", [{ text: "Rain." }]),
      },
      { providers: { a: speaksResponses } },
    );
    const client = gateway.client();
    const input = await turn(client, [{ role: "user", content: "Weather?" }]);
    const answered = await client.responses.create({ ...question, input, tools, store: false });
    expect(answered.output_text).toBe("Rain.");
    expect(b.requests[0]?.json()).toMatchObject({
      messages: [
        { role: "user", content: "Weather?" },
        {
          role: "assistant",
          tool_calls: [
            { id: "call_1", function: { name: "weather", arguments: "{}" } },
            { id: "call_2", function: { name: "weather", arguments: '{"at": "Cebu"}' } },
          ],
        },
        { role: "tool", tool_call_id: "call_1", content: "rain" },
        { role: "tool", tool_call_id: "call_2", content: "rain" },
      ],
    });
  });

  it("goes on at a Responses deployment when a chat one fails, without what only the first could read", async () => {
    const { gateway, b } = await setScene(
      {
        a: [answersAs("openai-chat", calls), answersError(503, null, "busy")],
        b: answersResponse([{ text: "Rain." }]),
      },
      { providers: { b: speaksResponses } },
    );
    const client = gateway.client();
    const input = await turn(client, [{ role: "user", content: "Weather?" }]);
    expect(input.map((item) => item.type ?? "message")).toContain("reasoning");
    await client.responses.create({ ...question, input, tools, store: false });
    const { notes } = await gateway.lastTrace(2);
    expect(notes.join("\n")).toContain("b/model-x: reasoning of earlier turns was left out");
    const { input: sent } = (await b.received(0)).json() as { input: { type?: string; call_id?: string }[] };
    expect(sent.map(({ type, call_id: id }) => [type, id])).toEqual([
      [undefined, undefined],
      ["function_call", "call_1"],
      ["function_call", "call_2"],
      ["function_call_output", "call_1"],
      ["function_call_output", "call_2"],
    ]);
  });

  it("gives a thought back to who signed it, through a client that knows nothing of signatures", async () => {
    const signed: readonly ResponseItem[] = [
      { reasoning: "I need the weather." },
      { call: "weather", callId: "toolu_1", arguments: "{}" },
    ];
    const { gateway, a } = await setScene(
      {
        a: [answersAs("anthropic-messages", signed), answersAs("anthropic-messages", [{ text: "Rain." }])],
      },
      { providers: { a: speakers["anthropic-messages"] } },
    );
    const client = gateway.client();
    const input = await turn(client, [{ role: "user", content: "Weather?" }]);
    await client.responses.create({ ...question, input, tools, store: false, reasoning: { effort: "low" } });
    const { messages } = (await a.received(1)).json() as { messages: unknown[] };
    expect(messages).toMatchObject([
      { role: "user" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "I need the weather.", signature: "c2lnbmVk" },
          { type: "tool_use", id: "toolu_1", name: "weather" },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1" }] },
    ]);
  });

  it("hears that a model declined which says so without a word", async () => {
    const { gateway } = await setScene(
      { a: answersMessage([], { stopReason: "refusal" }) },
      { providers: { a: speakers["anthropic-messages"] } },
    );
    const { status, incomplete_details: details, output } = await gateway.client().responses.create(question);
    expect({ status, details, output }).toEqual({
      status: "incomplete",
      details: { reason: "content_filter" },
      output: [],
    });
  });
});
