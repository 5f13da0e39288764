import type { Dialect } from "@tuloy/contract";
import { failureForms } from "@tuloy/dialects";
import { chatChunks, converseEvents, FakeClock, geminiTextEvents, messageEvents, responseEvents } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { DisturbingFault } from "./laying.ts";
import { EventSpoiler } from "./spoiler.ts";

const text = "one two drei — 四";
const words = text.match(/\s*\S+/g) ?? [];

interface Streamed {
  readonly dialect: Dialect;
  readonly events: readonly (string | Buffer)[];
  /** Whether an event holds a piece of the text. */
  readonly says: (event: string) => boolean;
  /** How many events at the end are none but the terminator's, and how many with the finish. */
  readonly terminator: number;
  readonly ending: number;
}

const streams: readonly Streamed[] = [
  {
    dialect: "openai-chat",
    events: chatChunks(words, { usage: [1, 4] }),
    says: (event) => words.some((word) => event.includes(`"content":${JSON.stringify(word)}`)),
    terminator: 1,
    ending: 3,
  },
  {
    dialect: "anthropic-messages",
    events: messageEvents([{ type: "text", text }]),
    says: (event) => event.includes("text_delta"),
    terminator: 1,
    ending: 2,
  },
  {
    dialect: "openai-responses",
    events: responseEvents([{ text }]),
    says: (event) => event.startsWith("event: response.output_text.delta"),
    terminator: 0,
    ending: 1,
  },
  {
    dialect: "gemini",
    events: geminiTextEvents(words),
    says: (event) => words.some((word) => event.includes(JSON.stringify(word))),
    terminator: 0,
    ending: 1,
  },
  {
    dialect: "bedrock-converse",
    events: converseEvents([{ text }]),
    says: (event) => event.includes('"delta":{"text":'),
    terminator: 1,
    ending: 2,
  },
];

function join(events: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(events.map((event) => Buffer.from(event)));
}

/** Passes a stream through a fault. @returns what came out, and how it ended */
function spoil(fault: DisturbingFault, dialect: Dialect, chunks: readonly Buffer[]): [bytes: Buffer, end: string] {
  const out: Buffer[] = [];
  let end = "open";
  const spoiler = EventSpoiler.of(fault, dialect, {
    host: { clock: new FakeClock(), underWay: true, hold: () => () => undefined },
    pass: (bytes) => out.push(bytes),
    whole: () => (end = "whole"),
    struck: () => (end = "struck"),
  });
  if (spoiler === null) throw new Error(`${dialect} is never streamed`);
  for (const chunk of chunks) if (end === "open") spoiler.push(chunk);
  if (end === "open") spoiler.end();
  return [Buffer.concat(out), end];
}

describe.each(streams)("wherever the chunks of a stream in $dialect are cut,", (streamed) => {
  const { dialect, events, terminator, ending } = streamed;
  const stream = join(events);
  const chunkings = fc
    .uniqueArray(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 30 })
    .map((cuts) => [0].concat(cuts.sort((a, b) => a - b)))
    .map((starts) => starts.map((start, index) => stream.subarray(start, starts[index + 1])));

  /** The events up to the one with this many pieces of the text, or up to the end. */
  function upTo(pieces: number): Buffer {
    const whole = events.slice(0, events.length - ending);
    const places = whole.flatMap((event, at) => (streamed.says(event.toString()) ? [at] : []));
    expect(places).toHaveLength(words.length);
    const last = places[pieces - 1];
    return join(last === undefined ? whole : whole.slice(0, last + 1));
  }

  it("a cut comes behind so many whole events with content", () => {
    fc.assert(
      fc.property(chunkings, fc.integer({ min: 1, max: 7 }), (chunks, tokens) => {
        expect(spoil({ name: "cut", tokens }, dialect, chunks)).toEqual([upTo(tokens), "struck"]);
      }),
    );
  });

  it("a malformed event is slipped in, and no other byte is changed", () => {
    fc.assert(
      fc.property(chunkings, fc.integer({ min: 1, max: 7 }), (chunks, tokens) => {
        const before = upTo(tokens);
        const rest = stream.subarray(before.length);
        const expected = Buffer.concat([before, failureForms[dialect].brokenEvent, rest]);
        expect(spoil({ name: "malformed", tokens }, dialect, chunks)).toEqual([expected, "whole"]);
      }),
    );
  });

  it("no-done leaves out the terminator, where there is one besides the end", () => {
    fc.assert(
      fc.property(chunkings, (chunks) => {
        const expected = join(events.slice(0, events.length - terminator));
        expect(spoil({ name: "no-done" }, dialect, chunks)).toEqual([expected, terminator === 0 ? "whole" : "struck"]);
      }),
    );
  });

  it("what is none of the dialect passes as it is, to its last byte", () => {
    // Bytes of any kind, and more often those that lines and comments are made of.
    const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(10, 13, 58));
    fc.assert(
      fc.property(fc.array(fc.array(byte, { minLength: 1, maxLength: 40 }), { maxLength: 6 }), (arrays) => {
        const chunks = arrays.map((array) => Buffer.concat([Buffer.from("x"), Buffer.from(array)]));
        expect(spoil({ name: "cut", tokens: 1 }, dialect, chunks)).toEqual([Buffer.concat(chunks), "whole"]);
      }),
    );
  });
});
