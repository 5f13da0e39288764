import { converseAnswer, geminiResponse, geminiUsage, message, responseObject } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { writeMessage } from "../bedrock-converse/write-event.ts";
import { anthropicMessages } from "../anthropic-messages/dialect.ts";
import { openaiChat } from "../openai-chat/dialect.ts";
import { openaiResponses } from "../openai-responses/dialect.ts";
import type { StreamWatch, WatchOptions } from "../stream-watch.ts";
import { clientCodec, upstreamCodec } from "./codecs.ts";
import { hostile, valuesIn } from "./hostile.test-data.ts";
import { Listener, writeContext } from "./hub.test-data.ts";
import { Told } from "./told.ts";
import { clients, type Client } from "./views.test-data.ts";
import { TranslatedReading } from "./reading.ts";
import { TranslatedWatch } from "./watch.ts";
import { canSay, upstreams, wireOf, type Part, type Upstream } from "./wires.test-data.ts";

interface Event {
  readonly name: string;
  readonly data: string;
}

const everything: readonly Part[] = [
  { kind: "thought", text: "Well.", signed: true },
  { kind: "hidden" },
  { kind: "text", text: "Hello." },
  { kind: "refusal", text: "No." },
  { kind: "call", name: "f", json: '{"a":1}' },
  { kind: "call", name: "g", json: "{}" },
];

/** The events of a good stream, as a reader gets them. */
function eventsOf(dialect: Upstream): readonly Event[] {
  const events: Event[] = [];
  const sink = { event: (name: string, data: string) => void events.push({ name, data }) };
  const wire = wireOf(
    dialect,
    everything.filter((part) => canSay(dialect, part)),
    {
      id: "a",
      size: 3,
      mixed: true,
      limited: false,
    },
  );
  const decoder = upstreamCodec(dialect)?.decoder?.(sink);
  for (const bytes of wire) {
    if (decoder !== undefined) decoder.push(bytes);
    else {
      const lines = bytes.toString().split("\n");
      const line = (field: string): string =>
        lines.find((one) => one.startsWith(`${field}: `))?.slice(field.length + 2) ?? "";
      sink.event(line("event"), line("data"));
    }
  }
  return events;
}
const recorded = new Map(upstreams.map((dialect) => [dialect, eventsOf(dialect)]));

type Change = (events: readonly Event[]) => readonly Event[];
const at = fc.nat();
const change: fc.Arbitrary<Change> = fc.oneof(
  // A value, or a member's name, is something else.
  fc.tuple(at, at, hostile).map(
    ([which, where, value]): Change =>
      (events) =>
        events.map((event, index) => {
          if (index !== which % events.length) return event;
          const values = valuesIn(event.data);
          const [start = 0, end = 0] = values[where % Math.max(1, values.length)] ?? [];
          const isName = event.data[end] === ":";
          return {
            ...event,
            data: event.data.slice(0, start) + (isName ? '"__proto__"' : value) + event.data.slice(end),
          };
        }),
  ),
  // An object stands for a whole one.
  fc.tuple(at, hostile).map(
    ([which, value]): Change =>
      (events) =>
        events.map((event, index) => (index === which % events.length ? { ...event, data: value } : event)),
  ),
  // One is missing, comes twice, comes late, is cut, or has another name.
  at.map(
    (which): Change =>
      (events) =>
        events.filter((_, index) => index !== which % events.length),
  ),
  fc.tuple(at, at).map(([which, where]): Change => (events) => {
    const event = events[which % Math.max(1, events.length)];
    return event === undefined ? events : events.toSpliced(where % (events.length + 1), 0, event);
  }),
  fc.tuple(at, at).map(
    ([which, length]): Change =>
      (events) =>
        events.map((event, index) =>
          index === which % events.length ? { ...event, data: event.data.slice(0, length % event.data.length) } : event,
        ),
  ),
  fc.tuple(at, fc.constantFrom("error", "__proto__", "contentBlockDelta", "exception x", "")).map(
    ([which, name]): Change =>
      (events) =>
        events.map((event, index) => (index === which % events.length ? { ...event, name } : event)),
  ),
);
const changes = fc.array(change, { minLength: 1, maxLength: 4 });
const spoiled = (dialect: Upstream, all: readonly Change[]): readonly Event[] =>
  all.reduce((events, one) => (events.length === 0 ? events : one(events)), recorded.get(dialect) ?? []);

