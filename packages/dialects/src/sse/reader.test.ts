import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SseReader } from "./reader.ts";

interface Find {
  kind: "event" | "comment" | "filler";
  name: string;
  text: string;
  raw: string;
}

/** Everything the reader finds when `stream` comes in these chunks. */
function read(chunks: readonly Buffer[], maxEventBytes?: number): { finds: Find[]; overflowed: boolean } {
  const finds: Find[] = [];
  let current: Buffer = Buffer.alloc(0);
  const raw = (carry: Buffer | null, start: number, end: number): string =>
    Buffer.concat([carry ?? Buffer.alloc(0), current.subarray(start, end)]).toString("latin1");
  const reader = new SseReader(
    {
      event: (name, text, ...bytes) => finds.push({ kind: "event", name, text, raw: raw(...bytes) }),
      comment: (text, ...bytes) => finds.push({ kind: "comment", name: "", text, raw: raw(...bytes) }),
      filler: (...bytes) => finds.push({ kind: "filler", name: "", text: "", raw: raw(...bytes) }),
      tail: (start, end) => {
        const last = finds.at(-1);
        if (last !== undefined) last.raw += raw(null, start, end);
      },
    },
    maxEventBytes,
  );
  let overflowed = false;
  for (const chunk of chunks) {
    current = chunk;
    overflowed = reader.push(chunk) === "event_too_large";
  }
  return { finds, overflowed };
}

/** What the reference implementation finds in the whole text. */
function reference(stream: Buffer): { events: [string, string][]; comments: string[] } {
  const events: [string, string][] = [];
  const comments: string[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => events.push([event ?? "", data]),
    onComment: (comment) => comments.push(comment),
  });
  parser.feed(new TextDecoder().decode(stream));
  // The reference waits after a last CR whether a LF comes; the end of the stream answers that.
  if (stream.at(-1) === 0x0d) parser.feed("\n");
  return { events, comments };
}

const events = (finds: Find[]): [string, string][] =>
  finds.filter(({ kind }) => kind === "event").map(({ name, text }) => [name, text]);
const comments = (finds: Find[]): string[] => finds.filter(({ kind }) => kind === "comment").map(({ text }) => text);

function cut(stream: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...[...places].sort((a, b) => a - b), stream.length];
  return at.slice(1).map((end, i) => stream.subarray(at[i], end));
}

const streams: Record<string, string> = {
  "line feeds": 'data: {"a":1}\n\ndata: two\n\n',
  "CR LF": "event: ping\r\ndata: x\r\n\r\ndata: y\r\n\r\n",
  "bare CRs": "data: x\r\rdata: y\rdata: z\r\r",
  "mixed line ends": "data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\n",
  "a byte order mark": "\uFEFFdata: marked\n\n",
  "a second byte order mark, which is text": "\uFEFFdata: \uFEFFx\n\n",
  "multi-byte characters": "data: héllo 日本語 🎉\n\n: 界\n\ndata: ü\n\n",
  "multi-line data": "data: one\ndata:\ndata:  three\n\n",
  comments: ": PROCESSING\n\n:\n: in\ndata: a\n: inside\ndata: b\n\n:end\n",
  "events without data": "event: lonely\n\nretry: 100\n\nid: 7\n\ndata\n\n",
  "fields without a colon and unknown fields": "data\ndata\n\nfoo: bar\ndatax: no\ndat: no\ndata: yes\n\n",
  "an unfinished event": "data: whole\n\ndata: half",
  "an event without its blank line": "data: whole\n\ndata: half\n",
};

describe("SseReader", () => {
  for (const [name, text] of Object.entries(streams)) {
    it(`finds the same as the reference in ${name}, cut at every byte`, () => {
      const stream = Buffer.from(text);
      const expected = reference(stream);
      const whole = read([stream]).finds;
      expect(events(whole)).toEqual(expected.events);
      expect(comments(whole)).toEqual(expected.comments);
      for (let place = 0; place <= stream.length; place++) {
        expect(read(cut(stream, [place])).finds).toEqual(whole);
      }
      expect(read([...stream].map((byte) => Buffer.from([byte]))).finds).toEqual(whole);
    });
  }

  const line = fc.oneof(
    fc.constantFrom(
      "data: a",
      "data:b",
      "data:  c",
      "data",
      "data:",
      "event: e",
      "event:",
      ": note",
      ":",
      "id: 1",
      "x",
      "日本: 語",
      "data: 🎉",
      "",
    ),
    fc.string({ unit: "binary", maxLength: 6 }).map((text) => `data: ${text.replaceAll(/[\r\n\0]/g, "")}`),
  );
  const text = fc
    .tuple(
      fc.constantFrom("", "\uFEFF"),
      fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\r")), { maxLength: 14 }),
    )
    .map(([mark, lines]) => mark + lines.map(([content, end]) => content + end).join(""));

  it("finds the same as the reference in any stream, cut anywhere", () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(120), { maxLength: 8 }), (text, places) => {
        const stream = Buffer.from(text);
        const expected = reference(stream);
        const { finds } = read(
          cut(
            stream,
            places.map((place) => place % (stream.length + 1)),
          ),
        );
        expect(events(finds)).toEqual(expected.events);
        expect(comments(finds)).toEqual(expected.comments);
        expect(finds).toEqual(read([stream]).finds);
      }),
      { numRuns: 500 },
    );
  });

  it("accounts for every byte of a whole stream but its byte order mark", () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(120), { maxLength: 8 }), (text, places) => {
        const stream = Buffer.from(`${text}\n\n`);
        const { finds } = read(
          cut(
            stream,
            places.map((place) => place % (stream.length + 1)),
          ),
        );
        const bytes = finds.map(({ raw }) => raw).join("");
        const expected = stream.toString("latin1").replace(/^\xEF\xBB\xBF/, "");
        expect(bytes).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("gives up at the same event wherever the cuts are, when one is larger than allowed", () => {
    const stream = Buffer.from(`data: small\n\ndata: ${"x".repeat(50)}\n\ndata: later\n\n`);
    for (let place = 0; place <= stream.length; place++) {
      const { finds, overflowed } = read(cut(stream, [place]), 40);
      expect(overflowed).toBe(true);
      expect(events(finds)).toEqual([["", "small"]]);
    }
    expect(read([stream], 58).overflowed).toBe(false);
    expect(read([stream], 57).overflowed).toBe(true);
  });

  it("gives up before an endless line is kept", () => {
    const { overflowed } = read(
      Array.from({ length: 10 }, () => Buffer.from("data: xxxxx")),
      60,
    );
    expect(overflowed).toBe(true);
  });

  it("gives an event that lies in one chunk as a part of that chunk", () => {
    const chunk = Buffer.from("data: a\n\ndata: b\n\n");
    const ranges: [Buffer | null, number, number][] = [];
    const ignore = (): void => undefined;
    const reader = new SseReader({
      event: (_name, _data, ...bytes) => ranges.push(bytes),
      comment: ignore,
      filler: ignore,
      tail: ignore,
    });
    reader.push(chunk);
    expect(ranges).toEqual([
      [null, 0, 9],
      [null, 9, 18],
    ]);
  });
});
