const lf = 0x0a;
const cr = 0x0d;
const colon = 0x3a;
const space = 0x20;
const bom = Buffer.from([0xef, 0xbb, 0xbf]);

const defaultMaxEventBytes = 8 * 1024 * 1024;

/**
 * Receives what the reader finds, in order. The bytes of each find are `carry` (what earlier chunks held of it, or null)
 * followed by `start` to `end` of the chunk being pushed; together the finds cover the whole stream but its byte order mark.
 */
export interface SseSink {
  /** An event. `name` is empty when the event has none, which means `message`. */
  event(name: string, data: string, carry: Buffer | null, start: number, end: number): void;
  /** A comment line. One that stands inside an event has no bytes of its own: they belong to that event. */
  comment(text: string, carry: Buffer | null, start: number, end: number): void;
  /** Blank lines, and fields that make no event (`retry:` alone). */
  filler(carry: Buffer | null, start: number, end: number): void;
  /** The line feed of a CR LF that was cut in two: it belongs to the find before. */
  tail(start: number, end: number): void;
}

/**
 * Reads server-sent events (WHATWG HTML, 9.2.6) from chunks cut anywhere: the events are the same wherever the cuts are.
 * As the standard says, an event that the stream's end leaves without its blank line is no event.
 *
 * A line ends at a CR at once, without waiting to see whether a LF follows: a server that writes bare CRs would otherwise
 * have each of its events delayed until the next.
 */
export class SseReader {
  readonly #sink: SseSink;
  readonly #maxEventBytes: number;
  #name = "";
  /** The data so far, null before the first data line. */
  #data: string | null = null;
  /** The unit being read has a field line already, so a comment does not end it. */
  #hasFields = false;
  /** Bytes of the unit being read from earlier chunks; only the first `#carryLength` of the buffer are used. */
  #carry: Buffer | null = null;
  #carryLength = 0;
  /** Where the unfinished line starts in `#carry`, or -1 when the last chunk ended with a whole line. */
  #partialLine = -1;
  #afterCr = false;
  /** Bytes of a byte order mark seen at the very start, or -1 once it is known whether there is one. */
  #markMatched = 0;
  #overflowed = false;

  constructor(sink: SseSink, maxEventBytes: number = defaultMaxEventBytes) {
    this.#sink = sink;
    this.#maxEventBytes = maxEventBytes;
  }

  /**
   * Takes the next bytes and calls the sink for all they complete.
   * @returns `event_too_large`, from then on always, when an event has more bytes than allowed
   */
  push(chunk: Buffer): "ok" | "event_too_large" {
    if (this.#overflowed) return "event_too_large";
    if (chunk.length === 0) return "ok";
    if (this.#markMatched === -1) this.#read(chunk, 0);
    else this.#begin(chunk, this.#markMatched);
    return this.#overflowed ? "event_too_large" : "ok";
  }

  /** Skips a byte order mark. It may come in pieces: bytes that may yet be part of one are counted, and given back if they are not. */
  #begin(chunk: Buffer, matched: number): void {
    let length = matched;
    while (length < bom.length && length - matched < chunk.length && chunk[length - matched] === bom[length]) length++;
    if (length === bom.length) {
      this.#markMatched = -1;
      if (length - matched < chunk.length) this.#read(chunk, length - matched);
    } else if (length - matched === chunk.length) {
      this.#markMatched = length;
    } else {
      this.#markMatched = -1;
      if (matched > 0) this.#keep(bom.subarray(0, matched), 0, 0);
      this.#read(chunk, 0);
    }
  }

  #read(chunk: Buffer, from: number): void {
    let unit = from;
    let line = from;
    if (this.#afterCr) {
      this.#afterCr = false;
      if (chunk[from] === lf) {
        line = from + 1;
        if (this.#carry === null) {
          this.#sink.tail(from, line);
          unit = line;
        }
      }
    }
    // Positions of the next CR and LF are kept, so that a chunk with only one of them is searched once for the other.
    let nextCr = chunk.indexOf(cr, line);
    let nextLf = chunk.indexOf(lf, line);
    while (nextCr !== -1 || nextLf !== -1) {
      const atCr = nextCr !== -1 && (nextLf === -1 || nextCr < nextLf);
      const end = atCr ? nextCr : nextLf;
      let next = end + 1;
      if (atCr) {
        if (next === chunk.length) this.#afterCr = true;
        else if (chunk[next] === lf) next += 1;
      }
      if (this.#carryLength + next - unit > this.#maxEventBytes) {
        this.#overflowed = true;
        return;
      }
      unit = this.#line(chunk, unit, line, end, next);
      line = next;
      if (nextCr !== -1 && nextCr < line) nextCr = chunk.indexOf(cr, line);
      // A blank line follows at once in most streams: looking is cheaper than a search.
      if (nextLf !== -1 && nextLf < line) nextLf = chunk[line] === lf ? line : chunk.indexOf(lf, line);
    }
    if (unit < chunk.length) this.#keep(chunk, unit, line);
  }

