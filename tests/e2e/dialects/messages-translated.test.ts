import Anthropic from "@anthropic-ai/sdk";
import { answersAnthropicError, answersError, answersMessage, chatChunk, sse } from "@tuloy/testkit";
import type { MessageBlock, MessageShape, Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { answersDeltas, called, usage } from "../../chat-deltas.ts";
import { anthropicAt, claude, hearEvents, hearMessage, hearStreamed, model, sentTo } from "../../messages-scene.ts";
import { setScene } from "../../scene.ts";

const counts: MessageShape["usage"] = { input: 12, output: 7 };

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
