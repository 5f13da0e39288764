import Anthropic from "@anthropic-ai/sdk";
import { answersAnthropicError, answersError, answersMessage, chatChunk, messageEvents, sse } from "@tuloy/testkit";
import type { MessageBlock, MessageShape, Script } from "@tuloy/testkit";
import type OpenAI from "openai";
import { describe, expect, test } from "vitest";

import type { TestProvider } from "../../harness.ts";
import {
  anthropicAt,
  asked,
  claude,
  hearEvents,
  hearMessage,
  hearStreamed,
  model,
  sentTo,
} from "../../messages-scene.ts";
import { post, question, setScene } from "../../scene.ts";

/** Answers a chat request with whole messages or with deltas, as OpenAI does. */
function answersDeltas(deltas: readonly object[], finishReason: string, usage: object): Script {
  return (reply, request) => {
    const { stream } = request.json() as { stream?: boolean };
    if (stream !== true) {
      const message: Record<string, unknown> = { role: "assistant", content: null };
      for (const delta of deltas) {
        for (const [key, value] of Object.entries(delta)) {
          message[key] = typeof value === "string" && typeof message[key] === "string" ? message[key] + value : value;
        }
      }
      const { choices: _choices, object: _object, ...head } = chatChunk({ delta: {} });
      return reply.json(200, {
        ...head,
        object: "chat.completion",
        choices: [{ index: 0, message, finish_reason: finishReason }],
        usage,
      });
    }
    reply.eventStream().chunk(sse(chatChunk({ delta: { role: "assistant", content: "" } })));
    for (const delta of deltas) reply.chunk(sse(chatChunk({ delta })));
    reply.chunk(sse(chatChunk({ delta: {}, finish_reason: finishReason })));
    return reply
      .chunk(sse({ ...chatChunk({ delta: {} }), choices: [], usage }))
      .chunk(sse("[DONE]"))
      .end();
  };
}

const usage = { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 };
const counts: MessageShape["usage"] = { input: 12, output: 7 };
const called = (index: number, id: string, name: string, json: string): object => ({
  index,
  id,
  type: "function",
  function: { name, arguments: json },
});

/** What one provider says in OpenAI's words, and another in Anthropic's. */
const sameAnswers: Readonly<Record<string, readonly [Script, readonly MessageBlock[], MessageShape]>> = {
  "plain text": [
    answersDeltas([{ content: "Good day" }, { content: " to you." }], "stop", usage),
    [{ type: "text", text: "Good day to you." }],
    { usage: counts },
  ],
  "an answer cut by its limit": [
    answersDeltas([{ content: "And so" }], "length", usage),
    [{ type: "text", text: "And so" }],
    { usage: counts, stopReason: "max_tokens" },
  ],
  "a call": [
    answersDeltas([{ tool_calls: [called(0, "call_1", "weather", '{"city":"Cebu"}')] }], "tool_calls", usage),
    [{ type: "tool_use", id: "call_1", name: "weather", input: { city: "Cebu" } }],
    { usage: counts },
  ],
  "parallel calls after a word": [
    answersDeltas(
      [
        { content: "I look." },
        { tool_calls: [called(0, "call_1", "weather", '{"city":"Cebu"}'), called(1, "call_2", "time", "{}")] },
      ],
      "tool_calls",
      usage,
    ),
    [
      { type: "text", text: "I look." },
      { type: "tool_use", id: "call_1", name: "weather", input: { city: "Cebu" } },
      { type: "tool_use", id: "call_2", name: "time", input: {} },
    ],
    { usage: counts },
  ],
  "reasoning, which nobody signed": [
    answersDeltas([{ reasoning_content: "Let me see." }, { content: "Yes." }], "stop", usage),
    [
      { type: "thinking", thinking: "Let me see.", signature: "tuloy:" },
      { type: "text", text: "Yes." },
    ],
    { usage: counts },
  ],
  "usage with cached and reasoning tokens": [
    answersDeltas([{ content: "Yes." }], "stop", {
      ...usage,
      prompt_tokens_details: { cached_tokens: 10 },
      completion_tokens_details: { reasoning_tokens: 4 },
    }),
    [{ type: "text", text: "Yes." }],
    { usage: { input: 2, read: 10, output: 7, thinking: 4 } },
  ],
  "an answer that a filter cut": [
    answersDeltas([{ content: "I" }], "content_filter", usage),
    [{ type: "text", text: "I" }],
    { usage: counts, stopReason: "refusal" },
  ],
};

