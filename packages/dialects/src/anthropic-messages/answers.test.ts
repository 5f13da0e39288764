import { anthropicError, message, messageEvents, sse } from "@tuloy/testkit";
import type { MessageBlock, MessageShape } from "@tuloy/testkit";
import { describe, expect, it } from "vitest";

import { ofStream, ofWhole } from "./told.test-data.ts";
import { readUsage, writeUsage } from "./usage.ts";

const everything: readonly MessageBlock[] = [
  { type: "thinking", thinking: "What is asked? The weather.", signature: "EqQBCg==" },
  { type: "redacted_thinking", data: "EmwKAh" },
  { type: "text", text: "I look it up. " },
  { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Maynilà", days: [1, 2] } },
  { type: "tool_use", id: "toolu_2", name: "time", input: {} },
];

const counts: MessageShape = { usage: { input: 10, output: 50, read: 100, written: 20, thinking: 30 } };

describe("an answer of Anthropic's", () => {
  const whole = [
    ["begin", "msg_01", "model-x"],
    ["thought", "What is asked? The weather."],
    ["opaque", { dialect: "anthropic-messages", data: "EqQBCg==" }, false, null],
    ["opaque", { dialect: "anthropic-messages", data: "EmwKAh" }, true, null],
    ["text", "I look it up. "],
    ["call", 0, "toolu_1", "weather", null],
    ["arguments of 0", '{"city":"Maynilà","days":[1,2]}'],
    ["call", 1, "toolu_2", "time", null],
    ["arguments of 1", "{}"],
    ["finish", "tool_calls", null],
  ];
  const usage = {
    input_tokens: 130,
    cached_input_tokens: 100,
    cache_write_tokens: 20,
    output_tokens: 50,
    reasoning_tokens: 30,
    source: "provider",
  };

  it("is told whole", () => {
    const told = ofWhole(message(everything, counts));
    expect([told.said, told.counts]).toEqual([whole, usage]);
  });

  it("says what was written for an hour, and is read with it", () => {
    const told = { ...usage, cache_write_1h_tokens: 15 } as const;
    expect(writeUsage({ ...told, source: "provider" })).toMatchObject({
      cache_creation_input_tokens: 20,
      cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 15 },
    });
    expect(readUsage(writeUsage({ ...told, source: "provider" }))).toEqual(told);
  });

  it("is told the same as a stream", () => {
    const { told, reader, refused } = ofStream(messageEvents(everything, counts).join(""));
    expect([told.said, told.counts]).toEqual([whole, usage]);
    expect([reader.done, reader.finished, refused]).toEqual([true, true, 0]);
  });

  it.each([
    ["end_turn", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["pause_turn", "pause"],
    ["refusal", "refusal"],
    ["something_new", "stop"],
  ])("that stopped by %s has finished by %s", (stopReason, finish) => {
    const blocks = [{ type: "text", text: "x" }] as const;
    expect(ofWhole(message(blocks, { stopReason })).said.at(-1)).toEqual(["finish", finish, null]);
    expect(ofStream(messageEvents(blocks, { stopReason }).join("")).told.said.at(-1)).toEqual(["finish", finish, null]);
  });

  it("names the stop sequence", () => {
    const shape = { stopReason: "stop_sequence", stopSequence: "END" };
    expect(ofStream(messageEvents([{ type: "text", text: "x" }], shape).join("")).told.said.at(-1)).toEqual([
      "finish",
      "stop",
      "END",
    ]);
  });

  it("says why the model declined", () => {
    const shape = { stopReason: "refusal", stopDetails: { type: "refusal", category: "bio", explanation: "No." } };
    for (const told of [ofWhole(message([], shape)), ofStream(messageEvents([], shape).join("")).told]) {
      expect(told.said).toEqual([
        ["begin", "msg_01", "model-x"],
        ["refusal", "No."],
        ["finish", "refusal", null],
      ]);
    }
  });

  it("is text where a call stood in for JSON by a schema", () => {
    const blocks = [{ type: "tool_use", id: "t", name: "tuloy_json_answer", input: { a: 1 } }] as const;
    const expected = [
      ["begin", "msg_01", "model-x"],
      ["text", '{"a":1}'],
      ["finish", "stop", null],
    ];
    expect(ofWhole(message(blocks)).said).toEqual(expected);
    expect(ofStream(messageEvents(blocks).join("")).told.said).toEqual(expected);
  });

  it("keeps the input that came whole with a block's beginning", () => {
    const start = {
      type: "content_block_start",
      index: 0,
      content_block: { type: "tool_use", id: "t", name: "f", input: { a: 1 } },
    };
    const { told } = ofStream(sse(start, "content_block_start") + sse({ type: "content_block_stop", index: 0 }));
    expect(told.said).toEqual([
      ["begin", null, null],
      ["call", 0, "t", "f", null],
      ["arguments of 0", '{"a":1}'],
    ]);
  });

  it("is noted for what is left out of it", () => {
    const cited = { type: "text", text: "x", citations: [{ type: "page_location" }] };
    const searched = { type: "server_tool_use", id: "s", name: "web_search", input: {} };
    const told = ofWhole({ ...message([]), content: [cited, searched] });
    expect(told.notes).toEqual(["citations were left out", "a block of type server_tool_use was left out"]);
  });

  it.each([
    ["an error object", anthropicError("overloaded_error", "Overloaded"), "overloaded"],
    ["a limit that passes", anthropicError("rate_limit_error", "slow"), "rate_limited"],
    ["another dialect's answer", { choices: [] }, "garbled"],
  ])("is a failure when it is %s", (_what, body, expected) => {
    expect(ofWhole(body).failure?.class).toBe(expected);
  });

  it("fails by an error event, by its name or its type, and tells nothing after it", () => {
    const [start = "", , ...rest] = messageEvents([{ type: "text", text: "a b c" }]);
    const error = anthropicError("overloaded_error", "Overloaded");
    for (const event of [sse(error, "error"), sse(error)]) {
      const { told, reader } = ofStream(start + rest.slice(0, 2).join("") + event + rest.slice(2).join(""));
      expect([told.failure?.class, told.said.at(-1), reader.done]).toEqual(["overloaded", ["text", "a"], false]);
    }
  });

  it("skips what is none of its events, and goes on", () => {
    const events = messageEvents([{ type: "text", text: "a b" }]);
    events.splice(3, 0, "data: {broken\n\n", sse({ type: "new_event", x: 1 }, "new_event"), sse({ no: "type" }));
    const { told, refused } = ofStream(events.join(""));
    expect([refused, told.said.at(-2), told.failure]).toEqual([2, ["text", "a b"], null]);
  });

  it("is unfinished without a stop reason", () => {
    const { reader } = ofStream(messageEvents([{ type: "text", text: "a" }], { stopReason: null }).join(""));
    expect([reader.done, reader.finished]).toEqual([false, false]);
  });
});
