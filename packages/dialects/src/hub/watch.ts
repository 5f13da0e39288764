import type { Failure, FailureClass, Usage } from "@tuloy/contract";

import { SentAnswer } from "../completion/sent.ts";
import type { JsonObject } from "../json/value.ts";
import { ForwardRun } from "../sse/forward.ts";
import { Impostor } from "../sse/impostor.ts";
import { SseReader, type SseSink } from "../sse/reader.ts";
import { firstInk, sniff } from "../sse/sniff.ts";
import type { StreamEnd, StreamWatch, WatchOptions } from "../stream-watch.ts";
import type {
  ClientCodec,
  EventReader,
  EventSink,
  EventWriter,
  StreamDecoder,
  UpstreamCodec,
  WriteContext,
} from "./codec.ts";
import { InTurn } from "./in-turn.ts";
import { Outgoing } from "./outgoing.ts";
import { Resumed } from "./resumed.ts";
import { Told } from "./told.ts";

const nothing: readonly Buffer[] = [];
const noBytes = Buffer.alloc(0);

function failed(failure: FailureClass, reason: string): Failure {
  return { class: failure, reason, status: 200, code: null, retryAfterMs: null };
}

const tooLarge = "an event of the stream is larger than allowed";
const broken = "the stream's frames are broken";

/** What all watches through the hub have in common: the books of what was told, and the verdict on a stream that ended. */
abstract class HubWatch implements StreamWatch {
  forward: readonly Buffer[] = nothing;
  readonly sent: SentAnswer | null;
  protected readonly told: Told;
  protected readonly reader: EventReader;
  readonly #options: WatchOptions;
  /** The dialect's own framing is no text, so only JSON and pages are told from it. */
  readonly #binary: boolean;
  #sniffed = false;
  #impostor: Impostor | null = null;

  protected constructor(options: WatchOptions, codec: UpstreamCodec, told: Told, sent: SentAnswer | null) {
    this.#options = options;
    this.#binary = codec.decoder !== undefined;
    this.told = told;
    this.sent = sent;
    this.reader = codec.reader(told, options.preset);
  }

  push(chunk: Buffer): void {
    this.told.progress = false;
    this.forward = nothing;
    if (this.ended) return;
    const bytes = this.#sniffed ? chunk : this.#sniff(chunk);
    if (bytes.length === 0) return;
    if (this.#impostor === null) {
      this.forward = this.read(bytes);
      return;
    }
    const failure = this.#impostor.push(bytes);
    if (failure !== null) this.told.fail(failure);
  }

  end(): StreamEnd {
    const { told } = this;
    if (told.failure === null) {
      const failure = this.#impostor === null ? this.#verdict() : this.#impostor.end();
      if (failure !== null) told.fail(failure);
    }
    const { failure } = told;
    if (failure === null) return { ok: true, trailer: this.trailer() };
    if (failure.class !== "empty") return { ok: false, failure };
    return { ok: false, failure, trailer: this.trailer() };
  }

  get progress(): boolean {
    return this.told.progress;
  }

  get committed(): boolean {
    return this.told.committed;
  }

  get failure(): Failure | null {
    return this.told.failure;
  }

  get done(): boolean {
    return this.reader.done;
  }

  get complete(): boolean {
    return this.reader.finished;
  }

  get usage(): Usage | null {
    return this.told.counted;
  }

  get textLength(): number {
    return this.told.textLength;
  }

  get notes(): readonly string[] {
    return this.told.notes;
  }

  /** Reads the bytes of a stream. @returns what may go to the client */
  protected abstract read(bytes: Buffer): readonly Buffer[];

  /** What closes the stream that the client gets. */
  protected abstract trailer(): Buffer;

  /** After the terminator or an error nothing more goes on. */
  protected get ended(): boolean {
    return this.told.failure !== null || this.reader.done;
  }

  /** @returns whether it may go on */
  protected accept(name: string, data: string): boolean {
    const known = this.reader.event(name, data);
    if (!known && this.told.failure === null) this.told.note("an event that is none of its dialect was left out");
    return known && this.told.failure === null;
  }

