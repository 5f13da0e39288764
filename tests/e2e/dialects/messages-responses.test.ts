import type Anthropic from "@anthropic-ai/sdk";
import { answersAnthropicError, answersMessage, answersResponse } from "@tuloy/testkit";
import { expect, test } from "vitest";

import { anthropicAt, claude, hearMessage, hearStreamed, sentTo } from "../../messages-scene.ts";
import { setScene } from "../../scene.ts";

/** A provider that is asked in OpenAI's Responses API. */
const responses = { kind: "openai", model: "dialect: openai-responses" };
const tools: Anthropic.Tool[] = [{ name: "weather", input_schema: { type: "object", properties: {} } }];

test("Anthropic's clients hear a message from a provider of the Responses API", async () => {
  const { a, gateway } = await setScene(
    { a: answersResponse([{ text: "Good day to you." }]) },
    { providers: { a: responses } },
  );
  const client = anthropicAt(gateway.url);
  for (const message of [await hearMessage(client), await hearStreamed(client)]) {
    expect(message).toMatchObject({
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: "Good day to you." }],
      stop_reason: "end_turn",
      usage: { input_tokens: 3, cache_read_input_tokens: 2, output_tokens: 7 },
    });
  }
  expect(a.requests.map(({ path }) => path)).toEqual(["/v1/responses", "/v1/responses"]);
});

test("encrypted reasoning comes back to its maker with the next turn, and never goes to Anthropic", async () => {
  const { a, b, gateway } = await setScene(
    {
      a: [
        answersResponse([
          { reasoning: "Look it up.", encrypted: "gAAA-secret" },
          { call: "weather", callId: "call_1", arguments: '{"city":"Cebu"}' },
        ]),
        answersAnthropicError(503, "api_error", "down"),
        answersResponse([{ text: "It is 30 °C." }]),
      ],
      b: answersMessage("It is 30 °C."),
    },
    { providers: { a: responses, b: claude }, failover: "breaker: { failures: 1000, of: 1000 }" },
  );
  const client = anthropicAt(gateway.url);
  const thinking = { type: "enabled", budget_tokens: 1024 } as const;
  const question: Anthropic.MessageParam = { role: "user", content: "Weather?" };
  const first = await hearStreamed(client, { tools, thinking, max_tokens: 4000, messages: [question] });
  expect(first.content).toMatchObject([
    { type: "thinking", thinking: "Look it up." },
    { type: "tool_use", id: "call_1", name: "weather", input: { city: "Cebu" } },
  ]);
  const messages: Anthropic.MessageParam[] = [
    question,
    { role: "assistant", content: first.content },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "call_1", content: "30 °C" }] },
  ];
  const next = { tools, thinking, max_tokens: 4000, messages };
  expect((await hearStreamed(client, next)).content).toMatchObject([{ text: "It is 30 °C." }]);
  expect(JSON.stringify(sentTo(b.requests[0]))).not.toContain("secret");
  expect(sentTo(b.requests[0]).messages).toMatchObject([{}, { content: [{ type: "tool_use", id: "call_1" }] }, {}]);
  expect((await hearStreamed(client, next)).content).toMatchObject([{ text: "It is 30 °C." }]);
  const { input } = sentTo(a.requests[2]) as {
    input: { type: string; encrypted_content?: string; call_id?: string }[];
  };
  expect(input.find(({ type }) => type === "reasoning")).toMatchObject({ encrypted_content: "gAAA-secret" });
  expect(input.filter(({ call_id: id }) => id === "call_1").map(({ type }) => type)).toEqual([
    "function_call",
    "function_call_output",
  ]);
});