/** What a caller of the SDK acts on. */
function essence({
  content,
  role,
  stop_reason: stopReason,
  stop_sequence: sequence,
  type,
  usage: used,
}: Anthropic.Message): object {
  return {
    content: content.map((block) => ({ ...block, citations: null })),
    role,
    stopReason,
    sequence,
    type,
    usage: [
      used.input_tokens,
      used.cache_read_input_tokens,
      used.output_tokens,
      used.output_tokens_details?.thinking_tokens ?? 0,
    ],
  };
}

describe("what the SDK hears from a provider of OpenAI's dialect is what Anthropic would have said", () => {
  test.each(Object.entries(sameAnswers))("%s", async (_what, [chat, blocks, shape]) => {
    const { a, b, gateway } = await setScene({ a: chat, b: answersMessage(blocks, shape) });
    const [direct, through] = [anthropicAt(b.url), anthropicAt(gateway.url)];
    const expected = essence(await hearMessage(direct));
    expect(essence(await hearMessage(through))).toEqual(expected);
    expect(essence(await hearStreamed(through))).toEqual(expected);
    expect(a.requests.map(({ path }) => path)).toEqual(["/v1/chat/completions", "/v1/chat/completions"]);
  });

  test("an error has Anthropic's form, and the provider's words", async () => {
    const { gateway } = await setScene({ a: answersError(400, null, "the temperature is too high") });
    const thrown: unknown = await hearMessage(anthropicAt(gateway.url)).catch((caught: unknown) => caught);
    expect(thrown).toBeInstanceOf(Anthropic.BadRequestError);
    expect(thrown).toMatchObject({
      type: "invalid_request_error",
      message: expect.stringContaining("the temperature is too high"),
    });
  });

  test("a stream that breaks raises", async () => {
    const broken: Script = (reply) =>
      reply
        .eventStream()
        .chunk(sse(chatChunk({ delta: { content: "Hal" } })))
        .reset();
    const { gateway } = await setScene({ a: broken });
    const { text, error } = await hearEvents(anthropicAt(gateway.url));
    expect([text, error instanceof Anthropic.APIError]).toEqual(["Hal", true]);
    await expect(hearStreamed(anthropicAt(gateway.url))).rejects.toBeInstanceOf(Anthropic.APIError);
  });
});

test("a provider of OpenAI's dialect is asked in its own words, and the trace says what it was not told", async () => {
  const { a, gateway } = await setScene({ a: answersDeltas([{ content: "{}" }], "stop", usage) });
  const schema = { type: "object", properties: {}, additionalProperties: false };
  await hearMessage(anthropicAt(gateway.url), {
    system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
    stop_sequences: ["END"],
    ...({ temperature: 0.5 } as object),
    tools: [{ name: "f", description: "does f", input_schema: { type: "object" } }],
    tool_choice: { type: "any", disable_parallel_tool_use: true },
    output_config: { format: { type: "json_schema", schema } },
    service_tier: "auto",
    messages: [
      {
        role: "user",
        content: [
          { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
          { type: "text", text: "What is it?" },
        ],
      },
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "f", input: { a: 1 } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "a cat" }] },
    ],
  });
  expect(sentTo(a.requests[0])).toMatchObject({
    model: `a-${model}`,
    max_tokens: 200,
    stop: ["END"],
    temperature: 0.5,
    tools: [{ type: "function", function: { name: "f", description: "does f", parameters: { type: "object" } } }],
    tool_choice: "required",
    parallel_tool_calls: false,
    response_format: { type: "json_schema", json_schema: { schema } },
    messages: [
      { role: "system" },
      {
        role: "user",
        content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }, { type: "text" }],
      },
      { role: "assistant", tool_calls: [{ id: "toolu_1", function: { name: "f", arguments: '{"a":1}' } }] },
      { role: "tool", tool_call_id: "toolu_1", content: "a cat" },
    ],
  });
  const { notes } = await gateway.lastTrace();
  expect(notes.join("\n")).toContain("service_tier was left out");
});

