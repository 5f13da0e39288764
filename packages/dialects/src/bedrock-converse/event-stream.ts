import { crc32 } from "node:zlib";

import type { EventSink, StreamDecoder } from "../hub/codec.ts";

/** Total length, length of the headers, and the checksum of these two: four bytes each. */
const preludeBytes = 12;
/** The checksum of all that comes before it. */
const checksumBytes = 4;
/** The same as for events of a server-sent stream. AWS allows 24 MB and sends a few hundred bytes. */
const maxMessageBytes = 16 * 1024 * 1024;

/** What stands before the name of an exception, which comes as a message like any event. */
export const exceptionPrefix = "exception ";

/**
 * Cuts the framing that AWS streams events in (application/vnd.amazon.eventstream): messages with a length, headers and a payload,
 * each under two checksums (https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html). An event's name is its
 * `:event-type`; exceptions are named with `exceptionPrefix` before their type.
 */
export class EventStreamDecoder implements StreamDecoder {
  readonly #sink: EventSink;
  /** Of a message that is not whole yet. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** With so many bytes there is something to be done. */
  #needed = 0;
  #over: "event_too_large" | "broken_frame" | null = null;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): "ok" | "event_too_large" | "broken_frame" {
    if (this.#over !== null) return this.#over;
    let bytes = chunk;
    if (this.#heldBytes > 0) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      if (this.#heldBytes < this.#needed) return "ok";
      bytes = Buffer.concat(this.#held, this.#heldBytes);
      this.#held = [];
      this.#heldBytes = 0;
    }
    let at = 0;
    this.#needed = preludeBytes;
    while (bytes.length - at >= preludeBytes) {
      const length = bytes.readUInt32BE(at);
      // Checked before the length is believed: a broken one would have us wait for bytes that never come.
      if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32BE(at + 8)) return this.#stop("broken_frame");
      if (length > maxMessageBytes) return this.#stop("event_too_large");
      if (length < preludeBytes + checksumBytes) return this.#stop("broken_frame");
      if (bytes.length - at < length) {
        this.#needed = length;
        break;
      }
      if (!this.#message(bytes, at, at + length)) return this.#stop("broken_frame");
      at += length;
    }
    if (at < bytes.length) {
      this.#held.push(at === 0 ? bytes : bytes.subarray(at));
      this.#heldBytes = bytes.length - at;
    }
    return "ok";
  }

  #stop(why: "event_too_large" | "broken_frame"): "event_too_large" | "broken_frame" {
    this.#held = [];
    return (this.#over = why);
  }

  /** @returns false when it is not what its checksum says, or its headers can't be read */
  #message(bytes: Buffer, start: number, end: number): boolean {
    const checksumAt = end - checksumBytes;
    if (crc32(bytes.subarray(start, checksumAt)) !== bytes.readUInt32BE(checksumAt)) return false;
    const payloadAt = start + preludeBytes + bytes.readUInt32BE(start + 4);
    if (payloadAt > checksumAt) return false;
    let event: string | null = null;
    let exception: string | null = null;
    let errorMessage: string | null = null;
    let at = start + preludeBytes;
    while (at < payloadAt) {
      const nameAt = at + 1;
      const typeAt = nameAt + bytes.readUInt8(at);
      if (typeAt >= payloadAt) return false;
      const type = bytes.readUInt8(typeAt);
      const valueAt = typeAt + 1 + (type === byteArrayType || type === stringType ? 2 : 0);
      if (valueAt > payloadAt) return false;
      const next =
        valueAt + (valueAt === typeAt + 1 ? (fixedLengths[type] ?? Infinity) : bytes.readUInt16BE(typeAt + 1));
      if (next > payloadAt) return false;
      if (type === stringType && bytes[nameAt] === colon) {
        const name = bytes.toString("latin1", nameAt, typeAt);
        if (name === ":event-type") event = bytes.toString("utf8", valueAt, next);
        else if (name === ":exception-type" || name === ":error-code")
          exception = bytes.toString("utf8", valueAt, next);
        else if (name === ":error-message") errorMessage = bytes.toString("utf8", valueAt, next);
      }
      at = next;
    }
    if (exception !== null) {
      // An error that the service has no type for has its message in a header, and no payload.
      const data =
        errorMessage === null
          ? bytes.toString("utf8", payloadAt, checksumAt)
          : JSON.stringify({ message: errorMessage });
      this.#sink.event(exceptionPrefix + exception, data);
    } else if (event !== null) {
      this.#sink.event(event, bytes.toString("utf8", payloadAt, checksumAt));
    }
    return true;
  }
}

const colon = 0x3a;
const byteArrayType = 6;
const stringType = 7;
/** Bytes of a header's value by its type: true, false, byte, short, integer, long; 8 is a timestamp, 9 a UUID. */
const fixedLengths: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };
