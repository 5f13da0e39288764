import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { bedrock } from "../providers/bedrock.ts";
import { bedrockConverse } from "./codec.ts";
import { Told } from "./told.test-data.ts";

type Event = readonly [name: string, data: unknown];

const start: Event = ["messageStart", { role: "assistant", p: "abc" }];

function delta(contentBlockIndex: number, piece: unknown): Event {
  return ["contentBlockDelta", { contentBlockIndex, delta: piece, p: "ab" }];
}
function stop(contentBlockIndex: number): Event {
  return ["contentBlockStop", { contentBlockIndex }];
}
function call(contentBlockIndex: number, toolUseId: string, name: string): Event {
  return ["contentBlockStart", { contentBlockIndex, start: { toolUse: { toolUseId, name } } }];
}
function end(stopReason: string, more: object = {}): Event {
  return ["messageStop", { stopReason, ...more }];
}
function usage(counts: object): Event {
  return ["metadata", { usage: counts, metrics: { latencyMs: 5 } }];
}
const counts = { inputTokens: 5, outputTokens: 7, totalTokens: 12 };

function hear(events: readonly Event[]): { told: unknown[][]; done: boolean; finished: boolean; taken: boolean[] } {
  const sink = new Told();
  const reader = bedrockConverse.reader(sink, bedrock);
  const taken = events.map(([name, data]) =>
    reader.event(name, typeof data === "string" ? data : JSON.stringify(data)),
  );
  return { told: sink.said, done: reader.done, finished: reader.finished, taken };
}

function readWhole(answer: unknown): unknown[][] {
  const sink = new Told();
  bedrockConverse.readAnswer(Buffer.from(typeof answer === "string" ? answer : JSON.stringify(answer)), bedrock, sink);
  return sink.said;
}

function whole(content: readonly unknown[], stopReason: string, more: object = {}): unknown {
  return {
    output: { message: { role: "assistant", content } },
    stopReason,
    usage: counts,
    metrics: { latencyMs: 1 },
    ...more,
  };
}

const told = { input_tokens: 5, cached_input_tokens: 0, output_tokens: 7, reasoning_tokens: 0, source: "provider" };

