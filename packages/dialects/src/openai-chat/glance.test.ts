import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { openai } from "../providers/openai.ts";
import { parseChatAnswer } from "./answer.ts";
import { glanceAtAnswer } from "./glance.ts";

const ordinary = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_790_000_000,
  model: "m",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: 'a "quoted" é\n', refusal: null },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: {
    prompt_tokens: 40,
    completion_tokens: 30,
    total_tokens: 70,
    prompt_tokens_details: { cached_tokens: 8, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 4 },
  },
};

const glance = (value: unknown): ReturnType<typeof glanceAtAnswer> =>
  glanceAtAnswer(Buffer.from(JSON.stringify(value)));

describe("a glance at an answer", () => {
  it("is enough for an ordinary one", () => {
    const usage = {
      input_tokens: 40,
      cached_input_tokens: 8,
      output_tokens: 30,
      reasoning_tokens: 4,
      source: "provider",
    };
    expect(glance(ordinary)).toEqual(usage);
    expect(glanceAtAnswer(Buffer.from(JSON.stringify(ordinary, null, 2)))).toEqual(usage);
    const { usage: counts, ...rest } = ordinary;
    expect(
      glance({ usage: { completion_tokens: 1, prompt_tokens_details: null }, ...rest, error: null }),
    ).toMatchObject({
      input_tokens: 0,
      output_tokens: 1,
    });
    expect(counts.total_tokens).toBe(70);
  });

  it.each([
    ["an error beside the answer", { ...ordinary, error: { message: "x" } }],
    ["an object that is an error", { ...ordinary, object: "error" }],
    ["a type", { ...ordinary, type: "error" }],
    ["no choices", { ...ordinary, choices: [] }],
    ["choices that are no array", { ...ordinary, choices: {} }],
    ["a choice without a message", { ...ordinary, choices: [...ordinary.choices, { index: 1 }] }],
    ["a choice that is no object", { ...ordinary, choices: [1] }],
    ["a message that is no object", { ...ordinary, choices: [{ message: [] }] }],
    ["no usage", { ...ordinary, usage: null }],
    ["no output tokens", { ...ordinary, usage: { prompt_tokens: 1, completion_tokens: 0 } }],
    ["a count that is none", { ...ordinary, usage: { prompt_tokens: 1.5, completion_tokens: 3 } }],
    ["another provider's counts", { ...ordinary, usage: { ...ordinary.usage, prompt_cache_hit_tokens: 3 } }],
    ["an array", [ordinary]],
  ])("leaves %s to a parser", (_, value) => {
    expect(glance(value)).toBeNull();
  });

  const value = fc.oneof(
    fc.constantFrom<unknown>(null, 0, 1, 5, -1, 1.5, "", "error", "chat.completion", [], {}, true),
    fc.constant(ordinary.choices),
    fc.constant(ordinary.usage),
    fc.constant({ message: "no" }),
    fc.constant([{ message: {} }, { message: null }]),
    fc.record({ prompt_tokens: fc.constantFrom(1, "1", null), completion_tokens: fc.constantFrom(0, 2, null, -2) }),
  );
  const member = fc.tuple(
    fc.constantFrom(
      "choices",
      "usage",
      "object",
      "error",
      "type",
      "message",
      "x",
      "__proto__",
      String.raw`ch\u006fices`,
    ),
    value,
  );
  /** Ordinary answers with members put before and after, the same key more than once, and bytes changed. */
  const answers = fc
    .tuple(
      fc.array(member, { maxLength: 2 }),
      fc.array(member, { maxLength: 2 }),
      fc.option(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom("", '"', "\\", "{", "}", ",", "1", "\u0001", "e")), {
        nil: null,
      }),
    )
    .map(([before, after, change]) => {
      const members = [...before, ...Object.entries(ordinary), ...after].map(
        ([key, item]) => `"${key}":${JSON.stringify(item)}`,
      );
      const text = `{${members.join(",")}}`;
      if (change === null) return text;
      const [place, removed, insert] = change;
      const at = place % (text.length + 1);
      return text.slice(0, at) + insert + text.slice(at + removed);
    });

  it("sees in every answer what parsing it gives, or leaves it to that", () => {
    let glanced = 0;
    fc.assert(
      fc.property(answers, (text) => {
        const body = Buffer.from(text);
        const usage = glanceAtAnswer(body);
        if (usage === null) return;
        glanced += 1;
        expect(parseChatAnswer(body, openai)).toEqual({ ok: true, usage, textLength: 0, empty: false });
      }),
      { numRuns: 5000 },
    );
    expect(glanced).toBeGreaterThan(500);
  });
});
