import { Worker } from "node:worker_threads";

import type { Clock } from "@tuloy/contract";

import { BatchedLedger, defaultLimits, type Batch, type LedgerBackend, type LedgerLimits } from "../batched-ledger.ts";
import { LedgerError, type Ledger, type LedgerListener } from "../ledger.ts";
import { prepareDirectory } from "./database.ts";
import type { FromWriter, ToWriter, WriterSettings } from "./messages.ts";

export interface SqliteLedgerOptions {
  /** The data directory: made when it is missing. The database in it is `tuloy.db`. */
  readonly directory: string;
  readonly clock: Clock;
  readonly listener: LedgerListener;
  readonly limits?: Partial<LedgerLimits>;
  /** How long a write waits for another process's lock before it counts as failed, in milliseconds. */
  readonly busyTimeoutMs?: number;
}

/**
 * Opens the ledger of a data directory, in SQLite, written by a thread of its own.
 * @throws LedgerError when the directory or the database cannot be used; its message is for the operator
 */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  const path = prepareDirectory(options.directory);
  const backend = new SqliteWriter({ path, busyTimeoutMs: options.busyTimeoutMs ?? 2_000 }, options.clock);
  await backend.open();
  return new BatchedLedger({
    backend,
    clock: options.clock,
    listener: options.listener,
    limits: { ...defaultLimits, ...options.limits },
  });
}

/** How long the thread may take to finish its last batch and close the database before it is ended. */
const closeGraceMs = 5_000;

/** What the thread is being waited for: its answer to being started or to the last batch. */
interface Expected {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** This thread's side of the writing thread. A thread that died is started again with the next batch. */
class SqliteWriter implements LedgerBackend {
  readonly #settings: WriterSettings;
  readonly #clock: Clock;
  #worker: Worker | null = null;
  #expected: Expected | null = null;

  constructor(settings: WriterSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** @throws LedgerError */
  open(): Promise<void> {
    const worker = new Worker(new URL("./writer-thread.ts", import.meta.url), {
      name: "tuloy-ledger",
      workerData: this.#settings,
      // Not the process's own: some of them, as --input-type, keep a thread from starting.
      execArgv: [],
    });
    this.#worker = worker;
    worker.on("message", (message: FromWriter) => this.#heard(message));
    worker.on("error", (error) => this.#died(worker, error instanceof Error ? error.message : String(error)));
    worker.on("exit", (code) => this.#died(worker, `it ended with code ${code}`));
    return this.#expect(worker);
  }

  async write(batch: Batch): Promise<void> {
    if (this.#worker === null) await this.open();
    const worker = this.#worker;
    if (worker === null) throw threadLost("it ended");
    const answer = this.#expect(worker);
    post(worker, batch);
    await answer;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    worker.ref();
    const ended = new Promise<void>((resolve) => {
      worker.once("exit", () => resolve());
    });
    post(worker, null);
    const grace = this.#clock.after(closeGraceMs, () => void worker.terminate());
    await ended;
    grace.cancel();
  }

  /** The process stays alive for as long as an answer is awaited, and no longer: an idle ledger keeps nothing running. */
  #expect(worker: Worker): Promise<void> {
    worker.ref();
    return new Promise((resolve, reject) => {
      this.#expected = { resolve, reject };
    });
  }

  #heard(message: FromWriter): void {
    const expected = this.#expected;
    this.#expected = null;
    this.#worker?.unref();
    switch (message.kind) {
      case "opened":
      case "written":
        expected?.resolve();
        return;
      case "refused":
        this.#worker = null;
        expected?.reject(new LedgerError(message.code, message.message));
        return;
      case "failed":
        expected?.reject(new Error(message.message));
        return;
    }
  }

  #died(worker: Worker, reason: string): void {
    // An error is followed by the thread's end; by then another thread may be awaited.
    if (this.#worker !== worker) return;
    this.#worker = null;
    const expected = this.#expected;
    this.#expected = null;
    expected?.reject(threadLost(reason));
  }
}

function post(worker: Worker, message: ToWriter): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin; the rule is about windows
  worker.postMessage(message);
}

function threadLost(reason: string): LedgerError {
  return new LedgerError("failed", `The thread that writes traces is gone (${reason}): it is started again by itself.`);
}