describe("a stream of Converse", () => {
  it("is text, its end and its usage", () => {
    const heard = hear([
      start,
      delta(0, { text: "Go " }),
      delta(0, { text: "on." }),
      stop(0),
      end("end_turn"),
      usage(counts),
    ]);
    expect(heard).toEqual({
      told: [
        ["begin", null, null],
        ["text", "Go on."],
        ["finish", "stop", null],
        ["usage", told],
      ],
      done: true,
      finished: true,
      taken: [true, true, true, true, true, true],
    });
  });

  it("is whole when only its usage is missing, and is not without its end", () => {
    expect(hear([start, delta(0, { text: "a" }), stop(0), end("end_turn")])).toMatchObject({
      done: false,
      finished: true,
    });
    expect(hear([start, delta(0, { text: "a" }), stop(0)])).toMatchObject({ done: false, finished: false });
  });

  it("has calls of tools, counted without the other blocks, and one without arguments has an empty object", () => {
    const { told: said } = hear([
      start,
      delta(0, { text: "I look." }),
      stop(0),
      call(1, "tooluse_a", "look"),
      delta(1, { toolUse: { input: '{"at":' } }),
      delta(1, { toolUse: { input: '"x"}' } }),
      stop(1),
      call(2, "tooluse_b", "now"),
      stop(2),
      end("tool_use"),
      usage(counts),
    ]);
    expect(said.slice(1, -1)).toEqual([
      ["text", "I look."],
      ["toolCall", 0, "tooluse_a", "look", null],
      ["toolArguments", '{"at":"x"}', 0],
      ["toolCall", 1, "tooluse_b", "now", null],
      ["toolArguments", "{}", 1],
      ["finish", "tool_calls", null],
    ]);
  });

  it("has thoughts whose signature comes at their end, and redacted ones", () => {
    const { told: said } = hear([
      start,
      delta(0, { reasoningContent: { text: "Let me " } }),
      delta(0, { reasoningContent: { text: "see." } }),
      delta(0, { reasoningContent: { signature: "c2ln" } }),
      delta(0, { reasoningContent: { signature: "bmVk" } }),
      stop(0),
      delta(1, { reasoningContent: { redactedContent: Buffer.from("ab").toString("base64") } }),
      delta(1, { reasoningContent: { redactedContent: Buffer.from("cd").toString("base64") } }),
      stop(1),
      delta(2, { text: "Yes." }),
      stop(2),
      end("end_turn"),
    ]);
    expect(said.slice(1)).toEqual([
      ["thought", "Let me see."],
      ["thoughtOpaque", { dialect: "bedrock-converse", data: "c2lnbmVk" }, false, null],
      [
        "thoughtOpaque",
        {
          dialect: "bedrock-converse",
          data: `tuloy:bedrock-converse::redacted:${Buffer.from("abcd").toString("base64")}`,
        },
        true,
        null,
      ],
      ["text", "Yes."],
      ["finish", "stop", null],
    ]);
  });

  it("tells a thought's signature also where the block's own end does not come", () => {
    const thought = [
      start,
      delta(0, { reasoningContent: { text: "Hm." } }),
      delta(0, { reasoningContent: { signature: "s" } }),
    ];
    const signed = ["thoughtOpaque", { dialect: "bedrock-converse", data: "s" }, false, null];
    expect(hear([...thought, delta(1, { text: "a" })]).told.slice(2, 4)).toEqual([signed, ["text", "a"]]);
    expect(hear([...thought, end("end_turn")]).told.slice(2, 3)).toEqual([signed]);
  });

  it("counts what the cache held and took as input", () => {
    const { told: said } = hear([
      start,
      end("end_turn"),
      usage({ ...counts, cacheReadInputTokens: 100, cacheWriteInputTokens: 20, cacheDetails: [] }),
    ]);
    expect(said.at(-1)).toEqual([
      "usage",
      { ...told, input_tokens: 125, cached_input_tokens: 100, cache_write_tokens: 20 },
    ]);
  });

  it("counts what the cache took for an hour", () => {
    const cacheDetails = [
      { ttl: "1h", inputTokens: 15 },
      { ttl: "5m", inputTokens: 5 },
    ];
    const { told: said } = hear([
      start,
      end("end_turn"),
      usage({ ...counts, cacheWriteInputTokens: 20, cacheDetails }),
    ]);
    expect(said.at(-1)).toEqual([
      "usage",
      { ...told, input_tokens: 25, cache_write_tokens: 20, cache_write_1h_tokens: 15 },
    ]);
  });

  it.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["tool_use", "tool_calls"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["guardrail_intervened", "content_filter"],
    ["content_filtered", "content_filter"],
    ["refusal", "refusal"],
    ["pause_turn", "pause"],
  ])("ends with %s as %s", (stopReason, finish) => {
    expect(hear([start, end(stopReason)]).told.at(-1)).toEqual(["finish", finish, null]);
  });

  it("names the stop sequence where the model said it", () => {
    const stopped = end("stop_sequence", { additionalModelResponseFields: { stop_sequence: "END" } });
    expect(hear([start, stopped]).told.at(-1)).toEqual(["finish", "stop", "END"]);
  });

  it("has ended for a reason nobody knows yet, which is noted", () => {
    expect(hear([start, end("surprise")])).toMatchObject({
      finished: true,
      told: [
        ["begin", null, null],
        ["left", "the stop reason surprise is not known"],
        ["finish", "stop", null],
      ],
    });
  });

  it.each(["malformed_tool_use", "malformed_model_output"])("has failed with %s", (stopReason) => {
    const { told: said, finished } = hear([start, end(stopReason), usage(counts)]);
    expect(said.slice(1)).toEqual([["fail", expect.objectContaining({ class: "garbled", code: stopReason })]]);
    expect(finished).toBe(false);
  });

  it("notes that a guardrail told of itself, and citations, once", () => {
    const { told: said } = hear([
      start,
      delta(0, { citation: { title: "a" } }),
      delta(0, { citation: { title: "b" } }),
      end("guardrail_intervened"),
      ["metadata", { usage: counts, trace: { guardrail: { actionReason: "blocked" } } }],
    ]);
    expect(said.filter(([kind]) => kind === "left")).toEqual([
      ["left", "a citation was left out"],
      ["left", "the guardrail's trace was left out"],
    ]);
  });

  it.each([
    ["throttlingException", { message: "Too many tokens, please wait" }, "rate_limited"],
    ["serviceUnavailableException", { message: "busy" }, "overloaded"],
    ["internalServerException", { message: "oh" }, "server_error"],
    ["modelStreamErrorException", { originalMessage: "gone", originalStatusCode: 500 }, "overloaded"],
    ["modelTimeoutException", { message: "late" }, "server_error"],
    ["validationException", { message: "Input is too long for requested model." }, "context_length"],
    ["validationException", { message: "prompt is too long: 250000 tokens > 200000 maximum" }, "context_length"],
    ["surprisingException", {}, "garbled"],
  ])("fails with %s %j as %s", (type, payload, failureClass) => {
    const { told: said, finished } = hear([start, [`exception ${type}`, payload], delta(0, { text: "never" })]);
    expect(said.slice(1)).toEqual([["fail", expect.objectContaining({ class: failureClass })]]);
    expect(finished).toBe(false);
  });

  it("takes nothing for an event that is none, and goes on", () => {
    const { taken, told: said } = hear([
      ["surprise", {}],
      ["contentBlockDelta", "{half"],
      ["contentBlockDelta", "[]"],
      ["contentBlockDelta", { contentBlockIndex: 0 }],
      delta(0, { text: "a" }),
    ]);
    expect(taken).toEqual([false, false, false, false, true]);
    expect(said.at(-1)).toEqual(["text", "a"]);
  });
});