test("what a model is known not to take is left out of what its provider is asked", async () => {
  const { a, gateway } = await setScene(
    { a: answersDeltas([{ content: "Hi" }], "stop", usage) },
    { providers: { a: { kind: "openai", also: ["gpt-5"] } } },
  );
  await hearMessage(anthropicAt(gateway.url), {
    model: "gpt-5",
    stop_sequences: ["END"],
    ...({ temperature: 0.3 } as object),
  });
  expect(sentTo(a.requests[0])).toMatchObject({ model: "gpt-5", max_completion_tokens: 200, stop: ["END"] });
  expect(sentTo(a.requests[0])).not.toHaveProperty("temperature");
  expect((await gateway.lastTrace()).notes).toContain(`a/gpt-5: temperature was left out: it is not taken there`);
});

test("a tool whose name OpenAI refuses is not asked of it, and of others is", async () => {
  const chat = answersDeltas([{ content: "Hi" }], "stop", usage);
  const { a, b, gateway } = await setScene({ a: chat, b: chat }, { providers: { a: { kind: "openai" } } });
  const client = anthropicAt(gateway.url);
  const named = (name: string): Anthropic.Tool => ({ name, input_schema: { type: "object" } });
  await hearMessage(client, { tools: [named("x".repeat(100))] });
  expect([a.requests.length, b.requests.length]).toEqual([0, 1]);
  const { exclusions } = await gateway.lastTrace();
  expect(exclusions).toMatchObject([
    { deployment: "a/model-x", reason: "capability", detail: expect.stringContaining("at most 64 letters") },
  ]);
  await hearMessage(client, { tools: [named("x".repeat(64))] });
  expect(a.requests).toHaveLength(1);
});

test.each(["whole", "streamed"])("signatures come and go through OpenRouter's chat dialect: %s", async (how) => {
  const detail = { type: "reasoning.text", format: "anthropic-claude-v1", index: 0 };
  const signed = { reasoning_details: [{ ...detail, text: "Look it up.", signature: "EqQB" }] };
  const hidden = { type: "reasoning.encrypted", data: "Zm9v", format: "anthropic-claude-v1", index: 1 };
  const deltas =
    how === "whole"
      ? [
          {
            reasoning: "Look it up.",
            reasoning_details: [...signed.reasoning_details, hidden],
            tool_calls: [called(0, "toolu_1", "f", "{}")],
          },
        ]
      : [
          { content: "", reasoning: "Look ", reasoning_details: [{ ...detail, text: "Look " }] },
          { content: "", reasoning: "it up.", reasoning_details: [{ ...detail, text: "it up." }] },
          { content: "", reasoning_details: [{ ...detail, signature: "EqQB" }] },
          { content: "", reasoning_details: [hidden] },
          { tool_calls: [called(0, "toolu_1", "f", "{}")] },
        ];
  const { a, gateway } = await setScene(
    { a: answersDeltas(deltas, "tool_calls", usage) },
    { providers: { a: { kind: "openrouter", model: "dialect: openai-chat" } } },
  );
  const client = anthropicAt(gateway.url);
  const tools: Anthropic.Tool[] = [{ name: "f", input_schema: { type: "object" } }];
  const answer = how === "whole" ? await hearMessage(client, { tools }) : await hearStreamed(client, { tools });
  expect(answer.content.slice(0, 2)).toEqual([
    { type: "thinking", thinking: "Look it up.", signature: "EqQB" },
    { type: "redacted_thinking", data: "Zm9v" },
  ]);
  await hearMessage(client, {
    tools,
    messages: [
      ...asked.messages,
      { role: "assistant", content: answer.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "31 °C" }] },
    ],
  });
  const { messages } = sentTo(a.requests[1]) as { messages: unknown[] };
  expect(messages[1]).toMatchObject({ role: "assistant", reasoning_details: [...signed.reasoning_details, hidden] });
});

