import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { openai } from "../providers/openai.ts";
import type { WatchOptions } from "../stream-watch.ts";
import { ChatStreamWatch } from "./stream.ts";

function watch(options: Partial<WatchOptions> = {}): ChatStreamWatch {
  const usual = { wantsUsage: false, choices: 1, preset: openai, contentType: "text/event-stream" };
  return new ChatStreamWatch({ ...usual, ...options });
}

const sse = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const delta = (delta: object, finish: string | null = null, index = 0): string =>
  sse({ id: "chatcmpl-1", object: "chat.completion.chunk", choices: [{ index, delta, finish_reason: finish }] });
const role = delta({ role: "assistant", content: "" });
const stop = delta({}, "stop");
const done = "data: [DONE]\n\n";
const usage = sse({
  id: "chatcmpl-1",
  choices: [],
  usage: {
    prompt_tokens: 9,
    completion_tokens: 7,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 2 },
  },
});

/** Pushes each text as a chunk. @returns what was forwarded */
function feed(stream: ChatStreamWatch, ...chunks: (string | Buffer)[]): string {
  const out: Buffer[] = [];
  for (const chunk of chunks) {
    stream.push(Buffer.from(chunk));
    out.push(...stream.forward);
  }
  return Buffer.concat(out).toString();
}

describe("a good stream", () => {
  it("passes unchanged but for its terminator, which is written at the end", () => {
    const stream = watch();
    expect(feed(stream, role, delta({ content: "Hi" }), stop, done)).toBe(role + delta({ content: "Hi" }) + stop);
    expect(stream).toMatchObject({
      done: true,
      complete: true,
      textLength: 2,
      notes: [],
    });
    expect(stream.end()).toEqual({ ok: true, trailer: Buffer.from(done) });
  });

  it("has its chunks forwarded as they are, without a copy", () => {
    const stream = watch();
    const chunk = Buffer.from(role + delta({ content: "Hi" }) + delta({ content: "you" }));
    stream.push(chunk);
    expect(stream.forward).toHaveLength(1);
    expect(stream.forward[0]).toBe(chunk);
  });

  it("is the same wherever it is cut", () => {
    const text = `\uFEFF: hello\r\n\r\n${role}${delta({ content: "日本🎉" })}data: {broken\n\n${stop.replaceAll("\n", "\r\n")}${usage}${done}`;
    const bytes = Buffer.from(text);
    const whole = watch();
    const expected = feed(whole, bytes);
    const facts = ({ done, committed, complete, usage, textLength, notes }: ChatStreamWatch): unknown => ({
      done,
      committed,
      complete,
      usage,
      textLength,
      notes,
    });
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 6 }), (places) => {
        const at = [0, ...places.sort((a, b) => a - b), bytes.length];
        const stream = watch();
        expect(feed(stream, ...at.slice(1).map((end, i) => bytes.subarray(at[i], end)))).toBe(expected);
        expect(facts(stream)).toEqual(facts(whole));
        expect(stream.end()).toEqual(whole.end());
      }),
    );
    for (let place = 0; place <= bytes.length; place++) {
      expect(feed(watch(), bytes.subarray(0, place), bytes.subarray(place))).toBe(expected);
    }
  });

  it("is complete without [DONE] when every choice has finished", () => {
    const stream = watch();
    feed(stream, delta({ content: "a" }), stop);
    expect(stream.end()).toEqual({ ok: true, trailer: Buffer.from(done) });
    expect(stream.notes).toEqual(["the stream had no [DONE]; it was added"]);
  });

  it("forwards nothing after [DONE]", () => {
    const stream = watch();
    expect(feed(stream, delta({ content: "a" }) + stop + done + delta({ content: "late" }))).not.toContain("late");
    expect(feed(stream, delta({ content: "later" }))).toBe("");
  });
});

describe("the commit", () => {
  it.each([
    ["text", { content: "a" }],
    ["reasoning_content", { reasoning_content: "hm" }],
    ["reasoning", { reasoning: "hm" }],
    ["a refusal", { refusal: "no" }],
    ["a tool call", { tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "" } }] }],
    ["text in parts", { content: [{ type: "text", text: "a" }] }],
  ])("is made by %s", (_, content) => {
    const stream = watch();
    feed(stream, role);
    expect(stream).toMatchObject({ committed: false, progress: false });
    feed(stream, delta(content));
    expect(stream).toMatchObject({ committed: true, progress: true });
    feed(stream, ": ping\n\n");
    expect(stream).toMatchObject({ committed: true, progress: false });
  });

  it.each([
    ["a role", role],
    ["an empty text", delta({ content: "", reasoning_content: null, tool_calls: [] })],
    ["a comment", ": OPENROUTER PROCESSING\n\n"],
    ["a ping event", 'event: ping\ndata: {"type":"ping"}\n\n'],
    ["a usage chunk", usage],
    ["half an event", delta({ content: "a" }).slice(0, -1)],
  ])("is not made by %s", (_, chunk) => {
    const stream = watch();
    feed(stream, chunk);
    expect(stream).toMatchObject({ committed: false, progress: false });
  });
});

