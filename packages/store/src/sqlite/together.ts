import type { Operation, OperationAnswer } from "./operations.ts";
import type { WritingThread } from "./writing-thread.ts";

interface Waiting {
  readonly operation: Operation;
  readonly resolve: (answer: OperationAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Operations for the writing thread. What comes while the thread is busy with them goes there together and shares one transaction,
 * and so one sync of the disk.
 */
export class Together {
  readonly #thread: WritingThread;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(thread: WritingThread) {
    this.#thread = thread;
  }

  ask(operation: Operation): Promise<OperationAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operation, resolve, reject });
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#busy || this.#waiting.length === 0) return;
    const together = this.#waiting;
    this.#waiting = [];
    this.#busy = true;
    void this.#operate(together);
  }

  async #operate(together: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#thread.operate(together.map(({ operation }) => operation));
      for (const [index, { operation, resolve, reject }] of together.entries()) {
        const answer = answers[index];
        if (answer === undefined) reject(notFor(operation.do));
        else resolve(answer);
      }
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
    this.#busy = false;
    this.#pump();
  }
}

/** A fault of ours: each operation has its own kind of answer. */
export function notFor(what: string): Error {
  return new Error(`the writing thread's answer is none to ${what}`);
}
