import type Anthropic from "@anthropic-ai/sdk";
import { geminiUsage } from "@tuloy/testkit";
import { expect, test } from "vitest";

import { aiStudio, answersGemini, askedGemini } from "../../gemini-scene.ts";
import { model } from "../../harness.ts";
import { anthropicAt, hearMessage, hearStreamed } from "../../messages-scene.ts";
import { setScene } from "../../scene.ts";

const third = {
  ...aiStudio,
  model: null,
  models: [`${model}: { id: gemini-3-flash, price: { input: 1, output: 2 } }`],
};
const tools: Anthropic.Tool[] = [
  { name: "weather", input_schema: { type: "object", properties: { city: { type: "string" } } } },
];
const signed = { functionCall: { id: "fc-1", name: "weather", args: { city: "Cebu" } }, thoughtSignature: "c2ln" };
const thinking = { type: "enabled" as const, budget_tokens: 2000 };
const usage = geminiUsage(9, 5, 20, 4);

test.each([
  ["whole answers", hearMessage],
  ["streams", hearStreamed],
] as const)("an Anthropic client talks with Gemini and its tools, in %s", async (_, hear) => {
  const { a, gateway } = await setScene(
    {
      a: [
        answersGemini([[{ text: "Hm.", thought: true }], [{ text: "I look." }], [signed]], { usage }),
        answersGemini([[{ text: "It rains." }]], { usage }),
      ],
    },
    { providers: { a: third } },
  );
  const client = anthropicAt(gateway.url);
  const ask: Anthropic.MessageParam = { role: "user", content: "How is the weather in Cebu?" };
  const first = await hear(client, { messages: [ask], tools, thinking, max_tokens: 4000 });
  expect(first.stop_reason).toBe("tool_use");
  expect(first.content.map(({ type }) => type)).toEqual(expect.arrayContaining(["thinking", "text", "tool_use"]));
  expect(first.usage).toMatchObject({ input_tokens: 5, cache_read_input_tokens: 4, output_tokens: 25 });

  const result: Anthropic.MessageParam = {
    role: "user",
    content: [{ type: "tool_result", tool_use_id: "fc-1", content: "rain" }],
  };
  const messages: Anthropic.MessageParam[] = [ask, { role: "assistant", content: first.content }, result];
  await hear(client, { messages, tools, thinking, max_tokens: 4000 });
  const { contents, generationConfig } = askedGemini(a.requests[1]);
  expect(generationConfig).toMatchObject({ thinkingConfig: { thinkingLevel: "LOW" } });
  expect(contents[1]?.parts).toContainEqual(signed);
  expect(contents[2]).toEqual({
    role: "user",
    parts: [{ functionResponse: { id: "fc-1", name: "weather", response: { output: "rain" } } }],
  });
});