describe("comments", () => {
  it("are forwarded, since they keep the client's connection alive", () => {
    expect(feed(watch(), ": ping\n\n", role, ": ping\n")).toBe(`: ping\n\n${role}: ping\n`);
  });
});

describe("the usage chunk", () => {
  it("is read with its cached and reasoning tokens, and dropped when the client did not ask for it", () => {
    const stream = watch();
    expect(feed(stream, delta({ content: "a" }) + stop + usage + done)).toBe(delta({ content: "a" }) + stop);
    expect(stream.usage).toEqual({
      input_tokens: 9,
      cached_input_tokens: 4,
      output_tokens: 7,
      reasoning_tokens: 2,
      source: "provider",
    });
  });

  it("is forwarded when the client asked", () => {
    expect(feed(watch({ wantsUsage: true }), usage)).toBe(usage);
  });

  it("is kept when it is also a chunk with a choice", () => {
    const both = sse({
      choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    });
    const stream = watch();
    expect(feed(stream, both)).toBe(both);
    expect(stream.usage).toMatchObject({ output_tokens: 2 });
  });
});

describe("an error inside a stream", () => {
  const nested = sse({
    error: { message: "The server is overloaded", type: "server_error", code: "server_is_overloaded" },
  });

  it.each([
    ["OpenAI's form", nested, "overloaded"],
    [
      "vLLM's flat form, with its numeric code",
      sse({ object: "error", message: "boom", type: "InternalServerError", param: null, code: 500 }),
      "server_error",
    ],
    [
      "vLLM's nested form",
      sse({ error: { message: "busy", type: "ServiceUnavailableError", code: 503 } }),
      "overloaded",
    ],
    [
      "an error event",
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
      "overloaded",
    ],
    ["an error event with bare text", "event: error\ndata: something broke\n\n", "garbled"],
    [
      "OpenRouter's form, which also has choices",
      sse({
        error: { code: 502, message: "Provider returned error" },
        choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
      }),
      "server_error",
    ],
    ["a finish_reason of error", delta({}, "error"), "server_error"],
    ["an error nobody knows", sse({ error: { message: "??" } }), "garbled"],
  ])("is seen in %s and never forwarded", (_, event, failure) => {
    const early = watch();
    expect(feed(early, role + event + delta({ content: "more" }))).toBe(role);
    expect(early).toMatchObject({ committed: false, failure: { class: failure, status: 200 } });
    const late = watch();
    expect(feed(late, delta({ content: "a" }), event, done)).toBe(delta({ content: "a" }));
    expect(late).toMatchObject({ committed: true, failure: { class: failure } });
    expect(late.end()).toEqual({ ok: false, failure: late.failure });
  });

  it("makes a failure of a stream that had already finished", () => {
    const stream = watch();
    feed(stream, delta({ content: "a" }), delta({}, "length"), nested, done);
    expect(stream.end()).toMatchObject({ ok: false, failure: { class: "overloaded" } });
  });

  it("is not seen in a chunk whose error is null", () => {
    const stream = watch();
    const chunk = sse({ error: null, choices: [{ index: 0, delta: { content: "a" } }] });
    expect(feed(stream, chunk)).toBe(chunk);
    expect(stream.failure).toBeNull();
  });
});

describe("a malformed event", () => {
  it.each(['data: {"choices":[\n\n', "data: null\n\n", "data: 5\n\n", "data\n\n"])(
    "%j is left out and noted, and the stream goes on",
    (bad) => {
      const stream = watch();
      expect(feed(stream, delta({ content: "a" }) + bad + stop + done)).toBe(delta({ content: "a" }) + stop);
      expect(stream.notes).toEqual(["an event that is not a JSON object was left out"]);
      expect(stream.end().ok).toBe(true);
    },
  );

  it("is noted a bounded number of times", () => {
    const stream = watch();
    feed(stream, "data: x\n\n".repeat(500));
    expect(stream.notes.length).toBeLessThan(50);
  });
});

describe("a stream that ends too early", () => {
  it.each([
    ["nothing at all", ""],
    ["only a role", role],
    ["text without a finish reason", delta({ content: "a" })],
    ["[DONE] without a finish reason", delta({ content: "a" }) + done],
    ["one of two choices finished", delta({ content: "a" }) + delta({ content: "b" }, null, 1) + stop],
    ["a finish without its blank line", delta({ content: "a" }) + stop.slice(0, -1)],
  ])("is truncated with %s", (_, text) => {
    const stream = watch();
    feed(stream, text);
    expect(stream.end()).toMatchObject({ ok: false, failure: { class: "truncated" } });
  });
});

