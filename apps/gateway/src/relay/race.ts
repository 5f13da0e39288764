import { formatDuration, type AttemptRecord, type Failure, type Timer } from "@tuloy/contract";
import type { Call, Course, Race } from "@tuloy/routing";

import type { AttemptContext, AttemptResult, CallOutcome, SetAside } from "./attempt.ts";
import { estimateUsage } from "./estimate.ts";
import type { Interruption } from "./interrupt.ts";
import type { Asked } from "./read.ts";
import { recordAttempt, type OpenAttempt } from "./record.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/** What a race works with; the functions are the loop's own, which makes calls one after the other with them. */
export interface RaceParts {
  readonly asked: Asked;
  readonly course: Course;
  /** The attempts that are over; a race adds its own. */
  readonly records: AttemptRecord[];
  readonly context: AttemptContext;
  make(open: OpenAttempt, mayCut: () => boolean, settle: (outcome: CallOutcome) => void): UpstreamCall;
  /** Tells the course that a running call is left, and says why. */
  leave(open: OpenAttempt, reason: Interruption, now: number): Failure;
  fault(error: unknown): CallOutcome;
}

export interface Raced {
  /** Null: nothing runs any more and nothing stands; the course is to be asked again. */
  readonly result: Extract<AttemptResult, { kind: "stream" | "answer" | "interrupted" }> | null;
  /** The first empty answer, in case nobody has a better one. */
  readonly empty: SetAside | null;
}

/** Makes a call, and others after and beside it as the course says, until one of them answers or none is left. */
export function race(first: Call, law: Race, parts: RaceParts): Promise<Raced> {
  return new Promise((resolve) => new Racing(law, parts, resolve).begin(first));
}

class Racing {
  readonly #law: Race;
  readonly #parts: RaceParts;
  readonly #resolve: (raced: Raced) => void;
  readonly #open: OpenAttempt[] = [];
  #empty: SetAside | null = null;
  /** Until the hedge is due. */
  #timer: Timer | null = null;

  constructor(law: Race, parts: RaceParts, resolve: (raced: Raced) => void) {
    this.#law = law;
    this.#parts = parts;
    this.#resolve = resolve;
  }

  begin(first: Call): void {
    this.#parts.context.interrupt.listen((reason) => this.#interrupted(reason));
    this.#start(first);
    if (this.#open.length > 0) this.#goOn();
  }

  #start(call: Call): void {
    const open: OpenAttempt = { call, startedAt: this.#now(), upstream: null };
    this.#open.push(open);
    try {
      const upstream = this.#parts.make(
        open,
        () => this.#limitPassed(open),
        (outcome) => this.#settled(open, outcome),
      );
      open.upstream = upstream;
      upstream.start();
    } catch (error) {
      this.#settled(open, this.#parts.fault(error));
    }
  }