  protected unreadable(read: ReturnType<StreamDecoder["push"]>): void {
    if (read !== "ok") this.told.fail(failed("garbled", read === "event_too_large" ? tooLarge : broken));
  }

  /** Whether an event can be taken for the answer's end. Overridden where nothing has to be added. */
  #verdict(): Failure | null {
    const { told, reader } = this;
    if (!reader.finished) {
      return failed(
        "truncated",
        told.committed ? "the stream ended without a finish reason" : "the stream ended before any answer",
      );
    }
    // What completes an answer may have nothing to add to it.
    if (this.#options.resume) return null;
    const said = told.committed || (told.counted?.output_tokens ?? 0) > 0;
    // Silence by a filter is an answer: another deployment would only evade the filter.
    if (said || told.ending === "content_filter" || told.ending === "refusal") return null;
    return failed("empty", "the stream is complete but holds no content");
  }

  /** @returns the bytes of the stream, empty while there is nothing but white space */
  #sniff(chunk: Buffer): Buffer {
    const at = firstInk(chunk);
    const bytes = at === 0 ? chunk : chunk.subarray(at);
    const [first] = bytes;
    if (first === undefined) return noBytes;
    this.#sniffed = true;
    const seen = sniff(this.#options.contentType, first);
    const kind = this.#binary && seen === "text" ? "events" : seen;
    if (kind !== "events") this.#impostor = new Impostor(kind, this.#options.preset);
    return bytes;
  }
}

/** What a dialect's own streams need to be watched with, besides its codec. */
export interface ExpressParts {
  readonly codec: UpstreamCodec;
  /** See `ClientDialect.headOf`. */
  readonly headOf?: ((name: string, data: string) => JsonObject | null) | undefined;
  /** See `ClientDialect.follow`. */
  readonly follow?: ((head: JsonObject, name: string, data: string) => void) | undefined;
  /** Written where a stream that is whole has no terminator of its own. */
  readonly trailer: Buffer;
}

/** Books of a stream that is forwarded as it came: what the hub has no place for is not left out of it. */
class ForwardedTold extends Told {
  override left(_what: string): void {}
}

/** Watches a stream of server-sent events in the client's own dialect: the bytes pass as they come. */
export class ExpressWatch extends HubWatch implements SseSink {
  readonly #parts: ExpressParts;
  readonly #events: SseReader;
  readonly #run = new ForwardRun();
  head: JsonObject | null = null;
  #chunk: Buffer = noBytes;
  /** The last find was forwarded, so what belongs to it is too. */
  #forwarding = true;
  /** The terminator as it came, held back so that it never follows an error. */
  #terminator: Buffer | null = null;

  constructor(options: WatchOptions, parts: ExpressParts) {
    // What completes another stream can't pass as it comes: that would be a fault of whoever picked the lane.
    if (options.resume) throw new Error("a stream that completes another was to be forwarded as it comes");
    const sent = options.keep === true ? new SentAnswer() : null;
    super(options, parts.codec, new ForwardedTold(sent === null ? null : new Outgoing(sent, null)), sent);
    this.#parts = parts;
    this.#events = new SseReader(this, options.maxEventBytes);
  }

