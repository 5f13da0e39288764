import { Worker } from "node:worker_threads";

import type { Clock } from "@tuloy/contract";

import type { Batch, LedgerBackend } from "../batched-ledger.ts";
import { LedgerError, type RefusedRow } from "../ledger.ts";
import type { FromWriter, ToWriter, WriterSettings } from "./messages.ts";
import type { Operation, OperationAnswer } from "./operations.ts";

/** How long the thread may take to finish its last batch and close the database before it is ended. */
const closeGraceMs = 5_000;

/** What the thread is being waited for: its answer to being started, or to a message. */
interface Expected {
  readonly resolve: (answer: FromWriter) => void;
  readonly reject: (error: Error) => void;
}

/** This thread's side of the writing thread. A thread that died is started again with the next message. */
export class WritingThread implements LedgerBackend {
  readonly #settings: WriterSettings;
  readonly #clock: Clock;
  #worker: Worker | null = null;
  /** In the order of the messages, which is that of the answers. */
  #expected: Expected[] = [];
  #closed = false;

  constructor(settings: WriterSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** @throws LedgerError */
  async open(): Promise<void> {
    await this.#expect(this.#start());
  }

  async write(batch: Batch): Promise<readonly RefusedRow[]> {
    const answer = await this.#ask(batch);
    if (answer.kind !== "written") throw new Error(`the writing thread answered ${answer.kind} to a batch`);
    return answer.refused;
  }

  /** Carries out all of the operations or none. @throws with a message that says in one line what is wrong and what to do */
  async operate(operations: readonly Operation[]): Promise<readonly OperationAnswer[]> {
    const answer = await this.#ask({ operations });
    if (answer.kind !== "operated") throw new Error(`the writing thread answered ${answer.kind} to operations`);
    return answer.answers;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (worker === null) return;
    worker.ref();
    const ended = new Promise<void>((resolve) => {
      worker.once("exit", () => resolve());
    });
    post(worker, null);
    const grace = this.#clock.after(closeGraceMs, () => void worker.terminate());
    await ended;
    grace.cancel();
  }

  #start(): Worker {
    const worker = new Worker(new URL("./writer-thread.ts", import.meta.url), {
      name: "tuloy-ledger",
      workerData: this.#settings,
      // Not the process's own: some of them, as --input-type, keep a thread from starting.
      execArgv: [],
    });
    this.#worker = worker;
    worker.on("message", (message: FromWriter) => this.#heard(worker, message));
    worker.on("error", (error) => this.#died(worker, error instanceof Error ? error.message : String(error)));
    worker.on("exit", (code) => this.#died(worker, `it ended with code ${code}`));
    return worker;
  }

  #ask(message: Exclude<ToWriter, null>): Promise<FromWriter> {
    if (this.#closed) return Promise.reject(new LedgerError("failed", "The store is closed."));
    let worker = this.#worker;
    if (worker === null) {
      worker = this.#start();
      // Should it be refused, all that wait for this thread hear of it.
      this.#expect(worker).catch(() => undefined);
    }
    const answer = this.#expect(worker);
    post(worker, message);
    return answer;
  }

  /** The process stays alive for as long as an answer is awaited, and no longer: an idle store keeps nothing running. */
  #expect(worker: Worker): Promise<FromWriter> {
    worker.ref();
    return new Promise((resolve, reject) => {
      this.#expected.push({ resolve, reject });
    });
  }

  #heard(worker: Worker, message: FromWriter): void {
    // The last word of a thread that was given up is nobody's answer any more.
    if (this.#worker !== worker) return;
    if (message.kind === "refused") {
      this.#worker = null;
      this.#rejectAll(new LedgerError(message.code, message.message));
      worker.unref();
      return;
    }
    const expected = this.#expected.shift();
    if (this.#expected.length === 0) worker.unref();
    if (message.kind === "failed") expected?.reject(new Error(message.message));
    else expected?.resolve(message);
  }

  #died(worker: Worker, reason: string): void {
    // An error is followed by the thread's end; by then another thread may be awaited.
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#rejectAll(
      new LedgerError("failed", `The thread that writes traces is gone (${reason}): it is started again by itself.`),
    );
  }

  #rejectAll(error: LedgerError): void {
    const all = this.#expected;
    this.#expected = [];
    for (const { reject } of all) reject(error);
  }
}

function post(worker: Worker, message: ToWriter): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin; the rule is about windows
  worker.postMessage(message);
}