  /** Does what the course says until there is nothing to do but wait. */
  #goOn(): void {
    this.#noteAnswering();
    while (this.#open.length > 0) {
      const step = this.#law.beside(this.#now());
      if (step.do === "call") {
        this.#start(step.call);
      } else if (step.do === "stop") {
        this.#law.abandon(this.#now());
        this.#closeLosers("the request ended with another deployment's answer");
        this.#end(null);
      } else {
        this.#wait(step.ms);
        return;
      }
    }
  }

  /** A held answer says nothing by itself before it is whole: it is looked at when something is to be decided. */
  #noteAnswering(): void {
    for (const { call, upstream } of this.#open) {
      if (upstream !== null && upstream.contentAt !== null) this.#law.answers(call);
    }
  }

  #wait(ms: number | null): void {
    // A call that ended at its very start has been here already.
    this.#timer?.cancel();
    this.#timer = ms === null ? null : this.#parts.context.clock.after(ms, this.#due);
  }

  /** A busy process runs its timers before it reads its sockets: one turn for the answer that may be waiting there. */
  #due = (): void => {
    this.#timer = this.#parts.context.clock.after(0, () => this.#goOn());
  };

  #settled(open: OpenAttempt, outcome: CallOutcome): void {
    if (!this.#take(open)) return;
    const now = this.#now();
    switch (outcome.kind) {
      case "stream":
      case "answer":
        this.#noteAnswering();
        this.#law.won(open.call, now);
        this.#closeLosers("another deployment answered first");
        if (outcome.kind === "stream")
          this.#parts.course.committed(open.call, now, (outcome.stream.contentAt ?? now) - open.startedAt);
        this.#end(outcome);
        return;
      case "failed": {
        this.#parts.course.failed(open.call, outcome.failure, now);
        const record = this.#record(open, outcome.failure, outcome.empty?.usage ?? null);
        if (outcome.empty) this.#empty ??= { record, body: outcome.empty.body, usage: outcome.empty.usage };
        if (this.#open.length > 0) this.#goOn();
        else this.#end(null);
        return;
      }
      case "interrupted":
        this.#interrupted(outcome.reason);
    }
  }

  /** @returns whether the call is to fail, as one that nothing runs beside does at its limit */
  #limitPassed(open: OpenAttempt): boolean {
    this.#noteAnswering();
    const cut = this.#law.limitPassed(open.call, this.#now());
    if (cut === open.call && this.#open.length === 1) return true;
    open.slow = true;
    const late = this.#open.find(({ call }) => call === cut);
    if (late) this.#cut(late);
    this.#goOn();
    return false;
  }

  /** Two calls are late, and the older makes room for another. */
  #cut(open: OpenAttempt): void {
    this.#take(open);
    open.upstream?.cancel();
    const ran = formatDuration(this.#now() - open.startedAt);
    const failure = failureOf(open, "first_token_timeout", `no answer within ${ran}; it made room for another call`);
    this.#parts.course.failed(open.call, failure, this.#now());
    this.#record(open, failure, this.#estimate(open));
  }

  #closeLosers(why: string): void {
    for (const open of this.#open.splice(0)) {
      open.upstream?.cancel();
      const late = open.slow ? `, and this one had passed its limit of ${formatDuration(open.call.firstTokenMs)}` : "";
      this.#record(open, failureOf(open, "cancelled", `${why}${late}`), this.#estimate(open));
    }
  }

  #interrupted(reason: Interruption): void {
    for (const open of this.#open.splice(0)) {
      open.upstream?.cancel();
      this.#record(open, this.#parts.leave(open, reason, this.#now()), null);
    }
    this.#end({ kind: "interrupted", reason });
  }

  #end(result: Raced["result"]): void {
    this.#timer?.cancel();
    this.#parts.context.interrupt.listen(null);
    this.#resolve({ result, empty: this.#empty });
  }

  /** @returns whether it was running */
  #take(open: OpenAttempt): boolean {
    const place = this.#open.indexOf(open);
    if (place < 0) return false;
    this.#open.splice(place, 1);
    return true;
  }

  #record(open: OpenAttempt, failure: Failure, usage: AttemptRecord["usage"]): AttemptRecord {
    const { records, context } = this.#parts;
    const record = recordAttempt(open, { startedAt: context.startedAt, now: this.#now(), failure, usage });
    records.push(record);
    return record;
  }

  /** What a call that was given up has cost: the prompt, once it was sent, and what came of it. */
  #estimate({ upstream }: OpenAttempt): AttemptRecord["usage"] {
    return upstream && upstream.connectedAt !== null ? estimateUsage(this.#parts.asked, upstream.written) : null;
  }

  #now(): number {
    return this.#parts.context.clock.now();
  }
}

function failureOf({ upstream }: OpenAttempt, failureClass: Failure["class"], reason: string): Failure {
  return { class: failureClass, reason, status: upstream?.status ?? null, code: null, retryAfterMs: null };
}
