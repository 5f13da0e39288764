import { SseReader, type StreamDecoder, type UpstreamCodec } from "@tuloy/dialects";

/** Receives a stream piece by piece, without a byte lost. */
export interface PieceSink {
  /** One whole event. */
  event(name: string, data: string, bytes: Buffer): void;
  /** What lies between events, and what is none. */
  other(bytes: Buffer): void;
}

/** Cuts a stream into its events, wherever its chunks are cut. */
export interface EventCutter {
  push(chunk: Buffer): void;
  /** The stream ends: what is left of an event that did not come to its end. */
  end(): void;
}

/** Cuts server-sent events. */
export class SseCutter implements EventCutter {
  readonly #sink: PieceSink;
  readonly #reader: SseReader;
  #chunk: Buffer = Buffer.alloc(0);
  /** Where the last find in the chunk ended; null: none ended in it. */
  #foundTo: number | null = null;
  /** What has come since the last find. */
  #open: Buffer[] = [];

  constructor(sink: PieceSink) {
    this.#sink = sink;
    const other = (carry: Buffer | null, start: number, end: number): void => sink.other(this.#find(carry, start, end));
    this.#reader = new SseReader({
      event: (name, data, carry, start, end) => sink.event(name, data, this.#find(carry, start, end)),
      comment: (_text, carry, start, end) => other(carry, start, end),
      filler: other,
      tail: (start, end) => other(null, start, end),
    });
  }

  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#foundTo = null;
    this.#reader.push(chunk);
    if (this.#foundTo !== null) this.#open = [];
    this.#open.push(chunk.subarray(this.#foundTo ?? 0));
  }

  end(): void {
    this.#sink.other(Buffer.concat(this.#open));
  }

  #find(carry: Buffer | null, start: number, end: number): Buffer {
    // A comment inside an event has no bytes of its own, and the event's are not over with it.
    if (carry !== null || end > start) this.#foundTo = Math.max(this.#foundTo ?? 0, end);
    const rest = this.#chunk.subarray(start, end);
    return carry === null ? rest : Buffer.concat([carry, rest]);
  }
}

/** Cuts a framing whose messages say how long they are, and has them read one by one. */
export class MessageCutter implements EventCutter {
  readonly #sink: PieceSink;
  readonly #lengthOf: (bytes: Buffer) => number | null;
  readonly #decoder: StreamDecoder;
  #open: Buffer = Buffer.alloc(0);
  /** What the message that is being read says; null: nothing that is an event. */
  #said: { readonly name: string; readonly data: string } | null = null;
  /** The framing is broken: nothing can be told apart any more. */
  #lost = false;

  constructor(
    sink: PieceSink,
    lengthOf: (bytes: Buffer) => number | null,
    decoderOf: NonNullable<UpstreamCodec["decoder"]>,
  ) {
    this.#sink = sink;
    this.#lengthOf = lengthOf;
    this.#decoder = decoderOf({ event: (name, data) => (this.#said = { name, data }) });
  }

  push(chunk: Buffer): void {
    this.#open = Buffer.concat([this.#open, chunk]);
    while (!this.#lost) {
      const length = this.#lengthOf(this.#open);
      if (length === null || this.#open.length < length) return;
      this.#take(length);
    }
    this.end();
  }

  end(): void {
    const rest = this.#open;
    this.#open = Buffer.alloc(0);
    this.#sink.other(rest);
  }

  #take(length: number): void {
    const bytes = this.#open.subarray(0, length);
    this.#said = null;
    const read = length === 0 ? "broken_frame" : this.#decoder.push(bytes);
    if (read !== "ok") {
      this.#lost = true;
      return;
    }
    this.#open = this.#open.subarray(length);
    const said = this.#said as { readonly name: string; readonly data: string } | null;
    if (said === null) this.#sink.other(bytes);
    else this.#sink.event(said.name, said.data, bytes);
  }
}