describe("a stream of several choices", () => {
  const first = delta({ content: "a" }) + stop;
  const second = delta({ content: "b" }, null, 1) + delta({}, "stop", 1);

  it("is complete when every choice that was asked for has finished, and not before", () => {
    const stream = watch({ choices: 2 });
    const seen = [delta({ content: "a" }), stop, delta({ content: "b" }, null, 1), delta({}, "stop", 1)].map(
      (chunk) => {
        feed(stream, chunk);
        return stream.complete;
      },
    );
    expect(seen).toEqual([false, false, false, true]);
    expect(stream.end()).toMatchObject({ ok: true });
  });

  it("is not complete while more choices than were asked for are under way", () => {
    const stream = watch();
    feed(stream, first, delta({ content: "b" }, null, 1));
    expect(stream.complete).toBe(false);
    feed(stream, second);
    expect(stream.complete).toBe(true);
  });

  it("is truncated when it ends without [DONE] before the last choice began", () => {
    const stream = watch({ choices: 3 });
    feed(stream, first + second);
    expect(stream.end()).toMatchObject({
      ok: false,
      failure: { class: "truncated", reason: "the stream ended after 2 of 3 choices" },
    });
  });

  it("is whole with [DONE] though fewer came than were asked for: some servers know only one", () => {
    const stream = watch({ choices: 2 });
    feed(stream, first + done);
    expect(stream.complete).toBe(false);
    expect(stream.end()).toMatchObject({ ok: true });
  });

  it("is truncated in spite of [DONE] when a choice that began has not finished", () => {
    const stream = watch({ choices: 2 });
    feed(stream, first + delta({ content: "b" }, null, 1) + done);
    expect(stream.end()).toMatchObject({ ok: false, failure: { class: "truncated" } });
  });
});

describe("an empty stream", () => {
  it("is one that is complete without content and without output tokens", () => {
    const stream = watch();
    feed(stream, role + stop + done);
    expect(stream.end()).toMatchObject({ ok: false, failure: { class: "empty" } });
  });

  it("is not one whose output tokens were all hidden reasoning", () => {
    const stream = watch();
    feed(stream, role + delta({}, "length") + usage + done);
    expect(stream).toMatchObject({ committed: false });
    expect(stream.end().ok).toBe(true);
  });

  it("is not one that a filter silenced: that is the answer", () => {
    const stream = watch();
    feed(stream, role + delta({}, "content_filter") + done);
    expect(stream.end().ok).toBe(true);
  });
});

describe("something else in place of a stream", () => {
  it("is given up at once when it is a page", () => {
    for (const contentType of ["text/html", "text/event-stream", null]) {
      const stream = watch({ contentType });
      expect(feed(stream, "\n <!doctype html>")).toBe("");
      expect(stream.failure).toMatchObject({ class: "garbled", reason: expect.stringContaining("HTML") });
    }
  });

  it("fails by the error in a JSON body, as soon as that is whole", () => {
    const body = JSON.stringify({ error: { message: "Rate limited", code: "rate_limit_exceeded" } });
    const stream = watch({ contentType: "application/json" });
    feed(stream, body.slice(0, 20));
    expect(stream.failure).toBeNull();
    feed(stream, body.slice(20));
    expect(stream.failure).toMatchObject({ class: "rate_limited", code: "rate_limit_exceeded" });
  });

  it("is garbled when it is half a JSON body, another JSON body, or plain text", () => {
    const half = watch({ contentType: "application/json" });
    feed(half, '{"error":');
    expect(half.end()).toMatchObject({
      ok: false,
      failure: { class: "garbled", reason: expect.stringContaining("half") },
    });
    const other = watch({ contentType: "application/json" });
    feed(other, JSON.stringify({ object: "chat.completion", choices: [{ message: { content: "a" } }] }));
    expect(other.failure).toMatchObject({ class: "garbled", reason: expect.stringContaining("streaming") });
    const plain = watch({ contentType: "text/plain" });
    feed(plain, "upstream connect error");
    expect(plain.failure).toMatchObject({ class: "garbled" });
  });

  it("is not seen in a good stream under a wrong content type", () => {
    for (const contentType of ["text/plain", "application/json", null]) {
      const stream = watch({ contentType });
      feed(stream, delta({ content: "a" }) + stop + done);
      expect(stream.end().ok).toBe(true);
    }
  });

  it("is an event larger than allowed", () => {
    const stream = watch({ maxEventBytes: 300 });
    expect(feed(stream, role, delta({ content: "x".repeat(400) }))).toBe(role);
    expect(stream.failure).toMatchObject({ class: "garbled", reason: expect.stringContaining("larger than allowed") });
  });
});