test("what only Anthropic can do goes nowhere else, and the client is told so", async () => {
  const chat = answersDeltas([{ content: "x" }], "stop", usage);
  const { a, b, gateway } = await setScene({ a: chat, b: answersMessage("Found it.") }, { providers: { b: claude } });
  const tools: Anthropic.ToolUnion[] = [{ type: "web_search_20250305", name: "web_search" }];
  const client = anthropicAt(gateway.url);
  expect((await hearMessage(client, { tools })).content).toMatchObject([{ text: "Found it." }]);
  b.script(answersAnthropicError(503, "api_error", "down"));
  await expect(hearMessage(client, { tools })).rejects.toBeInstanceOf(Anthropic.APIError);
  expect(a.requests).toHaveLength(0);
  const lone = await setScene({ a: chat });
  const refused: unknown = await hearMessage(anthropicAt(lone.gateway.url), { tools }).catch(
    (caught: unknown) => caught,
  );
  expect(refused).toMatchObject({
    status: 400,
    errorCode: "no_deployment_allowed",
    message: expect.stringContaining("web_search_20250305"),
  });
});

describe("a conversation with tools goes back and forth between the dialects", () => {
  const tools: Anthropic.Tool[] = [
    { name: "weather", input_schema: { type: "object", properties: { city: { type: "string" } } } },
  ];
  const down = answersAnthropicError(529, "overloaded_error", "Overloaded");

  test("for Anthropic's clients", async () => {
    const { a, b, gateway } = await setScene(
      {
        a: [
          answersMessage([
            { type: "thinking", thinking: "Look it up.", signature: "EqQB" },
            { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Cebu" } },
          ]),
          down,
          answersMessage("It is 30 °C in both."),
        ],
        b: answersDeltas(
          [{ reasoning_content: "And Davao." }, { tool_calls: [called(0, "call.2", "weather", '{"city":"Davao"}')] }],
          "tool_calls",
          usage,
        ),
      },
      { providers: { a: claude }, failover: "breaker: { failures: 1000, of: 1000 }" },
    );
    const client = anthropicAt(gateway.url);
    const messages: Anthropic.MessageParam[] = [{ role: "user", content: "Weather in Cebu and Davao?" }];
    const turn = async (): Promise<Anthropic.Message> => {
      const message = await hearStreamed(client, { tools, messages });
      messages.push({ role: "assistant", content: message.content });
      const calls = message.content.filter(({ type }) => type === "tool_use") as Anthropic.ToolUseBlock[];
      if (calls.length > 0) {
        messages.push({
          role: "user",
          content: calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "30 °C" })),
        });
      }
      return message;
    };
    await turn();
    const second = await turn();
    expect(second.content).toMatchObject([{ type: "thinking" }, { type: "tool_use", input: { city: "Davao" } }]);
    expect((await turn()).content).toMatchObject([{ text: "It is 30 °C in both." }]);

    // OpenAI's dialect got Anthropic's call and its result, and none of its thoughts.
    expect(sentTo(b.requests[0]).messages).toMatchObject([
      { role: "user" },
      { role: "assistant", tool_calls: [{ id: "toolu_1", function: { arguments: '{"city":"Cebu"}' } }] },
      { role: "tool", tool_call_id: "toolu_1", content: "30 °C" },
    ]);
    // Anthropic got its own thought back with its signature, the other's call under an id that it takes, and nothing unsigned.
    const back = sentTo(a.requests[2]).messages as { content: { type: string; id?: string; tool_use_id?: string }[] }[];
    expect(back[1]?.content).toMatchObject([
      { type: "thinking", signature: "EqQB" },
      { type: "tool_use", id: "toolu_1" },
    ]);
    expect(back[3]?.content.map(({ type }) => type)).toEqual(["tool_use"]);
    const id = back[3]?.content[0]?.id;
    expect(id).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(back[4]?.content).toMatchObject([{ type: "tool_result", tool_use_id: id }]);
  });

  test("for OpenAI's clients", async () => {
    const { a, b, gateway } = await setScene(
      {
        a: answersMessage([
          { type: "thinking", thinking: "Look it up.", signature: "EqQB" },
          { type: "text", text: "One moment." },
          { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Cebu" } },
        ]),
        b: answersDeltas([{ content: "It is 30 °C." }], "stop", usage),
      },
      { providers: { a: claude }, failover: "breaker: { failures: 1000, of: 1000 }" },
    );
    const client = gateway.client();
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "Weather in Cebu?" }];
    const functions: OpenAI.ChatCompletionTool[] = [
      { type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } },
    ];
    const ask = async (): Promise<OpenAI.ChatCompletionMessage> => {
      const answer = await client.chat.completions
        .stream({ ...question, messages, tools: functions })
        .finalChatCompletion();
      const [choice] = answer.choices;
      if (!choice) throw new Error("no choice");
      messages.push(choice.message);
      return choice.message;
    };
    const first = await ask();
    expect(first).toMatchObject({
      content: "One moment.",
      tool_calls: [{ id: "toolu_1", function: { name: "weather", arguments: '{"city":"Cebu"}' } }],
    });
    messages.push({ role: "tool", tool_call_id: "toolu_1", content: "30 °C" });
    a.script(down);
    expect((await ask()).content).toBe("It is 30 °C.");
    expect(sentTo(b.requests[0]).messages).toMatchObject([
      { role: "user" },
      { role: "assistant", content: "One moment.", tool_calls: [{ id: "toolu_1" }] },
      { role: "tool", tool_call_id: "toolu_1" },
    ]);
    a.script(answersMessage("Anything else?"));
    messages.push({ role: "user", content: "Thanks." });
    expect((await ask()).content).toBe("Anything else?");
    const sent = sentTo(a.requests.at(-1)) as {
      max_tokens: number;
      messages: { role: string; content: { type: string }[] }[];
    };
    expect(sent.max_tokens).toBeGreaterThan(0);
    expect(sent.messages.map(({ role, content }) => `${role}: ${content.map(({ type }) => type).join(", ")}`)).toEqual([
      "user: text",
      expect.stringMatching(/^assistant: (thinking, )?text, tool_use$/),
      "user: tool_result",
      "assistant: text",
      "user: text",
    ]);
  });
});

