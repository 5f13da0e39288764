import type {
  ClaimRequest,
  ClaimResult,
  FinishRequest,
  IdempotencyRecords,
  SweepRequest,
  SweepResult,
} from "../idempotency.ts";
import type { OperationAnswer } from "./operations.ts";
import { notFor, type Together } from "./together.ts";

/** Idempotency records in SQLite. */
export class SqliteIdempotency implements IdempotencyRecords {
  readonly #operations: Together;

  constructor(operations: Together) {
    this.#operations = operations;
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const answer = await this.#operations.ask({ do: "claim", ...request });
    if (!isClaimResult(answer)) throw notFor("claim");
    return answer;
  }

  async finish(request: FinishRequest): Promise<boolean> {
    const answer = await this.#operations.ask({ do: "finish", ...request });
    if (answer.kind !== "finished") throw notFor("finish");
    return answer.kept;
  }

  async release(id: string, holder: string): Promise<void> {
    await this.#operations.ask({ do: "release", id, holder });
  }

  async sweep(request: SweepRequest): Promise<SweepResult> {
    const answer = await this.#operations.ask({ do: "sweep", ...request });
    if (answer.kind !== "swept") throw notFor("sweep");
    return { deleted: answer.deleted, emptied: answer.emptied };
  }
}

const claimKinds: ReadonlySet<string> = new Set<ClaimResult["kind"]>([
  "claimed",
  "mismatch",
  "in_flight",
  "stored",
  "spent",
]);

function isClaimResult(answer: OperationAnswer): answer is ClaimResult {
  return claimKinds.has(answer.kind);
}
