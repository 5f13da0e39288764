import { Worker } from "node:worker_threads";

import type { Tokenizer } from "@tuloy/catalog";
import type { Clock, Dialect, Timer } from "@tuloy/contract";
import type { PromptSize } from "@tuloy/dialects";

import type { CountJob, CountResult } from "./messages.ts";

/** More jobs than this are not taken: their answer would come too late. */
const maxWaiting = 16;
/** Parsing and copying a larger body costs more than an exact number is worth. */
const maxBodyBytes = 4 * 1024 * 1024;
/** A tokenizer holds 60 MB, so an idle thread is ended. Milliseconds. */
const idleMs = 5 * 60_000;

/** What is to be counted. */
export interface Prompt {
  readonly tokenizer: Tokenizer;
  /** The body's. */
  readonly dialect: Dialect;
  readonly body: Buffer;
}

/**
 * Counts prompts with a model's own tokenizer, on a thread of its own that is started with the first one: loading a tokenizer
 * would hold up all traffic for 200 ms, and a hostile text for longer.
 */
export class TokenCounter {
  readonly #clock: Clock;
  readonly #fault: (error: unknown) => void;
  readonly #waiting = new Map<number, (size: PromptSize | null) => void>();
  #worker: Worker | null = null;
  #idle: Timer | null = null;
  #lastId = 0;
  /** The thread failed, so it is not started again. */
  #failed = false;

  /** @param fault told once when the thread fails: from then on nothing is counted */
  constructor(clock: Clock, fault: (error: unknown) => void) {
    this.#clock = clock;
    this.#fault = fault;
  }

  /**
   * Never rejects. The first count of a tokenizer has to load it.
   * @param waitMs how long a count is worth waiting for
   * @returns null when there is none in time, so that the estimate stands
   */
  count({ tokenizer, dialect, body }: Prompt, waitMs: number): Promise<PromptSize | null> {
    if (this.#failed || this.#waiting.size >= maxWaiting || body.length > maxBodyBytes) return Promise.resolve(null);
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const late = this.#clock.after(waitMs, () => this.#settle(id, null));
      this.#waiting.set(id, (size) => {
        late.cancel();
        resolve(size);
      });
      // A copy of its own, since a Buffer's memory may be shared with other requests'.
      const own = new Uint8Array(body);
      this.#post({ id, tokenizer, dialect, body: own });
    });
  }

  async close(): Promise<void> {
    this.#failed = true;
    await this.#end();
  }

  #post(job: CountJob): void {
    this.#idle?.cancel();
    this.#idle = null;
    this.#worker ??= this.#start();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin; the rule is about windows
    this.#worker.postMessage(job, [job.body.buffer]);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./counting-thread.ts", import.meta.url), { name: "tuloy-tokens", execArgv: [] });
    worker.unref();
    worker.on("message", ({ id, size }: CountResult) => this.#settle(id, size));
    worker.on("error", (error) => {
      this.#failed = true;
      this.#fault(error);
      void this.#end();
    });
    return worker;
  }

  #settle(id: number, size: PromptSize | null): void {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(size);
    if (this.#waiting.size === 0 && this.#worker !== null) {
      this.#idle ??= this.#clock.after(idleMs, () => void this.#end());
    }
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    for (const id of this.#waiting.keys()) this.#settle(id, null);
    this.#idle?.cancel();
    this.#idle = null;
    await worker?.terminate();
  }
}
