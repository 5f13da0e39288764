import type {
  ClaimRequest,
  ClaimResult,
  FinishRequest,
  IdempotencyRecords,
  SweepRequest,
  SweepResult,
} from "../idempotency.ts";
import type { IdempotencyAnswer, IdempotencyOperation } from "./idempotency-operations.ts";
import type { WritingThread } from "./writing-thread.ts";

interface Waiting {
  readonly operation: IdempotencyOperation;
  readonly resolve: (answer: IdempotencyAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Idempotency records in SQLite. What comes while the thread is busy with them goes there together and shares one
 * transaction, and so one sync of the disk.
 */
export class SqliteIdempotency implements IdempotencyRecords {
  readonly #thread: WritingThread;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(thread: WritingThread) {
    this.#thread = thread;
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const answer = await this.#ask({ do: "claim", ...request });
    if (answer.kind === "finished" || answer.kind === "released" || answer.kind === "swept") throw notFor("claim");
    return answer;
  }

  async finish(request: FinishRequest): Promise<boolean> {
    const answer = await this.#ask({ do: "finish", ...request });
    if (answer.kind !== "finished") throw notFor("finish");
    return answer.kept;
  }

  async release(id: string, holder: string): Promise<void> {
    await this.#ask({ do: "release", id, holder });
  }

  async sweep(request: SweepRequest): Promise<SweepResult> {
    const answer = await this.#ask({ do: "sweep", ...request });
    if (answer.kind !== "swept") throw notFor("sweep");
    return { deleted: answer.deleted, emptied: answer.emptied };
  }

  #ask(operation: IdempotencyOperation): Promise<IdempotencyAnswer> {
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
      for (const [index, { resolve, reject }] of together.entries()) {
        const answer = answers[index];
        if (answer === undefined) reject(notFor("operation"));
        else resolve(answer);
      }
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
    this.#busy = false;
    this.#pump();
  }
}

function notFor(what: string): Error {
  return new Error(`the writing thread's answer is none to a ${what}`);
}