  event(name: string, data: string, carry: Buffer | null, start: number, end: number): void {
    this.#forwarding = !this.ended && this.accept(name, data);
    if (!this.#forwarding) return;
    if (this.reader.done) {
      const bytes = this.#chunk.subarray(start, end);
      this.#terminator = carry === null ? bytes : Buffer.concat([carry, bytes]);
      this.#forwarding = false;
      return;
    }
    this.#run.take(carry, start, end);
    if (this.head !== null) {
      this.#parts.follow?.(this.head, name, data);
      return;
    }
    this.head = this.#parts.headOf?.(name, data) ?? null;
    if (this.sent !== null) this.sent.head = this.head;
  }

  comment(_text: string, carry: Buffer | null, start: number, end: number): void {
    if (start < end || carry !== null) this.filler(carry, start, end);
  }

  filler(carry: Buffer | null, start: number, end: number): void {
    this.#forwarding = !this.ended;
    if (this.#forwarding) this.#run.take(carry, start, end);
  }

  tail(start: number, end: number): void {
    if (this.#forwarding) this.#run.take(null, start, end);
  }

  protected read(bytes: Buffer): readonly Buffer[] {
    this.#run.begin(bytes);
    this.#chunk = bytes;
    this.unreadable(this.#events.push(bytes));
    return this.#run.finish();
  }

  protected trailer(): Buffer {
    if (this.#terminator !== null) return this.#terminator;
    if (this.#parts.trailer.length > 0) this.told.note("the stream had no terminator; it was added");
    return this.#parts.trailer;
  }
}

/** What a stream is translated with. */
export interface TranslatedParts {
  readonly upstream: UpstreamCodec;
  readonly client: ClientCodec;
  readonly context: WriteContext;
  readonly heartbeat: Buffer;
}

/** Watches a stream of one dialect and writes it in another, or in the same where it completes one that broke. */
export class TranslatedWatch extends HubWatch implements EventSink {
  readonly #writer: EventWriter;
  readonly #resumed: Resumed | null;
  readonly #inTurn: InTurn | null;
  readonly #decoder: StreamDecoder;
  readonly #heartbeat: Buffer;
  head: JsonObject | null = null;
  /** Something whole has come with this chunk. */
  #lives = false;

  constructor(options: WatchOptions, parts: TranslatedParts) {
    const { upstream, client, context, heartbeat } = parts;
    const { resume } = options;
    const sent = resume?.sent ?? (options.keep === true ? new SentAnswer() : null);
    // Before the filter, which may restart what was sent.
    const writer = client.eventWriter(context, resume ?? null);
    const outgoing = new Outgoing(sent, writer, resume?.mode === "replay");
    const resumed = resume ? new Resumed(resume, outgoing) : null;
    // Before what was sent is taken out, which stands in turn.
    const inTurn = client.inTurn ? new InTurn(resumed ?? outgoing) : null;
    super(options, upstream, new Told(inTurn ?? resumed ?? outgoing), sent);
    this.#writer = writer;
    this.#resumed = resumed;
    this.#inTurn = inTurn;
    this.#heartbeat = heartbeat;
    this.#decoder = upstream.decoder?.(this) ?? new SseDecoder(this, options.maxEventBytes);
  }

  event(name: string, data: string): void {
    if (this.ended) return;
    this.#lives = true;
    this.accept(name, data);
    const misfit = this.#resumed?.misfit ?? null;
    // Not the provider's fault: to it, this was a request like any other.
    if (misfit !== null) this.told.fail(failed("cancelled", `it does not fit what was sent: ${misfit}`));
    const outOfTurn = this.#inTurn?.failure ?? null;
    if (outOfTurn !== null) this.told.fail(outOfTurn);
  }

  comment(): void {
    this.#lives = true;
  }

  protected read(bytes: Buffer): readonly Buffer[] {
    this.#lives = false;
    this.unreadable(this.#decoder.push(bytes));
    const written = this.#writer.take();
    this.head ??= this.#writer.head;
    if (this.sent !== null) this.sent.head ??= this.head;
    if (written.length > 0) return written;
    // A ping is a sign of life to the client too, in its own dialect.
    return this.#lives && this.committed && !this.ended ? [this.#heartbeat] : nothing;
  }

  protected trailer(): Buffer {
    return this.#writer.end();
  }
}

/** Server-sent events without their bytes. */
class SseDecoder implements StreamDecoder, SseSink {
  readonly #sink: EventSink & { comment(): void };
  readonly #reader: SseReader;

  constructor(sink: EventSink & { comment(): void }, maxEventBytes: number | undefined) {
    this.#sink = sink;
    this.#reader = new SseReader(this, maxEventBytes);
  }

  push(chunk: Buffer): "ok" | "event_too_large" {
    return this.#reader.push(chunk);
  }

  event(name: string, data: string): void {
    this.#sink.event(name, data);
  }

  comment(): void {
    this.#sink.comment();
  }

  filler(): void {}

  tail(): void {}
}
