import { describe, expect, it } from "vitest";

import { Listener, type Telling } from "../hub/hub.test-data.ts";
import { openai } from "../providers/openai.ts";
import { ChatEventReader } from "./hub-events.ts";

function told(...deltas: readonly (readonly [delta: object, finish?: string | null])[]): readonly Telling[] {
  const listener = new Listener();
  const reader = new ChatEventReader(listener, openai);
  for (const [delta, finish = null] of deltas) {
    reader.event("", JSON.stringify({ id: "i", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] }));
  }
  return listener.tellings.slice(1);
}

const calls = (...pieces: readonly object[]): readonly [object] => [{ tool_calls: pieces }];

describe("chunks of a chat stream, told to the hub,", () => {
  it("begin once", () => {
    const listener = new Listener();
    const reader = new ChatEventReader(listener, openai);
    for (let i = 0; i < 2; i++) reader.event("", '{"id":"i","model":"m","choices":[]}');
    expect(listener.tellings).toEqual([["begin", "i", "m"]]);
  });

  it("are reasoning under each of its names, once where a server uses both", () => {
    expect(
      told([{ reasoning_content: "a" }], [{ reasoning: "b" }], [{ reasoning_content: "c", reasoning: "c" }]),
    ).toEqual([["thought", "abc"]]);
    expect(told([{ content: "x", reasoning: null }], [{ content: null, reasoning_content: "y" }])).toEqual([
      ["text", "x"],
      ["thought", "y"],
    ]);
  });

  it("do not lose a signature of reasoning in silence", () => {
    const detail = { type: "reasoning.text", format: "anthropic-claude-v1", index: 0 };
    expect(
      told(
        [{ content: "", reasoning: "Hm", reasoning_details: [{ ...detail, text: "Hm" }] }],
        [{ content: "", reasoning_details: [{ ...detail, signature: "sig" }] }],
      ),
    ).toEqual([
      ["thought", "Hm"],
      ["thoughtOpaque", { dialect: "anthropic-messages", data: "sig" }, false, null],
    ]);
    const [text, ...rest] = told([
      { content: "Hi", reasoning_details: [{ ...detail, format: "unheard-of-v1", signature: "sig" }] },
    ]);
    expect([text, rest]).toEqual([
      ["text", "Hi"],
      [["left", "what the provider wants back of its reasoning was left out"]],
    ]);
  });

  it("are text and reasoning in Mistral's parts", () => {
    const parts = [
      { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
      { type: "text", text: "Hi" },
    ];
    expect(told([{ content: parts }])).toEqual([
      ["thought", "hm"],
      ["text", "Hi"],
    ]);
  });

  it("are calls with rising numbers, however a server counts them", () => {
    const whole = (id: string, name: string): object => ({ index: 0, id, function: { name, arguments: "{}" } });
    expect(told(calls(whole("a", "f")), calls(whole("b", "g")))).toEqual([
      ["toolCall", 0, "a", "f", null],
      ["toolArguments", 0, "{}"],
      ["toolCall", 1, "b", "g", null],
      ["toolArguments", 1, "{}"],
    ]);
    expect(
      told(
        calls({ index: 3, id: "a", function: { name: "f" } }, { index: 5, id: "b", function: { name: "g" } }),
        calls({ index: 3, function: { arguments: "{" } }, { index: 3, id: "a", function: { arguments: "}" } }),
      ),
    ).toEqual([
      ["toolCall", 0, "a", "f", null],
      ["toolCall", 1, "b", "g", null],
      ["toolArguments", 0, "{}"],
    ]);
  });

  it("bring a call's proof along", () => {
    const proof = { google: { thought_signature: "s" } };
    expect(told(calls({ index: 0, id: "a", function: { name: "f" }, extra_content: proof }))).toEqual([
      ["toolCall", 0, "a", "f", { dialect: "gemini", data: "s" }],
    ]);
  });

  it.each([
    [[[{ content: "x" }, "stop"]], "stop"],
    [[[{ content: "x" }, "model_length"]], "length"],
    [[[{ content: "x" }, "eos"]], "stop"],
    [
      [
        [{ refusal: "no" }, null],
        [{}, "stop"],
      ],
      "refusal",
    ],
    [[calls({ index: 0, id: "a", function: { name: "f" } }), [{}, "stop"]], "tool_calls"],
  ] as [readonly (readonly [object, string | null])[], string][])("end as the hub names it: %j", (deltas, finish) => {
    expect(told(...deltas).at(-1)).toEqual(["finish", finish, null]);
  });

  it("fail where their end says so", () => {
    expect(told([{ content: "x" }, "insufficient_system_resource"]).at(-1)).toMatchObject([
      "fail",
      { class: "overloaded" },
    ]);
  });

  it("leave out what has no place, and say so", () => {
    expect(
      told([{ audio: { data: "x" } }], [{ function_call: { name: "f" } }], calls({ index: 0, type: "custom" })),
    ).toEqual([
      ["left", "speech in the answer was left out"],
      ["left", "a call in the old form was left out"],
      ["left", "a call that is no function's was left out"],
    ]);
  });

  it("are only those of the first choice", () => {
    const listener = new Listener();
    const reader = new ChatEventReader(listener, openai);
    reader.event("", '{"choices":[{"index":1,"delta":{"content":"other"},"finish_reason":"stop"}]}');
    expect(listener.tellings).toEqual([["begin", null, null]]);
    expect(reader.finished).toBe(false);
  });
});
