import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { chatClient, chatUpstream } from "../openai-chat/codec.ts";
import { openaiChat } from "../openai-chat/dialect.ts";
import { trailer } from "../openai-chat/trailer.ts";
import { openai } from "../providers/openai.ts";
import type { StreamEnd, StreamWatch, WatchOptions } from "../stream-watch.ts";
import { feed, hear, writeContext, type Heard } from "./hub.test-data.ts";
import { TranslatedReading } from "./reading.ts";
import { ExpressWatch, TranslatedWatch } from "./watch.ts";

const usual = { wantsUsage: true, choices: 1, preset: openai, contentType: "text/event-stream" } as const;
const heartbeat = Buffer.from(": alive\n\n");

type Make = (options?: Partial<WatchOptions>) => StreamWatch;

const express: Make = (options) => new ExpressWatch({ ...usual, ...options }, { codec: chatUpstream, trailer });
const plainly: Make = (options) => openaiChat.watch({ ...usual, ...options });
const translated: Make = (options) =>
  new TranslatedWatch(
    { ...usual, ...options },
    { upstream: chatUpstream, client: chatClient, context: writeContext(), heartbeat },
  );

const sse = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_700_000_000, model: "m" };
const delta = (fields: object, finish: string | null = null): string =>
  sse({ ...head, choices: [{ index: 0, delta: fields, finish_reason: finish }] });
const role = delta({ role: "assistant", content: "" });
const stop = delta({}, "stop");
const done = "data: [DONE]\n\n";
const usage = sse({ ...head, choices: [], usage: { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16 } });

/** A whole stream to its end. */
function whole(stream: StreamWatch, wire: string, sizes?: readonly number[]): Heard {
  const said = feed(stream, Buffer.from(wire), sizes);
  const end = stream.end();
  if (!end.ok) throw new Error(end.failure.reason);
  return hear(said + end.trailer.toString());
}

const call = (index: number, fields: object): string => delta({ tool_calls: [{ index, ...fields }] });

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
const name = fc.string({ unit: fc.constantFrom("a", "b", "_"), minLength: 1, maxLength: 6 });
/** Streams as OpenAI and those who speak its dialect write them. */
const streams = fc
  .record({
    thoughts: fc.array(text, { maxLength: 3 }),
    texts: fc.array(text, { maxLength: 6 }),
    refusals: fc.array(text, { maxLength: 2 }),
    calls: fc.array(fc.record({ name, pieces: fc.array(text, { maxLength: 3 }) }), { maxLength: 3 }),
    finish: fc.constantFrom("stop", "length", "content_filter"),
  })
  .filter(({ thoughts, texts, refusals, calls }) => thoughts.length + texts.length + refusals.length + calls.length > 0)
  .map(({ thoughts, texts, refusals, calls, finish }) => {
    const events = [
      role,
      ...thoughts.map((piece) => delta({ reasoning_content: piece })),
      ...texts.map((piece) => delta({ content: piece })),
      ...refusals.map((piece) => delta({ refusal: piece })),
      ...calls.flatMap((made, index) => [
        call(index, { id: `call_${index}`, type: "function", function: { name: made.name, arguments: "" } }),
        ...made.pieces.map((piece) => call(index, { function: { arguments: piece } })),
      ]),
    ];
    const reason = finish === "stop" && calls.length > 0 ? "tool_calls" : finish;
    return { events, wire: [...events, delta({}, reason), usage, done].join("") };
  });
const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });

const classOf = (end: StreamEnd): string => (end.ok ? "whole" : end.failure.class);

