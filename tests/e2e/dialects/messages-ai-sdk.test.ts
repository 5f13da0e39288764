import { createAnthropic } from "@ai-sdk/anthropic";
import { answersAnthropicError, answersChat, answersMessage, messageEvents } from "@tuloy/testkit";
import type { MessageBlock } from "@tuloy/testkit";
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { describe, expect, test } from "vitest";

import { apiKey } from "../../harness.ts";
import { claude, sentTo } from "../../messages-scene.ts";
import { setScene } from "../../scene.ts";

const name = "claude-opus-5";
const serving = { ...claude, model: null, models: [`${name}: { price: { input: 1, output: 2 } }`] };
const modelAt = (url: string) => createAnthropic({ baseURL: `${url}/v1`, apiKey })(name);

const weather = tool({
  description: "The weather of a city.",
  inputSchema: jsonSchema<{ city: string }>({
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
  }),
  execute: ({ city }) => `30 °C in ${city}`,
});

const thinking: MessageBlock = { type: "thinking", thinking: "Look it up.", signature: "EqQB" };
const call: MessageBlock = { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Cebu" } };

describe("Vercel's SDK hears through the gateway what it hears without it", () => {
  test("text, whole and as a stream", async () => {
    const { a, gateway } = await setScene(
      { a: answersMessage([thinking, { type: "text", text: "Good day to you." }]) },
      { providers: { a: serving } },
    );
    const heard = async (url: string): Promise<unknown> => {
      const whole = await generateText({ model: modelAt(url), prompt: "Hi" });
      const stream = streamText({ model: modelAt(url), prompt: "Hi" });
      const pieces = await Array.fromAsync(stream.textStream);
      return [
        whole.text,
        whole.reasoningText,
        whole.finishReason,
        whole.usage,
        pieces,
        await stream.reasoningText,
        await stream.finishReason,
        await stream.usage,
      ];
    };
    expect(await heard(gateway.url)).toEqual(await heard(a.url));
  });

  test("a tool's use over two steps, with the thought given back as it was", async () => {
    const script = [answersMessage([thinking, call]), answersMessage("It is 30 °C.")];
    const { a, gateway } = await setScene({ a: [...script, ...script] }, { providers: { a: serving } });
    const heard = async (url: string): Promise<unknown> => {
      const { text, steps } = await generateText({
        model: modelAt(url),
        prompt: "Hi",
        tools: { weather },
        stopWhen: stepCountIs(3),
      });
      return [
        text,
        steps.map(({ toolCalls, toolResults }) => [
          toolCalls.map(({ input }) => input),
          toolResults.map(({ output }) => output),
        ]),
      ];
    };
    expect(await heard(gateway.url)).toEqual(await heard(a.url));
    const [, second, , direct] = a.requests;
    expect(sentTo(second).messages).toEqual(sentTo(direct).messages);
  });

  test("an object by its schema", async () => {
    const { a, gateway } = await setScene({ a: answersMessage('{"city":"Cebu"}') }, { providers: { a: serving } });
    const output = Output.object({
      schema: jsonSchema<{ city: string }>({
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
        additionalProperties: false,
      }),
    });
    const heard = async (url: string): Promise<unknown> =>
      (await generateText({ model: modelAt(url), prompt: "Hi", output })).output;
    expect(await heard(gateway.url)).toEqual({ city: "Cebu" });
    expect(await heard(a.url)).toEqual({ city: "Cebu" });
  });
});

test("from a provider of OpenAI's dialect it hears text, a stream and the use of a tool", async () => {
  const down = answersAnthropicError(529, "overloaded_error", "Overloaded");
  const { b, gateway } = await setScene(
    { a: down, b: answersChat("Good day to you.") },
    { providers: { a: serving, b: { ...serving, kind: "openai-compatible" } } },
  );
  expect((await generateText({ model: modelAt(gateway.url), prompt: "Hi" })).text).toBe("Good day to you.");
  const stream = streamText({ model: modelAt(gateway.url), prompt: "Hi" });
  expect((await Array.fromAsync(stream.textStream)).join("")).toBe("Good day to you.");
  expect(await stream.usage).toMatchObject({ inputTokens: 5, outputTokens: 7 });
  b.script([
    (reply) =>
      reply.json(200, {
        id: "chatcmpl-1",
        object: "chat.completion",
        created: 1,
        model: "m",
        choices: [
          {
            index: 0,
            message: {
              role: "assistant",
              content: null,
              reasoning_content: "Look.",
              tool_calls: [
                { id: "c.1", type: "function", function: { name: "weather", arguments: '{"city":"Cebu"}' } },
              ],
            },
            finish_reason: "tool_calls",
          },
        ],
        usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
      }),
    answersChat("It is 30 °C."),
  ]);
  const { text } = await generateText({
    model: modelAt(gateway.url),
    prompt: "Hi",
    tools: { weather },
    stopWhen: stepCountIs(3),
  });
  expect(text).toBe("It is 30 °C.");
  const messages = sentTo(b.requests.at(-1)).messages as {
    role: string;
    tool_call_id?: string;
    tool_calls?: { id: string }[];
  }[];
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
  expect(messages[2]?.tool_call_id).toBe(messages[1]?.tool_calls?.[0]?.id);
});

test("a stream that broke and was completed by another provider is one answer to it", async () => {
  const blocks: readonly MessageBlock[] = [thinking, { type: "text", text: "Go on then, as you were." }];
  const begun = messageEvents(blocks, { stopReason: null }).slice(0, -3);
  const { b, gateway } = await setScene(
    {
      a: (reply) => begun.reduce((said, event) => said.chunk(event), reply.eventStream()).reset(),
      b: answersMessage(blocks),
    },
    { providers: { a: serving, b: serving } },
  );
  const { fullStream } = streamText({ model: modelAt(gateway.url), prompt: "Hi" });
  const parts = await Array.fromAsync(fullStream);
  const text = parts.map((part) => (part.type === "text-delta" ? part.text : "")).join("");
  expect([text, parts.filter(({ type }) => type === "error"), b.requests.length]).toEqual([
    "Go on then, as you were.",
    [],
    1,
  ]);
  const begins = parts.map(({ type }) => type).filter((type) => /^(text|reasoning)-(start|end)$/.test(type));
  expect(begins).toEqual(["reasoning-start", "reasoning-end", "text-start", "text-end"]);
});
