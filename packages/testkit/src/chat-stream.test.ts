import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { expectClean, readChatStream } from "./chat-stream.ts";
import { collect } from "./collect.ts";
import type { Collected } from "./collect.ts";
import { answersChat, answersError, chatChunk, chatChunks, openaiError, sse } from "./openai-shapes.ts";
import { startUpstream } from "./scripted-upstream.ts";
import type { ScriptedUpstream } from "./scripted-upstream.ts";

let upstream: ScriptedUpstream;
beforeAll(async () => {
  upstream = await startUpstream([]);
});
afterAll(() => upstream.close());

function streamed(events: readonly string[], end: "end" | "fin" = "end"): Promise<Collected> {
  upstream.script((reply) => {
    reply.eventStream();
    for (const event of events) reply.chunk(event);
    return end === "end" ? reply.end() : reply.fin();
  });
  return collect(upstream.url);
}

test("a whole stream is clean, and is read back as it was said", async () => {
  const answer = await streamed(chatChunks(["Go", " on", " – ñ"], { id: "c-1", model: "m", usage: [3, 4] }));
  expect(expectClean(answer, "Go on – ñ")).toEqual([]);
  expect(readChatStream(answer.body)).toMatchObject({
    text: "Go on – ñ",
    roleDeltas: 1,
    ids: ["c-1"],
    models: ["m"],
    finishReasons: ["stop"],
    usages: [{ prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }],
    terminators: 1,
    remainder: "",
  });
});

test("any text in any pieces is read back", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), (pieces) => {
      const stream = readChatStream(Buffer.from(chatChunks(pieces).join("")));
      expect(stream.text).toBe(pieces.join(""));
      expect([stream.malformed, stream.remainder]).toEqual([[], ""]);
    }),
  );
});

const good = chatChunks(["a", "b"]);
const spoiled: [string, string[], string][] = [
  ["lost text", good.toSpliced(1, 1), 'the text is "b", not "ab"'],
  ["doubled text", good.toSpliced(1, 0, good[1] ?? ""), 'the text is "aab", not "ab"'],
  ["no terminator", good.slice(0, -1), "0 terminators"],
  ["two terminators", [...good, sse("[DONE]")], "2 terminators"],
  ["an event after the terminator", [...good, good[1] ?? ""], "1 events after the terminator"],
  ["two role deltas", [good[0] ?? "", ...good], "2 role deltas"],
  ["no role delta", good.slice(1), "0 role deltas"],
  ["two ids", [...chatChunks(["a"], { id: "x", finishReason: null, done: false }), ...good.slice(2)], "2 response ids"],
  ["two models", good.with(1, sse(chatChunk({ delta: { content: "a" } }, { model: "y" }))), "2 model names"],
  ["no finish reason", chatChunks(["a", "b"], { finishReason: null }), "0 finish reasons"],
  ["content after the finish", good.toSpliced(-1, 0, good[1] ?? ""), "1 content deltas after the finish reason"],
  ["an error event", good.toSpliced(2, 0, sse(openaiError(500, null, "boom"))), "error events"],
  ["broken JSON", good.toSpliced(2, 0, "data: {\n\n"), "malformed events"],
  ["a foreign object", good.toSpliced(2, 0, sse({ object: "ping" })), "malformed events"],
  ["a cut event", [...good, "data: {"], "a cut event at the end"],
];

test.each(spoiled)("%s is not clean", async (_, events, problem) => {
  expect(expectClean(await streamed(events), "ab").join("; ")).toContain(problem);
});

test("a stream whose connection breaks is not clean, however whole it looks", async () => {
  expect(expectClean(await streamed(good, "fin"), "ab")).toEqual([expect.stringContaining("ended: aborted")]);
});

test("comments, CRLF and data over several lines are read", () => {
  const stream = readChatStream(
    Buffer.from(': PROCESSING\r\n\r\ndata: {"choices":\r\ndata: []}\r\n\r\ndata:[DONE]\r\n\r\n'),
  );
  expect(stream).toMatchObject({ comments: ["PROCESSING"], events: [{ choices: [] }, "[DONE]"], terminators: 1 });
});

test("the ready-made answers follow the request's form", async () => {
  upstream.script([
    answersChat("go on now"),
    answersChat("go on now"),
    answersError(429, "rate_limit_exceeded", "slow down", { "retry-after": "2" }),
  ]);
  expect(expectClean(await collect(upstream.url, { body: { stream: true } }), "go on now")).toEqual([]);
  const whole = await collect(upstream.url, { body: {} });
  expect(whole.json()).toMatchObject({ choices: [{ message: { content: "go on now" }, finish_reason: "stop" }] });
  const limited = await collect(upstream.url, { body: {} });
  expect([limited.status, limited.headers["retry-after"]]).toEqual([429, "2"]);
  expect(limited.json()).toEqual({
    error: { message: "slow down", type: "rate_limit_error", param: null, code: "rate_limit_exceeded" },
  });
});
