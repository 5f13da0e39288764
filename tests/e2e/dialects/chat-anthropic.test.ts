import { answersMessage } from "@tuloy/testkit";
import type { MessageBlock } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { claude, sentTo } from "../../messages-scene.ts";
import { question, setScene } from "../../scene.ts";

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