describe("a stream through the hub", () => {
  it("tells a client of the same dialect what it would hear without, wherever it is cut", () => {
    fc.assert(
      fc.property(streams, sizes, ({ wire }, cuts) => {
        const plain = openaiChat.watch(usual);
        const expected = whole(plain, wire);
        for (const make of [express, translated]) {
          const stream = make();
          expect(whole(stream, wire, cuts)).toEqual(expected);
          expect(stream.usage).toEqual(plain.usage);
          expect(stream.textLength).toBe(plain.textLength);
          expect(stream.notes).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is whole or it is told that it is not, wherever it breaks off", () => {
    fc.assert(
      fc.property(streams, fc.nat(), sizes, ({ wire }, cut, cuts) => {
        const bytes = Buffer.from(wire).subarray(0, cut % wire.length);
        const plain = openaiChat.watch(usual);
        feed(plain, bytes);
        const verdict = plain.end();
        for (const make of [express, translated]) {
          const stream = make();
          feed(stream, bytes, cuts);
          expect(stream.committed).toBe(plain.committed);
          expect(stream.complete).toBe(plain.complete);
          expect(classOf(stream.end())).toBe(classOf(verdict));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("keeps what it sends as the plain watch does", () => {
    fc.assert(
      fc.property(streams, fc.nat(), ({ events }, count) => {
        const wire = Buffer.from(events.slice(0, count % (events.length + 1)).join(""));
        const [plain, ...others] = [plainly, express, translated].map((make) => {
          const stream = make({ keep: true });
          feed(stream, wire);
          return stream.sent;
        });
        for (const sent of others) {
          expect(sent?.choices).toEqual(plain?.choices);
          expect(sent?.tokens).toBe(plain?.tokens);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("tells a whole answer as it tells the same answer in a stream", () => {
    const reading = new TranslatedReading({
      upstream: chatUpstream,
      client: chatClient,
      context: writeContext(),
      heartbeat,
    });
    fc.assert(
      fc.property(streams, ({ wire }) => {
        const heard = whole(openaiChat.watch(usual), wire);
        const message = {
          role: "assistant",
          content: heard.text === "" ? null : heard.text,
          reasoning_content: heard.thought,
          refusal: heard.refusal === "" ? null : heard.refusal,
          tool_calls: heard.calls.map(({ id, ...made }) => ({ id, type: "function", function: made })),
        };
        const answer = {
          ...head,
          object: "chat.completion",
          choices: [{ index: 0, message, finish_reason: heard.finishes[0] }],
          usage: { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16 },
        };
        const read = reading.readAnswer(Buffer.from(JSON.stringify(answer)), openai);
        if (!read.ok) throw new Error(read.failure.reason);
        const body = JSON.parse(read.body?.toString() ?? "") as typeof answer;
        const said = body.choices[0];
        expect(body.id).toBe("chatcmpl-1");
        expect(said?.message.content ?? "").toBe(heard.text);
        expect(said?.message.reasoning_content ?? "").toBe(heard.thought);
        expect(said?.message.refusal ?? "").toBe(heard.refusal);
        expect(said?.finish_reason).toBe(heard.finishes[0]);
        const calls = (said?.message.tool_calls ?? []).map(({ id, function: made }) => [id, made.name, made.arguments]);
        expect(calls).toEqual(heard.calls.map((made) => [made.id, made.name, made.arguments || "{}"]));
        expect(read).toMatchObject({ usage: { input_tokens: 9, output_tokens: 7 }, empty: false });
      }),
      { numRuns: 300 },
    );
  });
});

describe.each([
  ["as it comes", express],
  ["written anew", translated],
])("a watched stream, %s,", (how, make) => {
  it("is forwarded without its terminator, which is written at the end", () => {
    const stream = make();
    const said = feed(stream, Buffer.from(role + delta({ content: "Hi" }) + stop + done));
    expect(hear(said)).toMatchObject({ text: "Hi", roles: 1, finishes: ["stop"], done: false });
    expect(stream).toMatchObject({ done: true, complete: true, textLength: 2, notes: [] });
    expect(stream.end()).toEqual({ ok: true, trailer: Buffer.from(done) });
  });

  it("is whole without its terminator once it has ended", () => {
    const stream = make();
    feed(stream, Buffer.from(delta({ content: "a" }) + stop));
    expect(stream.end()).toEqual({ ok: true, trailer: Buffer.from(done) });
    expect(stream.notes).toEqual(how === "as it comes" ? ["the stream had no terminator; it was added"] : []);
  });

  it("says nothing after its terminator", () => {
    const stream = make();
    expect(feed(stream, Buffer.from(delta({ content: "a" }) + stop + done + delta({ content: "late" })))).not.toContain(
      "late",
    );
    expect(feed(stream, Buffer.from(delta({ content: "later" })))).toBe("");
  });

  it.each([
    ["text", { content: "a" }],
    ["reasoning", { reasoning: "hm" }],
    ["a refusal", { refusal: "no" }],
    ["a tool call", { tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "" } }] }],
  ])("is committed by %s, and a ping is no progress", (_, content) => {
    const stream = make();
    feed(stream, Buffer.from(role));
    expect(stream).toMatchObject({ committed: false, progress: false });
    feed(stream, Buffer.from(delta(content)));
    expect(stream).toMatchObject({ committed: true, progress: true });
    const said = feed(stream, Buffer.from(": ping\n\n"));
    expect(stream).toMatchObject({ committed: true, progress: false });
    expect(said).toBe(how === "as it comes" ? ": ping\n\n" : heartbeat.toString());
  });

  it.each([
    ["OpenAI's form", sse({ error: { message: "busy", code: "server_is_overloaded" } }), "overloaded"],
    ["a flat form", sse({ object: "error", message: "boom", code: 500 }), "server_error"],
    ["an error event", "event: error\ndata: something broke\n\n", "garbled"],
    ["a finish_reason of error", delta({}, "error"), "server_error"],
  ])("ends with an error in %s, which is never forwarded", (_, event, failure) => {
    const early = make();
    expect(feed(early, Buffer.from(role + event + delta({ content: "more" })))).not.toContain("more");
    expect(early).toMatchObject({ committed: false, failure: { class: failure, status: 200 } });
    const late = make();
    expect(hear(feed(late, Buffer.from(delta({ content: "a" }) + event + done))).text).toBe("a");
    expect(late.end()).toEqual({ ok: false, failure: late.failure });
  });

  it("fails by an error after its end", () => {
    const stream = make();
    feed(stream, Buffer.from(delta({ content: "a" }) + stop + sse({ error: { message: "busy", code: 503 } }) + done));
    expect(stream.end()).toMatchObject({ ok: false, failure: { class: "overloaded" } });
  });

  it("is rid of a malformed event, which is noted, and of many no more than once", () => {
    const stream = make();
    const said = feed(stream, Buffer.from(delta({ content: "a" }) + "data: {\n\n".repeat(100) + stop + done));
    expect(hear(said).text).toBe("a");
    expect(stream.notes).toEqual(["an event that is none of its dialect was left out"]);
    expect(stream.end().ok).toBe(true);
  });

  it("is empty when it is whole and says nothing, unless a filter silenced it or the reasoning was hidden", () => {
    const empty = make();
    feed(empty, Buffer.from(role + stop + done));
    const end = empty.end();
    expect(end).toMatchObject({ ok: false, failure: { class: "empty" } });
    expect(end.trailer?.toString()).toBe(done);
    const filtered = make();
    feed(filtered, Buffer.from(role + delta({}, "content_filter") + done));
    expect(filtered.end().ok).toBe(true);
    const hidden = make();
    feed(hidden, Buffer.from(role + delta({}, "length") + usage + done));
    expect(hidden.end().ok).toBe(true);
  });

  it.each([
    ["a page", "text/event-stream", "\n <!doctype html>", "HTML"],
    ["plain text", "text/plain", "upstream connect error", "plain text"],
    ["another JSON body", "application/json", '{"choices":[{"message":{"content":"a"}}]}', "streaming"],
    ["half a JSON body", "application/json", '{"error":', "half"],
  ])("is garbled when it is %s", (_, contentType, body, why) => {
    const stream = make({ contentType });
    expect(feed(stream, Buffer.from(body))).toBe("");
    const failure = { class: "garbled", reason: expect.stringContaining(why) };
    expect(stream.end()).toMatchObject({ ok: false, failure });
  });

  it("fails by the error in a JSON body, as soon as that is whole", () => {
    const stream = make({ contentType: "application/json" });
    const body = Buffer.from(JSON.stringify({ error: { message: "Rate limited", code: "rate_limit_exceeded" } }));
    feed(stream, body.subarray(0, 20));
    expect(stream.failure).toBeNull();
    feed(stream, body.subarray(20));
    expect(stream.failure).toMatchObject({ class: "rate_limited" });
  });

  it("fails when an event is larger than allowed", () => {
    const stream = make({ maxEventBytes: 300 });
    feed(stream, Buffer.from(role + delta({ content: "x".repeat(400) })));
    expect(stream.failure).toMatchObject({ class: "garbled", reason: expect.stringContaining("larger") });
  });
});

describe("a stream that is forwarded as it comes", () => {
  it("has its chunks forwarded without a copy", () => {
    const stream = express();
    const chunk = Buffer.from(role + delta({ content: "Hi" }));
    stream.push(chunk);
    expect(stream.forward[0]).toBe(chunk);
  });

  it("ends with its terminator as it came", () => {
    const stream = express();
    feed(stream, Buffer.from(`${delta({ content: "a" })}${stop}data:[DONE]\r\n\r\n`));
    expect(stream.end()).toEqual({ ok: true, trailer: Buffer.from("data:[DONE]\r\n\r\n") });
  });

  it("keeps what it began with", () => {
    const stream = new ExpressWatch(
      { ...usual, keep: true },
      { codec: chatUpstream, trailer, headOf: (_name, data) => (data.includes('"id"') ? { id: "kept" } : null) },
    );
    feed(stream, Buffer.from(role));
    expect(stream.sent?.head).toEqual({ id: "kept" });
  });
});