function wireBytes(dialect: Upstream, events: readonly Event[]): Buffer {
  const headers = (name: string): Record<string, string> => ({ ":event-type": name, ":message-type": "event" });
  return Buffer.concat(
    events.map(({ name, data }) =>
      dialect === "bedrock-converse"
        ? writeMessage(headers(name), data)
        : Buffer.from(`${name === "" ? "" : `event: ${name}\n`}data: ${data.replaceAll("\n", " ")}\n\n`),
    ),
  );
}

const dialects = {
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  "anthropic-messages": anthropicMessages,
};

function watchesOf(dialect: Upstream): StreamWatch[] {
  const contentType = dialect === "bedrock-converse" ? "application/vnd.amazon.eventstream" : "text/event-stream";
  const options: WatchOptions = { wantsUsage: true, choices: 1, preset: { markers: [] }, contentType, keep: true };
  const codec = upstreamCodec(dialect);
  const translated = clients.map((to): StreamWatch => {
    const client = clientCodec(to);
    if (codec === null || client === null) throw new Error("there is no such codec");
    return new TranslatedWatch(options, {
      upstream: codec,
      client,
      context: writeContext(),
      heartbeat: Buffer.alloc(0),
    });
  });
  const isClient = (one: Upstream): one is Client => one in dialects;
  return isClient(dialect) ? [...translated, dialects[dialect].watch(options)] : translated;
}

describe("a stream that is spoiled", () => {
  it.each(upstreams)("is read on or failed, never thrown over: %s", (dialect) => {
    fc.assert(
      fc.property(changes, (all) => {
        const events = spoiled(dialect, all);
        const listener = new Listener();
        const told = new Told(listener);
        const reader = upstreamCodec(dialect)?.reader(told, { markers: [] });
        for (const { name, data } of events) reader?.event(name, data);
        const calls = listener.tellings.filter(([what]) => what === "toolCall");
        // However a provider counts, calls are counted without gaps.
        expect(calls.map(([, call]) => call)).toEqual(calls.map((_, index) => index));
        expect(listener.tellings.length).toBeLessThanOrEqual(20 * events.length + 20);
      }),
      { numRuns: 500 },
    );
  });

  it.each(upstreams)("ends whole or failed for every client: %s", (dialect) => {
    fc.assert(
      fc.property(changes, fc.integer({ min: 100, max: 3000 }), (all, size) => {
        const bytes = wireBytes(dialect, spoiled(dialect, all));
        for (const watch of watchesOf(dialect)) {
          let written = 0;
          for (let from = 0; from < bytes.length; from += size) {
            watch.push(bytes.subarray(from, from + size));
            for (const chunk of watch.forward) written += chunk.length;
          }
          const end = watch.end();
          expect(end.ok || end.failure.reason.length < 1000).toBe(true);
          // As long as what came, or a few times as long in a dialect that says everything twice.
          expect(written).toBeLessThanOrEqual(40 * bytes.length + 20_000);
          expect(watch.notes.length).toBeLessThanOrEqual(20);
        }
      }),
      { numRuns: 100 },
    );
  });
});

const answers: Readonly<Record<Upstream, object>> = {
  "openai-chat": {
    id: "i",
    model: "m",
    choices: [
      {
        index: 0,
        message: {
          content: "x",
          refusal: "no",
          reasoning_details: [{ type: "reasoning.text", text: "t", signature: "s", format: "anthropic-claude-v1" }],
          tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        finish_reason: "stop",
      },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 1 } },
  },
  "openai-responses": responseObject([
    { reasoning: "t", encrypted: "s" },
    { text: "x" },
    { refusal: "no" },
    { call: "f", callId: "c", arguments: "{}" },
  ]),
  "anthropic-messages": message([
    { type: "thinking", thinking: "t", signature: "s" },
    { type: "redacted_thinking", data: "d" },
    { type: "text", text: "x" },
    { type: "tool_use", id: "c", name: "f", input: { a: 1 } },
  ]),
  gemini: geminiResponse(
    [
      { text: "t", thought: true, thoughtSignature: "s" },
      { text: "x" },
      { functionCall: { name: "f", args: { a: 1 } } },
    ],
    { usage: geminiUsage(1, 2, 3, 1) },
  ),
  "bedrock-converse": converseAnswer([
    { reasoningContent: { reasoningText: { text: "t", signature: "s" } } },
    { reasoningContent: { redactedContent: "ZA==" } },
    { text: "x" },
    { toolUse: { toolUseId: "c", name: "f", input: { a: 1 } } },
  ]),
};

