import {
  geminiBlocked,
  geminiEvents,
  geminiResponse,
  geminiTextEvents,
  geminiUsage,
  googleError,
  googleRetryInfo,
} from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Told } from "../hub/told.ts";
import { gemini as preset } from "../providers/gemini.ts";
import { SseReader } from "../sse/reader.ts";
import { gemini } from "./codec.ts";
import { Heard } from "./told.test-data.ts";

function whole(answer: unknown): Heard {
  const heard = new Heard();
  gemini.readAnswer(Buffer.from(JSON.stringify(answer)), preset, heard);
  return heard;
}

function streamed(events: readonly string[], cut: (bytes: Buffer) => readonly Buffer[] = (bytes) => [bytes]) {
  const heard = new Heard();
  const reader = gemini.reader(heard, preset);
  const known: boolean[] = [];
  const frames = new SseReader({
    event: (name, data) => known.push(reader.event(name, data)),
    comment: () => {},
    filler: () => {},
    tail: () => {},
  });
  for (const chunk of cut(Buffer.from(events.join("")))) frames.push(chunk);
  return { heard, reader, known };
}

describe("a whole answer of Gemini", () => {
  it("is told with its id, its model, its text and its usage", () => {
    const heard = whole(geminiResponse([{ text: "Hello" }], { usage: geminiUsage(10, 5, 7, 4) }));
    expect(heard.begun).toEqual(["response-1", "gemini-x"]);
    expect(heard.parts).toEqual([["text", "Hello"]]);
    expect(heard.ended).toBe("stop");
    expect(heard.counted).toEqual({
      input_tokens: 10,
      cached_input_tokens: 4,
      output_tokens: 12,
      reasoning_tokens: 7,
      source: "provider",
    });
  });

  it("has thoughts, and a signature that comes back to where it was made", () => {
    const heard = whole(
      geminiResponse([
        { text: "Hm.", thought: true },
        { text: "Yes.", thoughtSignature: "c2ln" },
      ]),
    );
    expect(heard.parts).toEqual([
      ["thought", "Hm."],
      ["text", "Yes."],
      ["opaque", "gemini", "gemini:c2ln"],
    ]);
  });

  it("has calls: ids of its own, or made from the answer's, and a signature on the first", () => {
    const heard = whole(
      geminiResponse([
        { functionCall: { name: "weather", args: { city: "Manila" } }, thoughtSignature: "c2ln" },
        { functionCall: { id: "fc-2", name: "time", args: {} } },
        { functionCall: { name: "now" } },
      ]),
    );
    expect(heard.parts).toEqual([
      ["call", 0, "call_response-1_0", "weather", "gemini:c2ln"],
      ["arguments", 0, '{"city":"Manila"}'],
      ["call", 1, "fc-2", "time", null],
      ["arguments", 1, "{}"],
      ["call", 2, "call_response-1_2", "now", null],
      ["arguments", 2, "{}"],
    ]);
    // STOP is said after calls too.
    expect(heard.ended).toBe("tool_calls");
  });

  it("has ids that any dialect takes, also where the answer has none", () => {
    const call = { functionCall: { name: "f", args: { a: 1 } } };
    const { responseId: _, ...nameless } = geminiResponse([call]);
    for (const answer of [geminiResponse([call], { responseId: "a/b+c=" }), nameless]) {
      expect(String(whole(answer).parts[0]?.[2])).toMatch(/^call_[a-zA-Z0-9_-]+_0$/);
    }
  });

  it("takes __proto__ for a name like any other", () => {
    const heard = new Heard();
    const args = '{"__proto__":{"a":1}}';
    const body = JSON.stringify(geminiResponse([{ functionCall: { name: "f", args: 1 } }])).replace(
      '"args":1',
      `"args":${args}`,
    );
    gemini.readAnswer(Buffer.from(body), preset, heard);
    expect(heard.parts[1]).toEqual(["arguments", 0, args]);
  });

  it.each([
    ["STOP", "stop"],
    ["MAX_TOKENS", "length"],
    ["SAFETY", "content_filter"],
    ["RECITATION", "content_filter"],
    ["BLOCKLIST", "content_filter"],
    ["PROHIBITED_CONTENT", "content_filter"],
    ["SPII", "content_filter"],
    ["LANGUAGE", "content_filter"],
    ["OTHER", "content_filter"],
    ["SOMETHING_NEW", "stop"],
  ])("ends by %s as %s", (finishReason, end) => {
    const heard = whole(geminiResponse([{ text: "a" }], { finishReason }));
    expect(heard.ended).toBe(end);
    expect(heard.failed).toBeNull();
    const plain = finishReason === "STOP" || finishReason === "MAX_TOKENS";
    expect(heard.notes.join()).toContain(plain ? "" : finishReason);
    expect(heard.notes).toHaveLength(plain ? 0 : 1);
  });

  it.each(["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"])(
    "that ended by %s is no answer",
    (finishReason) => {
      const heard = whole({ candidates: [{ finishReason, finishMessage: "call:f{" }], responseId: "r" });
      expect(heard.ended).toBeNull();
      expect(heard.failed).toMatchObject({ class: "garbled", code: finishReason });
      // What it says of it quotes the answer, and stays out of the trace.
      expect(heard.failed?.reason).toBe(`the answer ended with ${finishReason}`);
    },
  );

  it("is cut by a filter where the prompt was refused", () => {
    const heard = whole(geminiBlocked("PROHIBITED_CONTENT", geminiUsage(8, 0)));
    expect(heard.ended).toBe("content_filter");
    expect(heard.failed).toBeNull();
    expect(heard.counted?.input_tokens).toBe(8);
    expect(heard.notes).toEqual(["the provider's filter refused the prompt: PROHIBITED_CONTENT"]);
  });

  it("says what has no place in the hub", () => {
    const answer = geminiResponse([{ text: "a" }, { inlineData: { mimeType: "image/png", data: "AAAA" } }]);
    expect(whole(answer).notes).toEqual(["media was left out"]);
  });

  it("is none where it does not say how it ended, or is something else", () => {
    expect(whole(geminiResponse([{ text: "a" }], { finishReason: null })).failed?.class).toBe("truncated");
    expect(whole({ id: "chatcmpl-1", choices: [] }).failed?.class).toBe("garbled");
    expect(whole([googleError(503, "UNAVAILABLE", "The model is overloaded.")]).failed?.class).toBe("overloaded");
    expect(whole(geminiResponse([], { finishReason: "FINISH_REASON_UNSPECIFIED" })).failed?.class).toBe("truncated");
  });
});

