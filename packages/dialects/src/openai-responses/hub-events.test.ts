import { describe, expect, it } from "vitest";

import { openai } from "../providers/openai.ts";
import { Listener, noMarkers, type Told } from "./fixtures.test-data.ts";
import { readAnswer } from "./hub-answer.ts";
import { ResponsesEventReader } from "./hub-events.ts";

/** What a stream of these events tells. */
function told(...events: readonly (Record<string, unknown> | string)[]): {
  told: Told[];
  done: boolean;
  finished: boolean;
} {
  const listener = new Listener();
  const reader = new ResponsesEventReader(listener, openai);
  for (const event of events) {
    if (typeof event === "string") reader.event("", event);
    else reader.event((event.type as string | undefined) ?? "", JSON.stringify(event));
  }
  return { told: listener.told, done: reader.done, finished: reader.finished };
}

const created = {
  type: "response.created",
  response: { id: "resp_1", model: "gpt", status: "in_progress", output: [] },
};
const completed = {
  type: "response.completed",
  response: {
    id: "resp_1",
    status: "completed",
    usage: { input_tokens: 3, output_tokens: 2, input_tokens_details: { cached_tokens: 1 } },
  },
};
const usage = [
  "usage",
  { input_tokens: 3, cached_input_tokens: 1, output_tokens: 2, reasoning_tokens: 0, source: "provider" },
];