describe("an answer of Converse", () => {
  it("says what a stream of it says", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 });
    const name = fc.stringMatching(/^[a-z_]{1,12}$/);
    const block = fc.oneof(
      text.map((said) => ({ text: said })),
      fc.record({
        toolUse: fc.record({ toolUseId: name, name, input: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 })) }),
      }),
      text.map((said) => ({ reasoningContent: { reasoningText: { text: said, signature: "c2ln" } } })),
      fc.constant({ reasoningContent: { redactedContent: "cmVk" } }),
    );
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 6 }),
        fc.constantFrom("end_turn", "tool_use", "max_tokens"),
        (content, stopReason) => {
          const events: Event[] = [start];
          for (const [index, one] of content.entries()) {
            if ("text" in one) for (const piece of one.text) events.push(delta(index, { text: piece }));
            else if ("toolUse" in one) {
              events.push(call(index, one.toolUse.toolUseId, one.toolUse.name));
              for (const piece of JSON.stringify(one.toolUse.input))
                events.push(delta(index, { toolUse: { input: piece } }));
            } else if ("reasoningText" in one.reasoningContent) {
              for (const piece of one.reasoningContent.reasoningText.text)
                events.push(delta(index, { reasoningContent: { text: piece } }));
              events.push(delta(index, { reasoningContent: { signature: "c2ln" } }));
            } else events.push(delta(index, { reasoningContent: one.reasoningContent }));
            events.push(stop(index));
          }
          events.push(usage(counts), end(stopReason));
          expect(readWhole(whole(content, stopReason))).toEqual(hear(events).told);
        },
      ),
    );
  });

  it("may cite its sources: what is written stays", () => {
    const cited = { citationsContent: { content: [{ text: "So " }, { text: "it is." }], citations: [{ title: "t" }] } };
    expect(readWhole(whole([cited, { video: {} }], "end_turn")).slice(1, 4)).toEqual([
      ["text", "So it is."],
      ["left", "a citation was left out"],
      ["left", "a block of video was left out"],
    ]);
  });

  it.each([
    ["no JSON", "<html>", "garbled"],
    ["half of it", '{"output":', "garbled"],
    ["no message", { output: {}, usage: counts }, "garbled"],
    ["another dialect", { choices: [] }, "garbled"],
    ["an error", { message: "Too many requests", __type: "x" }, "garbled"],
    ["an error with a name", { __type: "com.amazon#ThrottlingException", message: "slow" }, "rate_limited"],
  ])("that is %s has failed", (_, body, failureClass) => {
    expect(readWhole(body)).toEqual([["fail", expect.objectContaining({ class: failureClass })]]);
  });

  it("by the tool for JSON is its text", () => {
    const input = { city: "Manila", __proto__x: 1 };
    const block = { toolUse: { toolUseId: "a", name: "tuloy_json_answer", input } };
    expect(readWhole(whole([block], "tool_use")).slice(1)).toEqual([
      ["text", JSON.stringify(input)],
      ["usage", told],
      ["finish", "stop", null],
    ]);
    const { told: said } = hear([
      start,
      call(0, "a", "tuloy_json_answer"),
      delta(0, { toolUse: { input: '{"city":' } }),
      delta(0, { toolUse: { input: '"Manila"}' } }),
      stop(0),
      end("tool_use"),
    ]);
    expect(said.slice(1)).toEqual([
      ["text", '{"city":"Manila"}'],
      ["finish", "stop", null],
    ]);
  });
});