describe("what OpenAI's clients hear from Anthropic", () => {
  test.each([
    ["claude-sonnet-4-5", { response_format: { type: "json_schema", json_schema: {} } }],
    ["claude-sonnet-4", { tool_choice: { type: "tool", name: "tuloy_json_answer" } }],
  ])("is JSON by a schema, in the way of %s", async (name, _how) => {
    const { a, gateway } = await setScene(
      {
        a: (reply, request) => {
          const body = sentTo(request);
          const block: MessageBlock =
            body.output_config === undefined
              ? { type: "tool_use", id: "toolu_1", name: "tuloy_json_answer", input: { age: 3 } }
              : { type: "text", text: '{"age":3}' };
          return answersMessage([block])(reply, request);
        },
      },
      { providers: { a: { ...claude, model: null, models: [`${name}: { price: { input: 1, output: 2 } }`] } } },
    );
    const schema = {
      type: "object",
      properties: { age: { type: "integer" } },
      required: ["age"],
      additionalProperties: false,
    };
    const ask = {
      model: name,
      messages: question.messages,
      response_format: { type: "json_schema" as const, json_schema: { name: "x", schema, strict: true } },
    };
    const whole = await gateway.client().chat.completions.create(ask);
    expect(whole.choices[0]).toMatchObject({ message: { content: '{"age":3}' }, finish_reason: "stop" });
    const streamed = await gateway.client().chat.completions.stream(ask).finalChatCompletion();
    expect(streamed.choices[0]).toMatchObject({ message: { content: '{"age":3}' }, finish_reason: "stop" });
    expect(a.requests).toHaveLength(2);
  });

  test("has Anthropic's whole input in its usage", async () => {
    const shape = { usage: { input: 3, output: 9, read: 1000, written: 200 } };
    const { gateway } = await setScene({ a: answersMessage("Hi.", shape) }, { providers: { a: claude } });
    const { usage: used } = await gateway.client().chat.completions.create(question);
    expect(used).toMatchObject({
      prompt_tokens: 1203,
      completion_tokens: 9,
      prompt_tokens_details: { cached_tokens: 1000 },
    });
  });
});

