import type { Failure, Usage } from "@tuloy/contract";
import { anthropicError, message, messageEvents, readMessageStream, sse } from "@tuloy/testkit";
import type { MessageBlock, MessageShape } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SentAnswer } from "../completion/sent.ts";
import type { HubFinish, HubSink } from "../hub/answer.ts";
import type { WriteContext } from "../hub/codec.ts";
import type { Opaque } from "../hub/request.ts";
import { SseReader } from "../sse/reader.ts";
import { MessageEvents } from "./hub-events.ts";
import { tellMessage } from "./hub-answer.ts";
import { MessageWriter } from "./write-answer.ts";
import { MessageEventWriter } from "./write-events.ts";

const preset = { markers: [] };

const context: WriteContext = {
  wantsUsage: true,
  makeId: () => "made",
  created: 0,
  reportModel: null,
  model: "its-id",
  request: Buffer.alloc(0),
};

/** Writes down what it is told; neighbouring pieces of one kind become one. */
class Told implements HubSink {
  readonly said: (readonly unknown[])[] = [];
  readonly notes: string[] = [];
  counts: Usage | null = null;
  failure: Failure | null = null;

  #add(kind: string, text: string): void {
    const last = this.said.at(-1);
    if (last?.[0] === kind) this.said.splice(-1, 1, [kind, `${String(last[1])}${text}`]);
    else this.said.push([kind, text]);
  }

  begin = (id: string | null, model: string | null): void => void this.said.push(["begin", id, model]);
  text = (text: string): void => this.#add("text", text);
  thought = (text: string): void => this.#add("thought", text);
  refusal = (text: string): void => this.#add("refusal", text);
  thoughtOpaque = (opaque: Opaque, redacted: boolean, id: string | null): void =>
    void this.said.push(["opaque", opaque, redacted, id]);
  toolCall = (call: number, id: string, name: string, opaque: Opaque | null): void =>
    void this.said.push(["call", call, id, name, opaque]);
  toolArguments = (call: number, json: string): void => this.#add(`arguments of ${call}`, json);
  usage = (usage: Usage): void => void (this.counts = usage);
  finish = (reason: HubFinish, stopSequence: string | null): void =>
    void this.said.push(["finish", reason, stopSequence]);
  fail = (failure: Failure): void => void (this.failure = failure);
  left = (what: string): void => void this.notes.push(what);
}

function ofWhole(answer: unknown): Told {
  const told = new Told();
  tellMessage(Buffer.from(JSON.stringify(answer)), preset, told);
  return told;
}

/** Through the real framing, cut into chunks of the given sizes. */
function ofStream(
  wire: string,
  sizes: readonly number[] = [1_000_000],
): { told: Told; reader: MessageEvents; refused: number } {
  const told = new Told();
  const reader = new MessageEvents(told, preset);
  let refused = 0;
  const framing = new SseReader({
    event: (name, data) => void (refused += reader.event(name, data) ? 0 : 1),
    comment() {},
    filler() {},
    tail() {},
  });
  const bytes = Buffer.from(wire);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    framing.push(bytes.subarray(at, at + size));
    at += size;
  }
  return { told, reader, refused };
}

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

const words = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((text) => text.isWellFormed() && text.trim() !== "");
const blocks: fc.Arbitrary<MessageBlock[]> = fc
  .array(
    fc.oneof(
      words.map((text): MessageBlock => ({ type: "text", text })),
      fc
        .tuple(words, fc.base64String({ minLength: 4 }))
        .map(([thinking, signature]): MessageBlock => ({ type: "thinking", thinking, signature })),
      fc.base64String({ minLength: 4 }).map((data): MessageBlock => ({ type: "redacted_thinking", data })),
      fc
        .tuple(fc.stringMatching(/^toolu_[a-z]{3}$/), fc.dictionary(words, fc.jsonValue()))
        .map(([id, input]): MessageBlock => ({
          type: "tool_use",
          id,
          name: "f",
          input: JSON.parse(JSON.stringify(input)) as unknown,
        })),
    ),
    { maxLength: 5 },
  )
  // Two neighbouring texts are one, to everybody but Anthropic.
  .map((all) => all.filter((block, at) => !(block.type === "text" && all[at - 1]?.type === "text")));

const shapes: fc.Arbitrary<MessageShape> = fc.record({
  usage: fc.record({
    input: fc.nat(999),
    output: fc.nat(999),
    read: fc.nat(99),
    written: fc.nat(99),
    thinking: fc.integer({ min: 1, max: 99 }),
  }),
  stopReason: fc.constantFrom("end_turn", "max_tokens", "tool_use", "refusal", "pause_turn"),
});

/** Not by an expression: to one, a line also ends at U+2028, which JSON may hold. */
const dataOf = (event: string): string =>
  event
    .split("\n")
    .find((line) => line.startsWith("data: "))
    ?.slice(6) ?? "";

