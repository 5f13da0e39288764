import { message, messageEvents, readMessageStream } from "@tuloy/testkit";
import type { MessageBlock, MessageShape } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { tellMessage } from "./hub-answer.ts";
import { MessageEvents } from "./hub-events.ts";
import { bare, context, ofStream, ofWhole, preset } from "./told.test-data.ts";
import { MessageWriter } from "./write-answer.ts";
import { MessageEventWriter } from "./write-events.ts";

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