describe("a stream that breaks in its middle is completed", () => {
  const whole = "Go on then, as you were, until the very end of it.";
  const blocks = (text: string): MessageBlock[] => [{ type: "text", text }];
  const head = messageEvents(blocks("Go on then,"), {
    id: "msg_a",
    stopReason: null,
    usage: { input: 9, output: 5 },
  }).slice(0, -1);
  const breaks: Script = (reply) => head.reduce((said, event) => said.chunk(event), reply.eventStream()).reset();
  const serving = (name: string): Readonly<Record<"a" | "b", Omit<TestProvider, "url">>> => {
    const provider = { ...claude, model: null, models: [`${name}: { price: { input: 1, output: 2 } }`] };
    return { a: provider, b: provider };
  };

  test("exactly, by a Claude that goes on from its last words", async () => {
    const { b, gateway } = await setScene(
      { a: breaks, b: answersMessage(" as you were, until the very end of it.") },
      { providers: serving("claude-sonnet-4-5") },
    );
    const message = await hearStreamed(anthropicAt(gateway.url), { model: "claude-sonnet-4-5" });
    expect(message).toMatchObject({ id: "msg_a", content: [{ type: "text", text: whole }], stop_reason: "end_turn" });
    expect(sentTo(b.requests[0])).toMatchObject({
      messages: [...asked.messages, { role: "assistant", content: "Go on then," }],
    });
    expect((await gateway.lastTrace()).attempts).toMatchObject([
      { kind: "first" },
      { kind: "continuation", failure: null },
    ]);
  });

  test("by the same words again, where a newer Claude takes no beginning", async () => {
    const { b, gateway } = await setScene(
      { a: breaks, b: answersMessage(whole) },
      { providers: serving("claude-opus-5") },
    );
    const { text, error, events } = await hearEvents(anthropicAt(gateway.url), { model: "claude-opus-5" });
    expect([text, error]).toEqual([whole, null]);
    expect(events.map(({ type }) => type).filter((type) => type !== "content_block_delta")).toEqual([
      "message_start",
      "content_block_start",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(sentTo(b.requests[0]).messages).toEqual(asked.messages);
    expect((await gateway.lastTrace()).attempts).toMatchObject([{ kind: "first" }, { kind: "replay", failure: null }]);
  });

  test("softly, after a thought that was not shown", async () => {
    const thought: MessageBlock = { type: "thinking", thinking: "", signature: "EqQB" };
    const begun = messageEvents([thought, ...blocks("Go on then,")], { id: "msg_a", stopReason: null }).slice(0, -1);
    const { b, gateway } = await setScene(
      {
        a: (reply) => begun.reduce((said, event) => said.chunk(event), reply.eventStream()).reset(),
        b: answersMessage([
          { ...thought, signature: "other" },
          { type: "text", text: " as you were." },
        ]),
      },
      { providers: serving("claude-opus-5"), failover: "on_partial: continue-soft" },
    );
    b.script([
      answersMessage("Something else."),
      answersMessage([
        { ...thought, signature: "other" },
        { type: "text", text: " as you were." },
      ]),
    ]);
    const message = await hearStreamed(anthropicAt(gateway.url), { model: "claude-opus-5" });
    expect(message.content).toMatchObject([
      { type: "thinking", signature: "EqQB" },
      { type: "text", text: "Go on then, as you were." },
    ]);
  });

  test("by a provider of another dialect", async () => {
    const { gateway } = await setScene(
      { a: breaks, b: answersDeltas([{ content: " as you were." }], "stop", usage) },
      { providers: { a: claude, b: { facts: "continuation: assistant-prefix" } } },
    );
    const message = await hearStreamed(anthropicAt(gateway.url));
    expect(message).toMatchObject({
      id: "msg_a",
      content: [{ type: "text", text: "Go on then, as you were." }],
      stop_reason: "end_turn",
    });
  });

  test("and reported where nobody can, in the SDK's own way", async () => {
    const { gateway } = await setScene(
      { a: breaks, b: answersMessage("Quite another answer.") },
      { providers: serving("claude-opus-5") },
    );
    const raw = await post(gateway, { ...asked, model: "claude-opus-5", stream: true }, { path: "/v1/messages" });
    expect(raw.body.toString()).not.toContain("message_stop");
    const { error } = await hearEvents(anthropicAt(gateway.url), { model: "claude-opus-5" });
    expect(error).toBeInstanceOf(Anthropic.APIError);
  });
});