describe("laws of answers", () => {
  it("a stream tells the same as the whole answer, in whatever chunks it comes", () => {
    fc.assert(
      fc.property(
        blocks,
        shapes,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        (content, shape, sizes) => {
          const whole = ofWhole(message(content, shape));
          const { told } = ofStream(messageEvents(content, shape).join(""), sizes);
          expect([told.said, told.counts]).toEqual([whole.said, whole.counts]);
        },
      ),
    );
  });

  it("an answer written again is the same answer, whole and as a stream", () => {
    fc.assert(
      fc.property(blocks, shapes, (content, shape) => {
        const bytes = Buffer.from(JSON.stringify(message(content, shape)));
        const writer = new MessageWriter(context);
        tellMessage(bytes, preset, writer);
        const again = JSON.parse(writer.toBody().toString()) as Record<string, unknown>;
        const { usage, ...original } = message(content, shape);
        expect(again).toMatchObject({ ...original, content: content.map((block) => ({ ...block })) });
        const { cache_creation: _split, service_tier: _tier, ...known } = usage as Record<string, unknown>;
        expect(again.usage).toEqual(known);

        const events = new MessageEventWriter(context, null);
        tellMessage(bytes, preset, events);
        const stream = readMessageStream(Buffer.concat([...events.take(), events.end()]));
        expect(stream.problems).toEqual([]);
        expect({ ...stream.message, content: stream.content.map(bare) }).toEqual({
          ...again,
          content: content.map(bare),
        });
        expect(stream.stops).toBe(1);
      }),
    );
  });

  it("a stream written event by event is the stream that was read", () => {
    fc.assert(
      fc.property(blocks, shapes, (content, shape) => {
        const writer = new MessageEventWriter(context, null);
        const reader = new MessageEvents(writer, preset);
        const out: Buffer[] = [];
        for (const event of messageEvents(content, shape)) {
          reader.event("", dataOf(event));
          out.push(...writer.take());
        }
        const stream = readMessageStream(Buffer.concat([...out, writer.end()]));
        expect(stream.problems).toEqual([]);
        expect(stream.content.map(bare)).toEqual(content.map(bare));
      }),
    );
  });
});

/** A block without what only Anthropic's own texts have. */
function bare(block: object): object {
  const { citations: _citations, ...rest } = block as Record<string, unknown>;
  return rest;
}

describe("an answer of another provider, written for Anthropic's clients", () => {
  const telling = (sink: HubSink): void => {
    sink.begin("chatcmpl-1", "gpt-4.1");
    sink.thought("so ");
    sink.thought("so");
    sink.text("Hello");
    sink.toolCall(0, "", "f", { dialect: "gemini", data: "sig" });
    sink.toolArguments(0, '{"a":');
    sink.toolArguments(0, "1}");
    sink.finish("tool_calls", null);
    sink.usage({ input_tokens: 9, cached_input_tokens: 4, output_tokens: 5, reasoning_tokens: 0, source: "provider" });
  };
  const expected = {
    id: "chatcmpl-1",
    type: "message",
    role: "assistant",
    model: "gpt-4.1",
    content: [
      { type: "thinking", thinking: "so so", signature: "tuloy:" },
      { type: "text", text: "Hello" },
      { type: "redacted_thinking", data: "tuloy:call:tuloy:gemini::sig" },
      { type: "tool_use", id: "made", name: "f", input: { a: 1 } },
    ],
    stop_reason: "tool_use",
    stop_sequence: null,
    usage: { input_tokens: 5, cache_read_input_tokens: 4, cache_creation_input_tokens: 0, output_tokens: 5 },
  };

  it("is a whole message", () => {
    const writer = new MessageWriter(context);
    telling(writer);
    const body = JSON.parse(writer.toBody().toString()) as { content: object[] };
    expect({ ...body, content: body.content.map(bare) }).toEqual(expected);
  });

  it("is a stream with its counts at the end", () => {
    const writer = new MessageEventWriter(context, null);
    telling(writer);
    const stream = readMessageStream(Buffer.concat([...writer.take(), writer.end()]));
    expect([stream.problems, { ...stream.message, content: stream.content }]).toEqual([[], expected]);
  });

  it("names the model as the gateway is told to", () => {
    const writer = new MessageEventWriter({ ...context, reportModel: "model-x" }, null);
    telling(writer);
    expect(readMessageStream(Buffer.concat([...writer.take(), writer.end()])).message?.model).toBe("model-x");
  });

  it("shows what is no JSON object where a client will see it", () => {
    const writer = new MessageWriter(context);
    writer.toolCall(0, "t", "f", null);
    writer.toolArguments(0, "[1,");
    writer.finish("tool_calls", null);
    expect(JSON.parse(writer.toBody().toString())).toMatchObject({ content: [{ input: { arguments: "[1," } }] });
  });

  it("goes on in the block that is open", () => {
    const sent = new SentAnswer();
    sent.add(0, "reasoning", "hm");
    sent.add(0, "the name of call 0", "f");
    sent.add(0, "the arguments of call 0", "{}");
    sent.add(0, "text", "Hello");
    const writer = new MessageEventWriter(context, sent);
    writer.begin("other", "other");
    writer.text(" there");
    writer.finish("stop", null);
    const events = Buffer.concat([...writer.take()]).toString();
    expect(events).toBe(
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":" there"}}\n\n' +
        'event: content_block_stop\ndata: {"type":"content_block_stop","index":2}\n\n',
    );
  });
});