describe("a streamed response", () => {
  it("is told piece by piece, and its repetitions are not", () => {
    const item = { id: "msg_1", type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello" }] };
    expect(
      told(
        created,
        { type: "response.in_progress", response: created.response },
        { type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } },
        { type: "response.output_text.delta", output_index: 0, item_id: "msg_1", content_index: 0, delta: "Hel" },
        { type: "response.output_text.delta", output_index: 0, item_id: "msg_1", content_index: 0, delta: "lo" },
        { type: "response.output_text.done", output_index: 0, item_id: "msg_1", content_index: 0, text: "Hello" },
        { type: "response.output_item.done", output_index: 0, item },
        completed,
      ),
    ).toEqual({
      told: [["begin", "resp_1", "gpt"], ["text", "Hello"], usage, ["finish", "stop"]],
      done: true,
      finished: true,
    });
  });

  it("tells calls in their order, whatever their places are", () => {
    const call = (index: number, id: string): Record<string, unknown> => ({
      type: "response.output_item.added",
      output_index: index,
      item: { id: `fc_${index}`, type: "function_call", call_id: id, name: "f", arguments: "" },
    });
    const args = (index: number, delta: string): Record<string, unknown> => ({
      type: "response.function_call_arguments.delta",
      output_index: index,
      item_id: `fc_${index}`,
      delta,
    });
    expect(
      told(created, call(1, "a"), call(2, "b"), args(2, "{}"), args(1, '{"x":'), args(1, "1}"), completed).told,
    ).toEqual([
      ["begin", "resp_1", "gpt"],
      ["call", 0, "a", "f", null],
      ["call", 1, "b", "f", null],
      ["arguments", 1, "{}"],
      ["arguments", 0, '{"x":1}'],
      usage,
      ["finish", "tool_calls"],
    ]);
  });

  it("puts the parts of a summary into one text, and gives what is encrypted at the end", () => {
    const part = (index: number): Record<string, unknown> => ({
      type: "response.reasoning_summary_part.added",
      output_index: 0,
      summary_index: index,
    });
    const delta = (index: number, text: string): Record<string, unknown> => ({
      type: "response.reasoning_summary_text.delta",
      output_index: 0,
      summary_index: index,
      delta: text,
    });
    const item = { id: "rs_1", type: "reasoning", summary: [] };
    expect(
      told(
        created,
        { type: "response.output_item.added", output_index: 0, item },
        part(0),
        delta(0, "First."),
        part(1),
        delta(1, "Second."),
        { type: "response.output_item.done", output_index: 0, item: { ...item, encrypted_content: "gAAA" } },
      ).told.slice(1),
    ).toEqual([
      ["thought", "First.\n\nSecond."],
      ["opaque", { dialect: "openai-responses", data: "gAAA" }, false],
    ]);
  });

  it("reads items that come whole, from servers that send no pieces", () => {
    const done = (index: number, item: Record<string, unknown>): Record<string, unknown> => ({
      type: "response.output_item.done",
      output_index: index,
      item,
    });
    expect(
      told(
        created,
        done(0, { type: "reasoning", id: "r", summary: [{ text: "A" }, { text: "B" }] }),
        done(1, {
          type: "message",
          content: [
            { type: "output_text", text: "Hi" },
            { type: "refusal", refusal: "No" },
          ],
        }),
        done(2, { type: "function_call", call_id: "c", name: "f", arguments: "{}" }),
      ).told.slice(1),
    ).toEqual([
      ["thought", "A\n\nB"],
      ["text", "Hi"],
      ["refusal", "No"],
      ["call", 0, "c", "f", null],
      ["arguments", 0, "{}"],
    ]);
  });

  it.each([
    ["max_output_tokens", "length"],
    ["content_filter", "content_filter"],
  ] as const)("ends as %s", (reason, finish) => {
    const response = { status: "incomplete", incomplete_details: { reason } };
    expect(told(created, { type: "response.incomplete", response }).told.at(-1)).toEqual(["finish", finish]);
  });

  it.each([
    [{ type: "error", code: "rate_limit_exceeded", message: "slow", param: null }, "rate_limited"],
    [{ type: "error", error: { code: "server_is_overloaded", message: "busy" } }, "overloaded"],
    [
      { type: "response.failed", response: { status: "failed", error: { code: "server_error", message: "x" } } },
      "server_error",
    ],
    [{ type: "response.failed", response: { error: { code: "rate_limit_exceeded", message: "x" } } }, "rate_limited"],
    [{ type: "response.failed", response: { error: { code: "invalid_prompt", message: "x" } } }, "content_filter"],
    [{ type: "response.failed", response: { error: { code: "invalid_image_url", message: "x" } } }, "invalid_request"],
    [{ type: "response.failed", response: {} }, "garbled"],
    [{ type: "response.cancelled", response: {} }, "garbled"],
    [{ error: { message: "no type at all", code: "server_error" } }, "server_error"],
  ])("fails by %j", (event, failureClass) => {
    const { told: all, done, finished } = told(created, event);
    expect(all.at(-1)).toMatchObject(["fail", { class: failureClass }]);
    expect([done, finished]).toEqual([true, false]);
  });

  it("goes on after events that it does not know, and says which are none", () => {
    const listener = new Listener();
    const reader = new ResponsesEventReader(listener, noMarkers);
    expect(reader.event("response.new_thing", '{"type":"response.new_thing"}')).toBe(true);
    expect(reader.event("", "[DONE]")).toBe(true);
    expect(reader.event("", "{half")).toBe(false);
    expect(reader.event("", '{"choices":[]}')).toBe(false);
    expect(reader.event("", '"text"')).toBe(false);
    expect(listener.told).toEqual([]);
  });

  it("takes names as `__proto__` for data", () => {
    const item =
      '{"type":"function_call","call_id":"__proto__","name":"constructor","arguments":"{\\"__proto__\\":1}"}';
    const listener = new Listener();
    readAnswer(
      Buffer.from(`{"output":[${item}],"status":"completed","__proto__":{"status":"failed"}}`),
      noMarkers,
      listener,
    );
    expect(listener.told.slice(1)).toEqual([
      ["call", 0, "__proto__", "constructor", null],
      ["arguments", 0, '{"__proto__":1}'],
      ["finish", "tool_calls"],
    ]);
  });
});

describe("a whole response", () => {
  it("that is none is garbled", () => {
    for (const body of ["", "{}", "[]", "<html>", '{"choices":[]}', '{"output":[],"status":"in_progress"}']) {
      const listener = new Listener();
      readAnswer(Buffer.from(body), noMarkers, listener);
      expect(listener.told).toMatchObject([["fail", { class: "garbled" }]]);
    }
  });

  it("says which of its items have no place elsewhere", () => {
    const listener = new Listener();
    const message = {
      type: "message",
      content: [{ type: "output_text", text: "Hi", annotations: [{ type: "url_citation" }] }],
    };
    const output = [{ type: "web_search_call", id: "ws_1" }, message];
    readAnswer(Buffer.from(JSON.stringify({ output, status: "completed" })), noMarkers, listener);
    expect(listener.told.slice(1)).toEqual([
      ["left", "an item of the type web_search_call"],
      ["text", "Hi"],
      ["left", "citations"],
      ["finish", "stop"],
    ]);
  });
});
