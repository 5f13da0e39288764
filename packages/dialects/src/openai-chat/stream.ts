import type { Failure, FailureClass, Usage } from "@tuloy/contract";

import { SentAnswer } from "../completion/sent.ts";
import { classifyErrorEvent, classifyErrorObject } from "../failure/classify.ts";
import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import { ForwardRun } from "../sse/forward.ts";
import { Impostor } from "../sse/impostor.ts";
import { SseReader, type SseSink } from "../sse/reader.ts";
import { firstInk, sniff } from "../sse/sniff.ts";
import type { StreamEnd, StreamWatch, WatchOptions } from "../stream-watch.ts";
import { contentLength } from "./content.ts";
import { choiceIndex, noteChunk } from "./deltas.ts";
import { ResumedEvents } from "./resumed.ts";
import { trailer } from "./trailer.ts";
import { readUsage } from "./usage.ts";

/** A stream of nothing but bad events must not fill the trace. */
const maxNotes = 20;

const noBytes = Buffer.alloc(0);

function failed(failure: FailureClass, reason: string): Failure {
  return { class: failure, reason, status: 200, code: null, retryAfterMs: null };
}

/** Watches a stream of `chat.completion.chunk` events. */
export class ChatStreamWatch implements StreamWatch, SseSink {
  forward: readonly Buffer[] = [];
  progress = false;
  committed = false;
  failure: Failure | null = null;
  done = false;
  usage: Usage | null = null;
  textLength = 0;
  readonly notes: string[] = [];
  readonly sent: SentAnswer | null;

