import { chmodSync, closeSync, existsSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { makeDataDirectory } from "../data-directory.ts";
import { LedgerError } from "../ledger.ts";
import { createSchema } from "./new-database.ts";
import { databaseProblem, directoryProblem } from "./problems.ts";
import { migrationNames } from "./schema.ts";

/** Where the database of a data directory lies. */
export function databasePath(directory: string): string {
  return join(directory, "tuloy.db");
}

/**
 * Makes the data directory, for this user only (0700), and an empty database file in it (0600); SQLite gives its own
 * side files the same mode. What exists already keeps its contents.
 * @returns the path of the database
 * @throws LedgerError `unusable`
 */
export function prepareDirectory(directory: string): string {
  const path = databasePath(directory);
  try {
    makeDataDirectory(directory);
    if (!existsSync(path)) {
      closeSync(openSync(path, "a", 0o600));
      chmodSync(path, 0o600);
    }
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    throw new LedgerError("unusable", directoryProblem(directory, error), { cause: error });
  }
  return path;
}

/**
 * Opens a database for writing and brings its schema up to date. Two processes may do so at once: one waits for the other.
 * @param busyTimeoutMs how long a statement waits for another process's lock
 * @throws LedgerError
 */
export async function openForWriting(path: string, busyTimeoutMs: number): Promise<DatabaseSync> {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    // Only for a new file. With 4 KB pages a record of more than a kilobyte leaves the page of a clustered table, which
    // was measured at three times the cost.
    database.exec("pragma page_size = 8192");
    database.exec("pragma journal_mode = wal");
    // In WAL mode a crash of the process loses nothing that was committed; a power cut can lose the last moments, which
    // for traces is cheaper than a disk sync for every batch.
    database.exec("pragma synchronous = normal");
    database.exec("pragma journal_size_limit = 67108864");
    const applied = appliedMigrations(database);
    refuseNewer(applied, path);
    const upToDate = applied.length === migrationNames.length || (applied.length === 0 && createSchema(database));
    if (!upToDate) {
      const { migrate } = await import("./migrations.ts");
      await migrate(database);
    }
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof LedgerError) throw error;
    const problem = databaseProblem(path, error);
    throw new LedgerError(problem.code, problem.message, { cause: error });
  }
}

/**
 * Opens a database for reading only; it may be in use by a gateway.
 * @throws LedgerError `missing` when there is none, or none that a gateway has finished setting up
 */
export function openForReading(directory: string): DatabaseSync {
  const path = databasePath(directory);
  if (!isFile(path)) throw nothingRecorded(directory);
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    const applied = appliedMigrations(database);
    refuseNewer(applied, path);
    if (applied.length < migrationNames.length) throw nothingRecorded(directory);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof LedgerError) throw error;
    const problem = databaseProblem(path, error);
    throw new LedgerError(problem.code, problem.message, { cause: error });
  }
}

function appliedMigrations(database: DatabaseSync): string[] {
  const table = database
    .prepare("select 1 from sqlite_master where type = 'table' and name = 'kysely_migration'")
    .get();
  if (table === undefined) return [];
  return database
    .prepare("select name from kysely_migration")
    .all()
    .map((row) => String(row["name"]));
}

const known: ReadonlySet<string> = new Set(migrationNames);

function refuseNewer(applied: readonly string[], path: string): void {
  if (applied.every((name) => known.has(name))) return;
  throw new LedgerError(
    "newer",
    `${path} was made by a newer version of Tuloy: update Tuloy, or choose another data directory.`,
  );
}

function nothingRecorded(directory: string): LedgerError {
  return new LedgerError(
    "missing",
    `Nothing is recorded in ${directory} yet: start the gateway with this data directory, or name its own with --data-dir.`,
  );
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (error) {
    // No access is not the same as no file: opening it will say so.
    return !(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"));
  }
}
