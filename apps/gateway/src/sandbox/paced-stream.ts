import { ChunkWriter } from "./chat-answer.ts";
import type { ChatAnswer } from "./chat-answer.ts";
import type { Exchange } from "./exchange.ts";
import type { SandboxFault } from "./faults.ts";

/** How fast an answer is written. */
export interface Pace {
  /** Milliseconds to the first token. */
  readonly firstTokenMs: number;
  /** Milliseconds between tokens; 0: none. */
  readonly tokenMs: number;
}

/** Tokens that fall due within one such period are written together, so that fast streams do not cost a timer a token. */
const shortestTickMs = 4;
/** Tokens in one write: between two, it is looked whether the client keeps up. */
const tokensPerWrite = 64;

/**
 * Writes one answer as a stream of events, at its pace. One timer at a time; a reader that does not keep up stops the
 * writing until it does, and what fell due meanwhile follows at once.
 */
export class PacedStream {
  readonly #exchange: Exchange;
  readonly #writer: ChunkWriter;
  readonly #pace: Pace;
  readonly #fault: SandboxFault | null;
  /** Tokens that are sent before the end, or before the fault that takes its place. */
  readonly #last: number;
  /** Before which token a broken event is slipped in; -1: none. */
  readonly #brokenAt: number;
  #startedAt = 0;
  #sent = 0;

  constructor(exchange: Exchange, answer: ChatAnswer, pace: Pace, fault: SandboxFault | null) {
    this.#exchange = exchange;
    this.#writer = new ChunkWriter(answer);
    this.#pace = pace;
    this.#fault = fault;
    const length = answer.pieces.length;
    const strikesAt = fault !== null && "tokens" in fault ? Math.min(fault.tokens, length) : length;
    this.#brokenAt = fault?.name === "malformed" ? strikesAt : -1;
    this.#last = fault?.name === "malformed" ? length : strikesAt;
  }

  start(): void {
    this.#exchange.sendHead("text/event-stream; charset=utf-8");
    this.#exchange.after(this.#pace.firstTokenMs, () => {
      this.#startedAt = this.#exchange.clock.now();
      this.#exchange.write(this.#writer.role());
      this.#pump();
    });
  }

  readonly #pump = (): void => {
    const due = this.#due();
    while (this.#sent < due) {
      if (!this.#exchange.write(this.#batch(due))) {
        this.#exchange.drained(this.#pump);
        return;
      }
    }
    if (this.#sent >= this.#last) {
      this.#finish();
      return;
    }
    const nextAt = this.#startedAt + this.#sent * this.#pace.tokenMs;
    this.#exchange.after(Math.max(nextAt - this.#exchange.clock.now(), shortestTickMs), this.#pump);
  };

  #due(): number {
    if (this.#pace.tokenMs === 0) return this.#last;
    const elapsed = this.#exchange.clock.now() - this.#startedAt;
    return Math.min(this.#last, Math.floor(elapsed / this.#pace.tokenMs) + 1);
  }

  #batch(due: number): string {
    const end = Math.min(due, this.#sent + tokensPerWrite);
    let events = "";
    for (; this.#sent < end; this.#sent++) {
      if (this.#sent === this.#brokenAt) events += this.#writer.broken();
      events += this.#writer.piece(this.#sent);
    }
    return events;
  }

  #finish(): void {
    const { response } = this.#exchange;
    const fault = this.#fault?.name;
    // A stalled stream stays open until the client leaves.
    if (fault === "stall") return;
    if (fault === "cut") this.#exchange.drop();
    else if (fault === "truncate") response.end();
    else {
      const broken = this.#brokenAt === this.#last ? this.#writer.broken() : "";
      response.end(broken + this.#writer.ending(fault !== "no-done"));
    }
  }
}
