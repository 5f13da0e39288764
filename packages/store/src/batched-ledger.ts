import type { Alert, Clock, Timer, Trace } from "@tuloy/contract";

import type { Ledger, LedgerListener, LedgerStats, RefusedRow } from "./ledger.ts";
import { writeTrace } from "./trace-text.ts";

/** What a trace is noted for, as bits, or null for an ordinary success. Databases index only the noted ones. */
export const notable = { failedOver: 1, notSucceeded: 2 } as const;

/** Three values a trace, one after the other: id, the bits of `notable` or null, and its text. Flat, because that is the cheapest to clone to another thread. */
type TraceValues = (string | number | null)[];

export interface Batch {
  readonly traces: TraceValues;
  readonly alerts: Alert[];
}

/** A database, as the ledger needs it. `write` is called with one batch at a time. */
export interface LedgerBackend {
  /**
   * All of the batch but the rows that the database refuses for what they are, or none of it.
   * @returns the refused rows: nothing can be done for them
   * @throws with a message that says in one line what is wrong and what to do, where that is not about one row
   */
  write(batch: Batch): Promise<readonly RefusedRow[]>;
  close(): Promise<void>;
}

/** Bounds of the memory that a ledger takes, and how long rows wait. */
export interface LedgerLimits {
  /** A batch is written after this long, in milliseconds … */
  readonly batchMs: number;
  /** … or when it has this many rows. */
  readonly batchRows: number;
  /** Rows, and characters of text, that may wait while the database is in trouble. Beyond, the oldest are dropped. */
  readonly maxRows: number;
  readonly maxChars: number;
  /** The first pause before a failed batch is tried again, and the longest; each further one doubles. Milliseconds. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
  /** How long `close` goes on trying, in milliseconds. */
  readonly closeMs: number;
}

export const defaultLimits: LedgerLimits = {
  batchMs: 100,
  batchRows: 256,
  maxRows: 100_000,
  maxChars: 64 * 1024 * 1024,
  retryMs: 100,
  retryMaxMs: 5_000,
  closeMs: 5_000,
};

/** A batch that waits, is being filled or is being written. */
interface Pending extends Batch {
  /** Rises by one from batch to batch. */
  readonly number: number;
  rows: number;
  chars: number;
}

interface FlushWaiter {
  /** The last batch it waits for. */
  readonly last: number;
  readonly done: () => void;
}

export interface BatchedLedgerOptions {
  readonly backend: LedgerBackend;
  readonly clock: Clock;
  readonly listener: LedgerListener;
  readonly limits: LedgerLimits;
}

/** Collects rows into batches and sees each one written or, when the database stays in trouble for too long, counted as dropped. */
export class BatchedLedger implements Ledger {
  readonly #backend: LedgerBackend;
  readonly #clock: Clock;
  readonly #listener: LedgerListener;
  readonly #limits: LedgerLimits;

  #filling: Pending = emptyBatch(0);
  #sealTimer: Timer | null = null;
  /** Oldest first. The first one stays here while it is being written. */
  #queue: Pending[] = [];
  #writing = false;
  #retryTimer: Timer | null = null;
  #failures = 0;
  #droppedBeforeTrouble = 0;
  #flushWaiters: FlushWaiter[] = [];
  #closing: Promise<void> | null = null;

  #accepted = 0;
  #written = 0;
  #dropped = 0;
  #pendingChars = 0;

  constructor(options: BatchedLedgerOptions) {
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#listener = options.listener;
    this.#limits = options.limits;
  }

  get stats(): LedgerStats {
    return {
      accepted: this.#accepted,
      written: this.#written,
      dropped: this.#dropped,
      pending: this.#pendingRows,
      failing: this.#failures > 0,
    };
  }

