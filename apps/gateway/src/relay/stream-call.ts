import type { IncomingHttpHeaders } from "node:http";

import { formatDuration, type Failure, type Timer, type Usage } from "@tuloy/contract";
import type { AnswerReading, Resume, StreamWatch } from "@tuloy/dialects";

import type { UpstreamRequest } from "../upstream/outlet.ts";
import { UpstreamCall, type CallContext } from "./upstream-call.ts";

/** After the commit. Milliseconds. */
export interface StallLimits {
  /** No bytes at all. */
  readonly stallMs: number;
  /** Bytes, but no content. */
  readonly progressMs: number;
}

/** How a committed stream ended: whole, with the bytes that close it properly, or broken. */
export type StreamEnding =
  | { readonly kind: "whole"; readonly trailer: Buffer }
  | { readonly kind: "broken"; readonly failure: Failure };

/** Who receives a committed stream. */
export interface StreamSink {
  write(bytes: Buffer): void;
  /** Called once, after the last write. */
  ended(ending: StreamEnding): void;
}

export type StreamOutcome =
  /** Content has arrived. `pour` gives it and all that follows. */
  | { readonly kind: "committed"; readonly stream: StreamCall }
  /** `empty` is set when the stream was whole but had nothing in it: it is shown when nobody has a better one. */
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      readonly empty: { readonly body: Buffer; readonly usage: Usage | null } | null;
    };

export interface StreamOptions {
  /** The client asked for a usage chunk. */
  readonly wantsUsage: boolean;
  /** How many it asked for. */
  readonly choices: number;
  /** Keep what is sent, so that another deployment can complete it. */
  readonly keep?: boolean;
  /** Nothing is sent before the answer is whole, so that a break is invisible. */
  readonly hold?: boolean;
  /** The stream completes one that broke. */
  readonly resume?: Resume;
  readonly stallLimits: StallLimits;
  /** Called once, unless the call is cancelled before. */
  readonly settle: (outcome: StreamOutcome) => void;
}

/** What may arrive before the first content: role, pings, comments. More than this is not a model's answer. */
const maxHeldBytes = 1024 * 1024;

/** The longest answer that is held back whole (`on_partial: hold`). */
const maxHeldAnswerBytes = 8 * 1024 * 1024;

/** A server that keeps its connection open after the last event is given this long before it is cut. */
const lingerMs = 2000;

/** All content is here, only the terminator is missing: it is not waited for as long as content would be. */
const terminatorMs = 5000;

const noBytes = Buffer.alloc(0);

/** A call whose answer is a stream: held back until its first content, then poured into a sink while being watched. */
export class StreamCall extends UpstreamCall {
  readonly #reading: AnswerReading;
  readonly #wantsUsage: boolean;
  readonly #choices: number;
  readonly #keep: boolean;
  readonly #resume: Resume | undefined;
  readonly #stallLimits: StallLimits;
  readonly #settle: (outcome: StreamOutcome) => void;
  #watch: StreamWatch | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #sink: StreamSink | null = null;
  #ending: StreamEnding | null = null;
  #afterCommit: Timer | null = null;
  #paused = false;
  /** The whole answer is waited for. */
  #holding: boolean;
  /** Characters that the client had been sent of the answer that this stream completes. */
  #sentBefore = 0;
  #lastByteAt = 0;
  #lastContentAt = 0;

  constructor(context: CallContext, request: UpstreamRequest, reading: AnswerReading, options: StreamOptions) {
    super(context, request);
    this.#reading = reading;
    this.#wantsUsage = options.wantsUsage;
    this.#choices = options.choices;
    this.#keep = options.keep === true;
    this.#holding = options.hold === true;
    this.#resume = options.resume;
    this.#stallLimits = options.stallLimits;
    this.#settle = options.settle;
  }

  /** What was seen of the stream so far; null before its head. */
  get seen(): Pick<StreamWatch, "usage" | "textLength" | "notes" | "sent" | "head"> | null {
    return this.#watch;
  }

  get written(): number {
    return this.#watch?.textLength ?? 0;
  }

  /** Hands over what was held and everything that follows. Only after `committed`, once. */
  pour(sink: StreamSink): void {
    this.#sink = sink;
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) this.#emit(bytes);
    if (this.#ending) sink.ended(this.#ending);
    else this.#watchStalls();
  }