it.each(upstreams)("a whole answer that is spoiled is an answer or a failure for every client: %s", (dialect) => {
  const codec = upstreamCodec(dialect);
  fc.assert(
    fc.property(changes, (all) => {
      const spoilt = all.reduce((events, one) => (events.length === 0 ? events : one(events)), [
        { name: "", data: JSON.stringify(answers[dialect]) },
      ] as readonly Event[]);
      for (const to of clients) {
        const client = clientCodec(to);
        if (codec === null || client === null) throw new Error("a dialect has no codec");
        const reading = new TranslatedReading({
          upstream: codec,
          client,
          context: writeContext(),
          heartbeat: Buffer.alloc(0),
        });
        const answer = reading.readAnswer(Buffer.from(spoilt[0]?.data ?? ""), { markers: [] });
        expect(typeof (answer.ok ? JSON.parse(answer.body?.toString() ?? "") : answer.failure)).toBe("object");
      }
    }),
    { numRuns: 1000 },
  );
});

describe("an index that is no index", () => {
  const huge = 1e9;
  const chat = (delta: object, index: unknown = 0): Event => ({
    name: "",
    data: JSON.stringify({ id: "i", model: "m", choices: [{ index, delta, finish_reason: null }] }),
  });
  const made = (index: unknown): object => ({
    tool_calls: [{ index, id: `c${String(index)}`, function: { name: "f", arguments: "{}" } }],
  });
  const block = (index: unknown): object => ({
    index,
    content_block: { type: "tool_use", id: "t", name: "f", input: {} },
  });
  const item = (index: unknown): object => ({
    output_index: index,
    item: { type: "function_call", id: "fc", call_id: "c", name: "f", arguments: "{}" },
  });
  const streams: readonly (readonly [Upstream, (index: unknown) => Event])[] = [
    ["openai-chat", (index) => chat(made(index))],
    ["openai-chat", (index) => chat({ content: "x" }, index)],
    [
      "openai-chat",
      (index) => chat({ reasoning: "x", reasoning_details: [{ type: "reasoning.text", text: "x", index }] }),
    ],
    [
      "anthropic-messages",
      (index) => ({
        name: "content_block_start",
        data: JSON.stringify({ type: "content_block_start", ...block(index) }),
      }),
    ],
    [
      "openai-responses",
      (index) => ({
        name: "response.output_item.added",
        data: JSON.stringify({ type: "response.output_item.added", ...item(index) }),
      }),
    ],
    [
      "bedrock-converse",
      (index) => ({
        name: "contentBlockStart",
        data: JSON.stringify({ contentBlockIndex: index, start: { toolUse: { toolUseId: "t", name: "f" } } }),
      }),
    ],
  ];

  it.each(streams)("takes no place, and what is kept is as long as what came: %s", (dialect, event) => {
    const indices = [huge, -1, 0.5, huge + 1, "0", null, { length: huge }];
    const bytes = wireBytes(dialect, indices.map(event));
    for (const watch of watchesOf(dialect)) {
      watch.push(bytes);
      const written = Buffer.concat([...watch.forward]).length;
      expect(written).toBeLessThan(10 * bytes.length + 5000);
      expect(watch.sent?.choices.size).toBeLessThanOrEqual(2);
      expect(watch.sent?.length).toBeLessThan(bytes.length);
      expect(JSON.stringify(watch.head ?? {}).length).toBeLessThan(10_000);
    }
  });
});

it("arguments of a call that has no name fail the answer, unless its name comes at last", () => {
  const events = (recorded.get("openai-responses") ?? []).filter(
    ({ data }) => !data.includes('"response.output_item.added"'),
  );
  const told = (all: readonly Event[]): { readonly calls: number; readonly failure: string | undefined } => {
    const listener = new Listener();
    const sink = new Told(listener);
    const reader = upstreamCodec("openai-responses")?.reader(sink, { markers: [] });
    for (const { name, data } of all) reader?.event(name, data);
    const calls = listener.tellings.filter(([what]) => what === "toolArguments").map(([, call, json]) => [call, json]);
    return { calls: calls.length, failure: sink.failure?.reason };
  };
  expect(told(events)).toEqual({ calls: 2, failure: undefined });
  expect(told(events.filter(({ data }) => !data.includes('"response.output_item.done"')))).toEqual({
    calls: 0,
    failure: "arguments came of a call that has no name",
  });
});