  append(trace: Trace): void {
    // Made into text here and not when the batch leaves: the work is spread evenly over requests instead of delaying
    // all that are under way at once, and the trace's objects die young.
    const text = writeTrace(trace);
    if (this.#closing === null) this.#filling.traces.push(trace.id, noteOf(trace), text);
    this.#added(text.length);
  }

  alert(alert: Alert): void {
    if (this.#closing === null) this.#filling.alerts.push(alert);
    this.#added(alert.message.length);
  }

  flush(): Promise<void> {
    this.#seal();
    const last = this.#filling.number - 1;
    if (this.#oldestPending > last) return Promise.resolve();
    return new Promise((done) => {
      this.#flushWaiters.push({ last, done });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const flushed = this.flush();
    // What waits for a retry gets its chance now.
    this.#cancelRetry();
    this.#pump();
    const giveUp = this.#clock.after(this.#limits.closeMs, () => this.#dropAll());
    await flushed;
    giveUp.cancel();
    this.#cancelRetry();
    await this.#backend.close();
  }

  #cancelRetry(): void {
    this.#retryTimer?.cancel();
    this.#retryTimer = null;
  }

  #added(chars: number): void {
    this.#accepted += 1;
    if (this.#closing !== null) {
      this.#dropped += 1;
      return;
    }
    const batch = this.#filling;
    batch.rows += 1;
    batch.chars += chars;
    this.#pendingChars += chars;
    if (batch.rows >= this.#limits.batchRows) this.#seal();
    else this.#sealTimer ??= this.#clock.after(this.#limits.batchMs, () => this.#seal());
    if (this.#overFull) this.#dropOldest();
  }

  #seal(): void {
    this.#sealTimer?.cancel();
    this.#sealTimer = null;
    if (this.#filling.rows === 0) return;
    this.#queue.push(this.#filling);
    this.#filling = emptyBatch(this.#filling.number + 1);
    this.#pump();
  }

  #pump(): void {
    const batch = this.#queue[0];
    if (batch === undefined || this.#writing || this.#retryTimer !== null) return;
    this.#writing = true;
    this.#backend.write({ traces: batch.traces, alerts: batch.alerts }).then(
      (refused) => this.#wrote(batch, refused),
      (error: unknown) => this.#failed(error),
    );
  }

  #wrote(batch: Pending, refused: readonly RefusedRow[]): void {
    this.#writing = false;
    const droppedInTrouble = this.#dropped - this.#droppedBeforeTrouble;
    // Not the first any more: `close` gave up on it meanwhile and has counted it as dropped.
    if (this.#queue[0] === batch) {
      this.#queue.shift();
      this.#written += batch.rows - refused.length;
      this.#dropped += refused.length;
      this.#pendingChars -= batch.chars;
    }
    if (this.#failures > 0) {
      this.#failures = 0;
      this.#listener.onRecovered(droppedInTrouble);
    }
    if (refused.length > 0) this.#listener.onRefused(refused);
    this.#settled();
    this.#pump();
  }

  #failed(error: unknown): void {
    this.#writing = false;
    this.#failures += 1;
    if (this.#failures === 1) {
      this.#droppedBeforeTrouble = this.#dropped;
      this.#listener.onTrouble(error instanceof Error ? error.message : String(error));
    }
    const { retryMs, retryMaxMs } = this.#limits;
    // While closing there is no time for long pauses.
    const longest = this.#closing === null ? retryMaxMs : retryMs;
    this.#retryTimer = this.#clock.after(Math.min(retryMs * 2 ** (this.#failures - 1), longest), () => {
      this.#retryTimer = null;
      this.#pump();
    });
    if (this.#overFull) this.#dropOldest();
  }

  get #pendingRows(): number {
    return this.#accepted - this.#written - this.#dropped;
  }

  get #overFull(): boolean {
    return this.#pendingRows > this.#limits.maxRows || this.#pendingChars > this.#limits.maxChars;
  }

  get #oldestPending(): number {
    return this.#queue[0]?.number ?? this.#filling.number;
  }

  /** Whole batches, oldest first; not the one that is being written, which may yet succeed. */
  #dropOldest(): void {
    while (this.#overFull) {
      const [batch] = this.#queue.splice(this.#writing ? 1 : 0, 1);
      if (batch === undefined) break;
      this.#dropped += batch.rows;
      this.#pendingChars -= batch.chars;
    }
    this.#settled();
  }

  #dropAll(): void {
    for (const batch of this.#queue) this.#dropped += batch.rows;
    this.#queue = [];
    this.#pendingChars = 0;
    this.#settled();
  }

  #settled(): void {
    if (this.#flushWaiters.length === 0) return;
    const oldest = this.#oldestPending;
    const done = this.#flushWaiters.filter((waiter) => waiter.last < oldest);
    this.#flushWaiters = this.#flushWaiters.filter((waiter) => waiter.last >= oldest);
    for (const waiter of done) waiter.done();
  }
}

function emptyBatch(number: number): Pending {
  return { number, traces: [], alerts: [], rows: 0, chars: 0 };
}

function noteOf(trace: Trace): number | null {
  const bits =
    (trace.failover === null ? 0 : notable.failedOver) | (trace.outcome === "succeeded" ? 0 : notable.notSucceeded);
  return bits === 0 ? null : bits;
}
