import type Anthropic from "@anthropic-ai/sdk";
import { answersAnthropicError, answersMessage } from "@tuloy/testkit";
import type OpenAI from "openai";
import { describe, expect, test } from "vitest";

import { answersDeltas, called, usage } from "../../chat-deltas.ts";
import { anthropicAt, asked, claude, hearMessage, hearStreamed, sentTo } from "../../messages-scene.ts";
import { question, setScene } from "../../scene.ts";

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
