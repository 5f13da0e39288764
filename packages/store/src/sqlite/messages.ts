import type { Batch } from "../batched-ledger.ts";
import type { LedgerErrorCode, RefusedRow } from "../ledger.ts";
import type { Operation, OperationAnswer } from "./operations.ts";

/** What the writing thread is started with. */
export interface WriterSettings {
  readonly path: string;
  readonly busyTimeoutMs: number;
}

/** To the writing thread: a batch of the ledger, operations on records, or null to close the database and end. */
export type ToWriter = Batch | { readonly operations: readonly Operation[] } | null;

/** From the writing thread. One `opened` or `refused` first, then one of the others for each message, in their order. */
export type FromWriter =
  | { readonly kind: "opened" }
  | { readonly kind: "refused"; readonly code: LedgerErrorCode; readonly message: string }
  | { readonly kind: "written"; readonly refused: readonly RefusedRow[] }
  | { readonly kind: "operated"; readonly answers: OperationAnswer[] }
  | { readonly kind: "failed"; readonly message: string };
