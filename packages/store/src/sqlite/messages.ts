import type { Batch } from "../batched-ledger.ts";
import type { LedgerErrorCode } from "../ledger.ts";

/** What the writing thread is started with. */
export interface WriterSettings {
  readonly path: string;
  readonly busyTimeoutMs: number;
}

/** To the writing thread: a batch, or null to close the database and end. */
export type ToWriter = Batch | null;

/** From the writing thread. One `opened` or `refused` first, then one `written` or `failed` for each batch. */
export type FromWriter =
  | { readonly kind: "opened" }
  | { readonly kind: "refused"; readonly code: LedgerErrorCode; readonly message: string }
  | { readonly kind: "written" }
  | { readonly kind: "failed"; readonly message: string };