describe("a stream of Gemini", () => {
  it("is whole with a reason to end, though it has no terminator", () => {
    const { heard, reader } = streamed(geminiTextEvents(["Hel", "lo"], { usage: geminiUsage(3, 2) }));
    expect(heard.parts).toEqual([["text", "Hello"]]);
    expect(heard.ended).toBe("stop");
    expect(heard.counted?.output_tokens).toBe(2);
    expect(reader.finished).toBe(true);
    expect(reader.done).toBe(false);
  });

  it("is not whole without", () => {
    expect(streamed(geminiTextEvents(["Hel", "lo"], { finishReason: null })).reader.finished).toBe(false);
  });

  it("fails with an error in the middle, alone or in an array", () => {
    const error = googleError(429, "RESOURCE_EXHAUSTED", "Resource exhausted.", [googleRetryInfo("17.5s")]);
    for (const event of [error, [error]]) {
      const { heard, reader } = streamed([
        ...geminiTextEvents(["a"], { finishReason: null }),
        `data: ${JSON.stringify(event)}\n\n`,
      ]);
      expect(heard.failed).toMatchObject({ class: "rate_limited", retryAfterMs: 17_500 });
      expect(reader.finished).toBe(false);
    }
  });

  it("leaves out what is none of its events", () => {
    const { heard, known } = streamed([
      "data: {\n\n",
      'data: "x"\n\n',
      'data: {"a":1}\n\n',
      ...geminiTextEvents(["a"]),
    ]);
    expect(known).toEqual([false, false, false, true, true]);
    expect(heard.ended).toBe("stop");
  });

  it("gives a signature on an empty text back too", () => {
    const { heard } = streamed(geminiEvents([[{ text: "a" }], [{ text: "", thoughtSignature: "c2ln" }]]));
    expect(heard.parts).toEqual([
      ["text", "a"],
      ["opaque", "gemini", "gemini:c2ln"],
    ]);
  });

  it("tells, cut anywhere, what the same answer tells as a whole", () => {
    const part = fc.oneof(
      fc.record({ text: fc.string({ minLength: 1, unit: "grapheme" }) }),
      fc.record({ text: fc.string({ minLength: 1 }), thought: fc.constant(true) }),
      fc.record({
        functionCall: fc.record({ name: fc.constantFrom("f", "g"), args: fc.dictionary(fc.string(), fc.jsonValue()) }),
      }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.integer({ min: 1, max: 40 }), (parts, size) => {
        const shape = { usage: geminiUsage(4, 9, 2), finishReason: "STOP" };
        const atOnce = whole(geminiResponse(parts, shape));
        const { heard } = streamed(geminiEvents([...parts.map((each) => [each]), []], shape), (bytes) =>
          Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size)),
        );
        expect(heard).toEqual(atOnce);
      }),
    );
  });

  it("never throws, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json(), anyResponse)), (events) => {
        const told = new Told(null);
        const reader = gemini.reader(told, preset);
        for (const event of events) reader.event("", event);
        const whole = new Told(null);
        gemini.readAnswer(Buffer.from(events[0] ?? ""), preset, whole);
        // Whatever it was, there is a verdict.
        expect(whole.failure === null).toBe(whole.ending !== null);
      }),
    );
  });
});

/** What looks like a response, with anything in its places. */
const anyResponse = fc
  .record(
    {
      candidates: fc.oneof(
        fc.jsonValue(),
        fc.array(
          fc.record(
            {
              content: fc.oneof(
                fc.jsonValue(),
                fc.record({
                  parts: fc.oneof(
                    fc.jsonValue(),
                    fc.array(
                      fc.dictionary(
                        fc.constantFrom("text", "thought", "functionCall", "thoughtSignature"),
                        fc.jsonValue(),
                      ),
                    ),
                  ),
                }),
              ),
              finishReason: fc.jsonValue(),
            },
            { requiredKeys: [] },
          ),
        ),
      ),
      promptFeedback: fc.jsonValue(),
      usageMetadata: fc.jsonValue(),
      responseId: fc.jsonValue(),
      error: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value));