  readonly #options: WatchOptions;
  readonly #reader: SseReader;
  readonly #run = new ForwardRun();
  /** A byte that is no white space has come. */
  #sniffed = false;
  #impostor: Impostor | null = null;
  /** The last one seen. */
  #finishReason: string | null = null;
  /** Whether each choice index seen has finished. */
  readonly #finished = new Map<number, boolean>();
  /** The text of the last choice, where it is all that it holds and the choice is the first; else null. */
  #plain: string | null = null;
  /** The last find was forwarded, so what belongs to it is too. */
  #forwarding = true;
  /** This stream completes another: its events are rewritten to be the rest of that one. */
  readonly #resumed: ResumedEvents | null;
  #rewritten: Buffer[] = [];
  #chunk: Buffer = noBytes;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#resumed = options.resume ? new ResumedEvents(options.resume) : null;
    this.sent = options.resume?.sent ?? (options.keep === true ? new SentAnswer() : null);
    this.#reader = new SseReader(this, options.maxEventBytes);
  }

  push(chunk: Buffer): void {
    this.progress = false;
    this.forward = [];
    if (this.failure !== null || this.done) return;
    let bytes = chunk;
    if (!this.#sniffed) {
      bytes = chunk.subarray(firstInk(chunk));
      const first = bytes[0];
      if (first === undefined) return;
      this.#sniffed = true;
      const kind = sniff(this.#options.contentType, first);
      if (kind !== "events") this.#impostor = new Impostor(kind, this.#options.preset);
      if (bytes.length === chunk.length) bytes = chunk;
    }
    if (this.#impostor !== null) {
      this.failure = this.#impostor.push(bytes);
      return;
    }
    this.#run.begin(bytes);
    this.#chunk = bytes;
    const read = this.#reader.push(bytes);
    this.forward = this.#resumed === null ? this.#run.finish() : this.#takeRewritten();
    if (read === "event_too_large") this.failure ??= failed("garbled", "an event of the stream is larger than allowed");
  }

  end(): StreamEnd {
    this.failure ??= this.#impostor === null ? this.#verdict() : this.#impostor.end();
    if (this.failure !== null) {
      const { failure } = this;
      return failure.class === "empty" ? { ok: false, failure, trailer } : { ok: false, failure };
    }
    if (!this.done) this.#note("the stream had no [DONE]; it was added");
    return { ok: true, trailer };
  }

  event(name: string, data: string, carry: Buffer | null, start: number, end: number): void {
    this.#forwarding = !this.#ended && this.#accept(name, data) && this.#resumed === null;
    if (this.#forwarding) this.#run.take(carry, start, end);
  }

  comment(_text: string, carry: Buffer | null, start: number, end: number): void {
    if (start >= end && carry === null) return;
    this.filler(carry, start, end);
    if (this.#resumed === null || this.#ended) return;
    if (carry !== null) this.#rewritten.push(carry);
    this.#rewritten.push(this.#chunk.subarray(start, end));
  }

  filler(carry: Buffer | null, start: number, end: number): void {
    this.#forwarding = !this.#ended && this.#resumed === null;
    if (this.#forwarding) this.#run.take(carry, start, end);
  }

  tail(start: number, end: number): void {
    if (this.#forwarding) this.#run.take(null, start, end);
  }

  #takeRewritten(): readonly Buffer[] {
    const rewritten = this.#rewritten;
    this.#rewritten = [];
    return rewritten;
  }

  get complete(): boolean {
    return this.#finished.size >= this.#options.choices && this.#allSeenFinished;
  }

  get #allSeenFinished(): boolean {
    for (const finished of this.#finished.values()) if (!finished) return false;
    return true;
  }

  /** After the terminator or an error nothing more goes on. */
  get #ended(): boolean {
    return this.done || this.failure !== null;
  }

  /** @returns whether the event may go to the client */
  #accept(name: string, data: string): boolean {
    if (data === "[DONE]") {
      this.done = true;
      return false;
    }
    if (name === "error") {
      this.failure = classifyErrorEvent(data, this.#options.preset);
      return false;
    }
    const chunk = parseJson(data);
    if (!isObject(chunk)) {
      this.#note("an event that is not a JSON object was left out");
      return false;
    }
    // A chunk with choices and no error is by far the most common.
    const { choices } = chunk;
    if (!Array.isArray(choices) || (chunk.error !== undefined && chunk.error !== null) || chunk.object === "error") {
      this.failure = classifyErrorObject(chunk, this.#options.preset);
      if (this.failure !== null) return false;
    }
    if (Array.isArray(choices)) {
      this.#plain = null;
      for (const choice of choices) if (isObject(choice)) this.#choice(choice);
      if (this.failure !== null) return false;
    }
    if (chunk.usage !== undefined && chunk.usage !== null) {
      this.usage = readUsage(chunk.usage) ?? this.usage;
      // Ours was the wish for this chunk, so the client does not expect it.
      if (!this.#options.wantsUsage && (!Array.isArray(choices) || choices.length === 0)) return false;
    }
    if (this.sent !== null && Array.isArray(choices)) this.#hand(chunk, choices, this.sent);
    return true;
  }

  /** An event that the client gets: noted, and in a stream that completes another, rewritten. */
  #hand(chunk: JsonObject, choices: readonly unknown[], sent: SentAnswer): void {
    if (this.#resumed === null) {
      // Nearly every event is a piece of text and nothing else.
      if (this.#plain === null || choices.length !== 1 || !sent.addText(this.#plain)) noteChunk(sent, chunk, choices);
      return;
    }
    const event = this.#resumed.event(chunk);
    if (event !== null) this.#rewritten.push(event);
    // Not the provider's fault: to it, this was a request like any other.
    const { misfit } = this.#resumed;
    if (misfit !== null) this.failure = failed("cancelled", `it does not fit what was sent: ${misfit}`);
  }

  #choice(choice: JsonObject): void {
    const index = choiceIndex(choice);
    const reason = text(choice.finish_reason);
    if (reason !== null) {
      this.#finishReason = reason;
      this.#finished.set(index, true);
      // OpenRouter ends a choice so when the provider behind it failed.
      if (reason === "error") this.failure = failed("server_error", "the answer ended with finish_reason error");
    } else if (!this.#finished.has(index)) {
      this.#finished.set(index, false);
    }
    if (!isObject(choice.delta)) return;
    const length = contentLength(choice.delta);
    if (length === 0) return;
    const { content } = choice.delta;
    const more = choice.delta.reasoning_details !== undefined || index !== 0 || reason !== null;
    if (typeof content === "string" && content.length === length && !more) this.#plain = content;
    this.textLength += length;
    this.progress = true;
    this.committed = true;
  }

  /** What is wrong with a stream that ended without an error, or null. */
  #verdict(): Failure | null {
    const { size } = this.#finished;
    if (size === 0) return failed("truncated", "the stream ended before any answer");
    if (!this.#allSeenFinished) return failed("truncated", "the stream ended without a finish reason");
    // Some servers know only one choice, whatever was asked: their [DONE] says that this is all. Without it, nobody does.
    if (!this.complete && !this.done) {
      return failed("truncated", `the stream ended after ${size} of ${this.#options.choices} choices`);
    }
    // What completes an answer may have nothing to add to it.
    if (this.#resumed !== null) return null;
    const said = this.committed || (this.usage?.output_tokens ?? 0) > 0;
    // Silence by a filter is an answer: another deployment would only evade the filter.
    if (said || this.#finishReason === "content_filter") return null;
    return failed("empty", "the stream is complete but holds no content");
  }

  #note(note: string): void {
    if (this.notes.length < maxNotes) this.notes.push(note);
  }
}
