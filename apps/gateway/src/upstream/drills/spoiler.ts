import type { Dialect } from "@tuloy/contract";
import { failureForms, Told, upstreamCodec, type EventReader } from "@tuloy/dialects";

import { MessageCutter, SseCutter, type EventCutter, type PieceSink } from "./cutter.ts";
import type { DisturbingFault } from "./laying.ts";
import type { FaultHost } from "./line.ts";

/** What comes of an answer that is being spoiled. */
export interface Spoilt {
  readonly host: FaultHost;
  pass(bytes: Buffer): void;
  /** It ends as the provider ended it. */
  whole(): void;
  /** The fault takes the place of the rest. */
  struck(): void;
}

export interface Spoiler {
  push(chunk: Buffer): void;
  end(): void;
}

/** Passes the first half of a JSON answer, once it is whole. */
export class HalfOfJson implements Spoiler {
  readonly #out: Spoilt;
  readonly #chunks: Buffer[] = [];

  constructor(out: Spoilt) {
    this.#out = out;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  end(): void {
    const whole = Buffer.concat(this.#chunks);
    if (!this.#out.host.underWay) {
      this.#out.pass(whole);
      return this.#out.whole();
    }
    this.#out.pass(whole.subarray(0, Math.floor(whole.length / 2)));
    this.#out.struck();
  }
}

/**
 * Passes a stream event by event, until the fault's place is reached. What an event says is read as the dialect reads it, so that
 * thoughts and calls count as text does.
 */
export class EventSpoiler implements Spoiler, PieceSink {
  readonly #fault: DisturbingFault["name"];
  readonly #tokens: number;
  readonly #out: Spoilt;
  readonly #told = new Told(null);
  readonly #reader: EventReader;
  readonly #cutter: EventCutter;
  readonly #brokenEvent: Buffer;
  #seen = 0;
  /** The fault has struck, or has been slipped in: nothing more is to be done. */
  #done = false;

  /** @returns null for a dialect that has no streams */
  static of(fault: DisturbingFault, dialect: Dialect, out: Spoilt): EventSpoiler | null {
    const codec = upstreamCodec(dialect);
    if (codec === null) return null;
    return new EventSpoiler(fault, dialect, codec, out);
  }

  private constructor(
    fault: DisturbingFault,
    dialect: Dialect,
    codec: NonNullable<ReturnType<typeof upstreamCodec>>,
    out: Spoilt,
  ) {
    const { messageLength, brokenEvent } = failureForms[dialect];
    this.#fault = fault.name;
    this.#tokens = "tokens" in fault ? fault.tokens : Infinity;
    this.#out = out;
    this.#brokenEvent = brokenEvent;
    this.#reader = codec.reader(this.#told, { markers: [] });
    this.#cutter =
      codec.decoder === undefined || messageLength === undefined
        ? new SseCutter(this)
        : new MessageCutter(this, messageLength, codec.decoder);
  }

  push(chunk: Buffer): void {
    this.#cutter.push(chunk);
  }

  end(): void {
    this.#cutter.end();
    this.#out.whole();
  }

  other(bytes: Buffer): void {
    const struck = this.#done && this.#fault !== "malformed";
    if (bytes.length > 0 && !struck) this.#out.pass(bytes);
  }

  event(name: string, data: string, bytes: Buffer): void {
    if (this.#done || !this.#out.host.underWay) return this.other(bytes);
    const finished = this.#reader.finished;
    this.#told.progress = false;
    this.#reader.event(name, data);
    const last = this.#reader.finished || this.#reader.done;
    if (this.#fault === "no-done") {
      // Where the end and the terminator are one event there is no terminator to leave out.
      if (!this.#reader.done || !finished) return this.other(bytes);
    } else if (!last) {
      this.other(bytes);
      if (this.#told.progress) this.#seen += 1;
      if (this.#seen < this.#tokens) return;
    }
    this.#done = true;
    if (this.#fault !== "malformed") return this.#out.struck();
    this.#out.pass(this.#brokenEvent);
    if (last) this.other(bytes);
  }
}
