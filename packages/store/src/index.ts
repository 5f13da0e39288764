import type { LedgerReader } from "./ledger.ts";

export * from "./ledger.ts";
export { makeDataDirectory } from "./data-directory.ts";
export * from "./idempotency.ts";
export * from "./responses.ts";
export type { LedgerLimits } from "./batched-ledger.ts";
export { openSqliteStore, type SqliteStoreOptions, type Store } from "./sqlite/writer.ts";

/**
 * Opens the records of a data directory for reading, also while a gateway is writing them.
 * @throws LedgerError `missing` when nothing was recorded there yet
 */
export async function openSqliteReader(directory: string): Promise<LedgerReader> {
  // Loaded when it is needed: the gateway writes from its first moment, but reads only for people.
  const reader = await import("./sqlite/reader.ts");
  return reader.openSqliteReader(directory);
}
