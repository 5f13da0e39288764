import type { Clock } from "@tuloy/contract";

import { BatchedLedger, defaultLimits, type LedgerLimits } from "../batched-ledger.ts";
import type { IdempotencyRecords } from "../idempotency.ts";
import type { Ledger, LedgerListener } from "../ledger.ts";
import type { ResponseRecords } from "../responses.ts";
import { prepareDirectory } from "./database.ts";
import { SqliteIdempotency } from "./idempotency.ts";
import { SqliteResponses } from "./responses.ts";
import { Together } from "./together.ts";
import { WritingThread } from "./writing-thread.ts";

export interface SqliteStoreOptions {
  /** The data directory: made when it is missing. The database in it is `tuloy.db`. */
  readonly directory: string;
  readonly clock: Clock;
  readonly listener: LedgerListener;
  readonly limits?: Partial<LedgerLimits>;
  /** How long a write waits for another process's lock before it counts as failed, in milliseconds. */
  readonly busyTimeoutMs?: number;
}

/** What a gateway writes. Closing the ledger, after everything else is done, closes the store. */
export interface Store {
  readonly ledger: Ledger;
  readonly idempotency: IdempotencyRecords;
  readonly responses: ResponseRecords;
}

/**
 * Opens the store of a data directory, in SQLite, written by a thread of its own.
 * @throws LedgerError when the directory or the database cannot be used; its message is for the operator
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const path = prepareDirectory(options.directory);
  const thread = new WritingThread({ path, busyTimeoutMs: options.busyTimeoutMs ?? 2_000 }, options.clock);
  await thread.open();
  const ledger = new BatchedLedger({
    backend: thread,
    clock: options.clock,
    listener: options.listener,
    limits: { ...defaultLimits, ...options.limits },
  });
  const operations = new Together(thread);
  return { ledger, idempotency: new SqliteIdempotency(operations), responses: new SqliteResponses(operations) };
}
