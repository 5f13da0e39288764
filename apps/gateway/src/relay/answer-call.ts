import type { IncomingHttpHeaders } from "node:http";

import { formatDuration, type Failure, type Usage } from "@tuloy/contract";
import type { AnswerReading } from "@tuloy/dialects";

import { largeBytes, writeHeld } from "../turn-end.ts";
import type { UpstreamRequest } from "../upstream/outlet.ts";
import { UpstreamCall, type CallContext } from "./upstream-call.ts";

/** A whole JSON answer, in the client's dialect. */
export interface Answer {
  readonly body: Buffer;
  readonly usage: Usage | null;
  /** Characters of its content. */
  readonly textLength: number;
  /** Oddities for the trace. */
  readonly notes: readonly string[];
}

const noNotes: readonly string[] = [];

export type AnswerOutcome =
  | { readonly kind: "answered"; readonly answer: Answer }
  /** `empty` is set when the answer was whole but had nothing in it: it is shown when nobody has a better one. */
  | { readonly kind: "failed"; readonly failure: Failure; readonly empty: Answer | null };

/** Answers are held whole until they are known to be good, so there must be an end to them. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** A call whose answer is one JSON document. */
export class AnswerCall extends UpstreamCall {
  readonly #reading: AnswerReading;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #settle: (outcome: AnswerOutcome) => void;

  /** @param settle called once, unless the call is cancelled */
  constructor(
    context: CallContext,
    request: UpstreamRequest,
    reading: AnswerReading,
    settle: (outcome: AnswerOutcome) => void,
  ) {
    super(context, request);
    this.#reading = reading;
    this.#settle = settle;
  }

  get written(): number {
    return this.#bytes;
  }

  protected onGoodHead(_headers: IncomingHttpHeaders): void {}

  protected onGoodChunk(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > maxAnswerBytes)
      this.fail(this.failureOf("garbled", `the answer is larger than ${maxAnswerBytes / 1024 / 1024} MB`));
    else this.#chunks.push(chunk);
  }

  protected onGoodEnd(): void {
    const [only] = this.#chunks;
    if (this.#bytes > largeBytes) writeHeld();
    const body = this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks, this.#bytes);
    const read = this.#reading.readAnswer(body, this.context.preset);
    if (!read.ok) {
      this.fail({ ...read.failure, status: read.failure.status ?? this.status });
      return;
    }
    this.decided = true;
    this.clearTimer();
    const { usage, textLength, notes = noNotes } = read;
    const answer = { body: read.body ?? body, usage, textLength, notes };
    if (read.empty)
      this.#settle({
        kind: "failed",
        failure: this.failureOf("empty", "the answer is complete but has no content and no tool call"),
        empty: answer,
      });
    else this.#settle({ kind: "answered", answer });
  }

  protected onGoodLost(failure: Failure): void {
    this.fail(failure);
  }

  protected onFailed(failure: Failure): void {
    this.#settle({ kind: "failed", failure, empty: null });
  }

  protected limitReason(ms: number): string {
    return `no whole answer within ${formatDuration(ms)}`;
  }
}