  /** Handles the line from `line` to `end`, of the unit that starts at `unit`. @returns where the unit (or the next) goes on */
  #line(chunk: Buffer, unit: number, line: number, end: number, next: number): number {
    if (this.#partialLine !== -1) {
      // The line began in an earlier chunk: its bytes have to be in one piece before they are decoded.
      const lineStart = this.#partialLine;
      const lineEnd = this.#carryLength + end - unit;
      const joined = this.#append(chunk, unit, next);
      this.#partialLine = -1;
      return this.#content(joined, next, lineStart, lineEnd, next);
    }
    if (line !== end) return this.#content(chunk, unit, line, end, next);
    const carry = this.#takeCarry();
    if (this.#data === null) this.#sink.filler(carry, unit, next);
    else this.#sink.event(this.#name, this.#data, carry, unit, next);
    this.#name = "";
    this.#data = null;
    this.#hasFields = false;
    return next;
  }

  /** A line that is not blank, at `start` to `end` of `bytes`. @returns where the unit (or the next) goes on in the chunk */
  #content(bytes: Buffer, unit: number, start: number, end: number, next: number): number {
    if (bytes[start] === colon) {
      const text = fieldValue(bytes, start + 1, end);
      if (this.#hasFields) {
        this.#sink.comment(text, null, next, next);
        return unit;
      }
      this.#sink.comment(text, this.#takeCarry(), unit, next);
      return next;
    }
    this.#hasFields = true;
    if (isField(bytes, start, end, "data")) {
      const value = fieldValue(bytes, start + 5, end);
      this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    } else if (isField(bytes, start, end, "event")) {
      this.#name = fieldValue(bytes, start + 6, end);
    }
    return unit;
  }

  /** Keeps the rest of a chunk, whose last line starts at `line`, until the next. */
  #keep(chunk: Buffer, unit: number, line: number): void {
    if (this.#carryLength + chunk.length - unit > this.#maxEventBytes) {
      this.#overflowed = true;
      return;
    }
    if (this.#partialLine === -1 && line < chunk.length) this.#partialLine = this.#carryLength + line - unit;
    if (this.#carry === null) {
      this.#carry = chunk.subarray(unit);
      this.#carryLength = chunk.length - unit;
    } else {
      this.#append(chunk, unit, chunk.length);
    }
  }

  /** Adds bytes to the carry. Doubling keeps the work linear however small the chunks are. */
  #append(chunk: Buffer, start: number, end: number): Buffer {
    const length = this.#carryLength + end - start;
    let carry = this.#carry ?? Buffer.alloc(0);
    if (carry.length < length) {
      const grown = Buffer.allocUnsafe(length * 2);
      carry.copy(grown, 0, 0, this.#carryLength);
      carry = grown;
    }
    chunk.copy(carry, this.#carryLength, start, end);
    this.#carry = carry;
    this.#carryLength = length;
    return carry;
  }

  #takeCarry(): Buffer | null {
    const carry = this.#carry;
    if (carry === null) return null;
    const bytes = carry.subarray(0, this.#carryLength);
    this.#carry = null;
    this.#carryLength = 0;
    return bytes;
  }
}

/** The line's field name is `name`: followed by a colon, or by nothing at all. */
function isField(bytes: Buffer, start: number, end: number, name: string): boolean {
  const after = start + name.length;
  if (after > end || (after < end && bytes[after] !== colon)) return false;
  for (let i = 0; i < name.length; i++) {
    if (bytes[start + i] !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** What follows the colon, without one leading space. */
function fieldValue(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("utf8", bytes[start] === space && start < end ? start + 1 : start, Math.max(start, end));
}
