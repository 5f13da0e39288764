import { crc32 } from "node:zlib";

import { EventStreamCodec, type MessageHeaders } from "@smithy/eventstream-codec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { EventStreamDecoder } from "./event-stream.ts";

/** AWS's own. */
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString()),
  (text) => Buffer.from(text),
);

function message(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const typed = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, { type: "string" as const, value }]),
  );
  return Buffer.from(codec.encode({ headers: typed, body: Buffer.from(payload) }));
}

function event(type: string, payload: string): Buffer {
  return message({ ":event-type": type, ":content-type": "application/json", ":message-type": "event" }, payload);
}

interface Find {
  readonly name: string;
  readonly data: string;
}

function decode(chunks: readonly Buffer[]): { finds: Find[]; last: string } {
  const finds: Find[] = [];
  const decoder = new EventStreamDecoder({ event: (name, data) => finds.push({ name, data }) });
  let last = "ok";
  for (const chunk of chunks) last = decoder.push(chunk);
  return { finds, last };
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

const texts = fc.string({ unit: "binary", maxLength: 60 }).map((text) => text.toWellFormed());

describe("an AWS event stream", () => {
  it("gives the same events in any chunks", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.stringMatching(/^[a-zA-Z]{1,20}$/), texts), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (events, places) => {
          const stream = Buffer.concat(events.map(([type, payload]) => event(type, payload)));
          const expected = events.map(([name, data]) => ({ name, data }));
          expect(decode(cut(stream, places))).toEqual({ finds: expected, last: "ok" });
          expect(decode([...stream].map((byte) => Buffer.of(byte))).finds).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("may have headers of every type beside those that are read", () => {
    const headers: MessageHeaders = {
      yes: { type: "boolean", value: true },
      no: { type: "boolean", value: false },
      byte: { type: "byte", value: -1 },
      short: { type: "short", value: 300 },
      integer: { type: "integer", value: 70_000 },
      ":event-type": { type: "string", value: "metadata" },
      bytes: { type: "binary", value: Uint8Array.of(1, 2, 3) },
      time: { type: "timestamp", value: new Date(1_700_000_000_000) },
      id: { type: "uuid", value: "3b241101-e2bb-4255-8caf-4136c566a962" },
      "": { type: "string", value: "" },
    };
    const bytes = Buffer.from(codec.encode({ headers, body: Buffer.from("{}") }));
    expect(decode([bytes]).finds).toEqual([{ name: "metadata", data: "{}" }]);
  });

  it("names exceptions as such, and errors that have no type", () => {
    const stream = Buffer.concat([
      message({ ":message-type": "exception", ":exception-type": "throttlingException" }, '{"message":"slow"}'),
      message({ ":message-type": "error", ":error-code": "InternalError", ":error-message": 'It said "no"' }, ""),
    ]);
    expect(decode([stream]).finds).toEqual([
      { name: "exception throttlingException", data: '{"message":"slow"}' },
      { name: "exception InternalError", data: '{"message":"It said \\"no\\""}' },
    ]);
  });

  it("passes over a message that is no event", () => {
    const stream = Buffer.concat([message({ ":message-type": "event" }, "{}"), event("messageStart", "{}")]);
    expect(decode([stream])).toEqual({ finds: [{ name: "messageStart", data: "{}" }], last: "ok" });
  });

  it("is over at the first byte that is not what the checksums say, and nothing of it is told", () => {
    const whole = event("contentBlockDelta", '{"delta":{"text":"hello"}}');
    const before = event("messageStart", "{}");
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        (at, by, places) => {
          const spoilt = Buffer.from(whole);
          spoilt[at] = (spoilt[at] ?? 0) ^ by;
          const { finds, last } = decode([...cut(Buffer.concat([before, spoilt, whole]), places), whole]);
          expect(finds).toEqual([{ name: "messageStart", data: "{}" }]);
          expect(last).toBe("broken_frame");
        },
      ),
    );
  });

  it("is refused where it is something else", () => {
    expect(decode([Buffer.from("<html><body>502 Bad Gateway</body></html>")]).last).toBe("broken_frame");
    expect(decode([Buffer.from('data: {"choices":[]}\n\n')]).last).toBe("broken_frame");
  });

  it("never throws, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
        const { last } = decode(chunks.map((chunk) => Buffer.from(chunk)));
        expect(["ok", "broken_frame", "event_too_large"]).toContain(last);
      }),
    );
  });

  it("is refused when a message is longer than anything that is sent", () => {
    const long = event("contentBlockDelta", "x".repeat(16 * 1024 * 1024));
    expect(decode([long.subarray(0, 12)]).last).toBe("event_too_large");
  });

  it("is refused when its headers are longer than itself though its checksums hold", () => {
    for (const headersLength of [13, 200, 0xffffffff]) {
      const bytes = Buffer.alloc(28);
      bytes.writeUInt32BE(bytes.length, 0);
      bytes.writeUInt32BE(headersLength, 4);
      bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
      bytes.writeUInt32BE(crc32(bytes.subarray(0, 24)), 24);
      expect(decode([bytes]).last).toBe("broken_frame");
    }
  });

  it("is refused when a header is longer than the headers though its checksums hold", () => {
    for (const header of [
      [200, 0x61, 7, 0, 1, 0x61],
      [1, 0x61, 7, 0, 200, 0x61],
      [1, 0x61, 42],
      [1, 0x61, 7, 0],
    ]) {
      const bytes = Buffer.concat([Buffer.alloc(12), Buffer.from(header), Buffer.alloc(4)]);
      bytes.writeUInt32BE(bytes.length, 0);
      bytes.writeUInt32BE(header.length, 4);
      bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
      bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
      expect(decode([bytes])).toEqual({ finds: [], last: "broken_frame" });
    }
  });
});