  /** The sink can take no more for now. What was read already still comes. */
  pause(): void {
    if (this.#paused || this.exchange.over) return;
    this.#paused = true;
    this.exchange.pause();
  }

  /** The sink can take more. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#lastByteAt = this.context.clock.now();
    this.#lastContentAt = this.#lastByteAt;
    this.exchange.resume();
  }

  override cancel(): void {
    super.cancel();
    this.#afterCommit?.cancel();
  }

  protected onGoodHead(headers: IncomingHttpHeaders): void {
    if (this.#resume) this.#sentBefore = this.#resume.sent.length;
    this.#watch = this.#reading.watch({
      wantsUsage: this.#wantsUsage,
      choices: this.#choices,
      preset: this.context.preset,
      contentType: headers["content-type"] ?? null,
      keep: this.#keep,
      resume: this.#resume,
    });
  }

  protected onGoodChunk(chunk: Buffer): void {
    const watch = this.#watch;
    if (!watch || this.#ending) return;
    const now = this.context.clock.now();
    this.#lastByteAt = now;
    watch.push(chunk);
    if (watch.progress) this.#lastContentAt = now;
    for (const bytes of watch.forward) this.#emit(bytes);
    // What completes an answer has noted as sent what it added: the client must get it, whatever becomes of the rest.
    if (this.#resume && !this.decided && this.#resume.sent.length > this.#sentBefore) this.#commit();
    // Trouble first: content that came in the same chunk was not sent yet, so the attempt can still be replaced unseen.
    if (watch.failure) this.#break(watch.failure);
    else if (watch.done) this.#finish(watch);
    else if (!watch.committed) this.#boundHeld(chunk.length);
    else if (!this.decided) {
      if (this.#holding) this.#hold(chunk.length, now);
      else this.#commit();
    }
  }

  /** Content is here and not sent: from the first on it must not stall, and what is too long to be held is sent after all. */
  #hold(added: number, now: number): void {
    this.#heldBytes += added;
    if (this.#heldBytes > maxHeldAnswerBytes) {
      this.#holding = false;
      this.#afterCommit?.cancel();
      this.#commit();
    } else if (this.contentAt === null) {
      this.contentAt = now;
      this.clearTimer();
      this.#watchStalls();
    }
  }

  protected onGoodEnd(): void {
    this.#afterCommit?.cancel();
    if (this.#watch && !this.#ending) this.#finish(this.#watch);
  }

  protected onGoodLost(failure: Failure): void {
    this.#afterCommit?.cancel();
    if (this.#ending) return;
    // All content is here; what is missing is only the terminator. That is an answer.
    if (this.#watch?.complete) this.#finish(this.#watch);
    else if (this.decided && failure.class !== "internal") this.#break({ ...failure, class: "truncated" });
    else this.#break(failure);
  }

  protected onFailed(failure: Failure): void {
    this.#settle({ kind: "failed", failure, empty: null });
  }

  protected limitReason(ms: number): string {
    return `no content within ${formatDuration(ms)}`;
  }

  #commit(): void {
    this.decided = true;
    this.contentAt ??= this.context.clock.now();
    this.clearTimer();
    this.#settle({ kind: "committed", stream: this });
  }

  #emit(bytes: Buffer): void {
    if (this.#sink) this.#sink.write(bytes);
    else this.#held.push(bytes);
  }

  /** The upstream is done, or said so: was it a whole answer? */
  #finish(watch: StreamWatch): void {
    const end = watch.end();
    if (end.ok) {
      if (!this.decided) this.#commit();
      this.#conclude({ kind: "whole", trailer: end.trailer });
    } else if (end.failure.class === "empty" && !this.decided) {
      const body = Buffer.concat([...this.#held, end.trailer ?? noBytes]);
      this.cancel();
      this.#settle({ kind: "failed", failure: this.#withStatus(end.failure), empty: { body, usage: watch.usage } });
    } else {
      this.#break(end.failure);
    }
  }

  /** Before the commit this is a failed call that can be replaced unseen; after it, a broken stream. */
  #break(failure: Failure): void {
    if (!this.decided) this.fail(this.#withStatus(failure));
    else this.#conclude({ kind: "broken", failure: this.tellable(this.#withStatus(failure)) });
  }

  #conclude(ending: StreamEnding): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#afterCommit?.cancel();
    if (ending.kind === "broken") this.exchange.cancel();
    // The end of the response follows the terminator at once; waiting for it keeps the connection for the next request.
    else if (!this.exchange.over) this.#afterCommit = this.context.clock.after(lingerMs, () => this.exchange.cancel());
    this.#sink?.ended(ending);
  }

  #boundHeld(added: number): void {
    this.#heldBytes += added;
    if (this.#heldBytes > maxHeldBytes) this.fail(this.failureOf("garbled", "a megabyte arrived without any content"));
  }

  #withStatus(failure: Failure): Failure {
    return failure.status === null ? { ...failure, status: this.status } : failure;
  }

  /** One timer for all limits, looked at when it fires instead of being moved at every chunk. */
  #watchStalls(): void {
    const { clock } = this.context;
    const now = clock.now();
    if (this.#lastByteAt === 0) this.#lastByteAt = now;
    if (this.#lastContentAt === 0) this.#lastContentAt = now;
    const complete = this.#watch?.complete === true;
    const quietLimit = complete ? Math.min(terminatorMs, this.#stallLimits.stallMs) : this.#stallLimits.stallMs;
    const quietFor = now - this.#lastByteAt;
    const idleFor = now - this.#lastContentAt;
    if (this.#paused) {
      this.#checkStallsIn(quietLimit);
    } else if (quietFor >= quietLimit) {
      if (complete && this.#watch) this.#finish(this.#watch);
      else
        this.#break(this.failureOf("stall", `no bytes for ${formatDuration(quietLimit)} in the middle of the answer`));
    } else if (idleFor >= this.#stallLimits.progressMs) {
      this.#break(
        this.failureOf(
          "stall",
          `no content for ${formatDuration(this.#stallLimits.progressMs)} in the middle of the answer`,
        ),
      );
    } else {
      this.#checkStallsIn(Math.min(quietLimit - quietFor, this.#stallLimits.progressMs - idleFor));
    }
  }

  #checkStallsIn(ms: number): void {
    this.#afterCommit = this.context.clock.after(Math.max(ms, 1), () => this.#watchStalls());
  }
}
