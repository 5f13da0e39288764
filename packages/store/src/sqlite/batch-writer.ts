import type { DatabaseSync, SQLInputValue } from "node:sqlite";

import type { Batch } from "../batched-ledger.ts";
import type { RefusedRow } from "../ledger.ts";
import { isTroubleOfAll, messageOf } from "./problems.ts";

/** One row, and how it is written. */
interface Row {
  readonly row: RefusedRow["row"];
  readonly name: string;
  readonly insert: () => void;
}

/**
 * Writes batches, each in one transaction.
 * @returns a function that gives the rows which the database refuses, the rest being written, and throws when nothing of the
 *   batch was written, since the trouble is not a row's
 */
export function batchWriter(database: DatabaseSync): (batch: Batch) => readonly RefusedRow[] {
  const begin = database.prepare("begin immediate");
  const commit = database.prepare("commit");
  const rollback = database.prepare("rollback");
  // A batch whose `written` got lost with its thread comes a second time.
  const insertTrace = database.prepare(
    "insert into traces (id, notable, detail) values (?, ?, ?) on conflict do nothing",
  );
  const insertAlert = database.prepare("insert into alerts (at, kind, subject, message) values (?, ?, ?, ?)");

  function inTransaction<T>(write: () => T): T {
    begin.run();
    try {
      const result = write();
      commit.run();
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors (a full disk): then there is nothing left to roll back.
      if (database.isTransaction) rollback.run();
      throw error;
    }
  }

  function insertAll({ traces, alerts }: Batch): void {
    for (let at = 0; at + 2 < traces.length; at += 3) {
      insertTrace.run(traces[at] ?? null, traces[at + 1] ?? null, traces[at + 2] ?? null);
    }
    for (const { at, kind, subject, message } of alerts) insertAlert.run(at, kind, subject, message);
  }

  function rowsOf({ traces, alerts }: Batch): Row[] {
    const rows: Row[] = [];
    for (let at = 0; at + 2 < traces.length; at += 3) {
      const values: SQLInputValue[] = [traces[at] ?? null, traces[at + 1] ?? null, traces[at + 2] ?? null];
      rows.push({ row: "trace", name: String(traces[at]), insert: () => void insertTrace.run(...values) });
    }
    for (const { at, kind, subject, message } of alerts) {
      rows.push({
        row: "alert",
        name: `${kind} ${subject}`,
        insert: () => void insertAlert.run(at, kind, subject, message),
      });
    }
    return rows;
  }

  /** What any table takes while it is sound: what it refuses besides is a row's own fault. */
  const plain: Readonly<Record<RefusedRow["row"], () => void>> = {
    trace: () => void insertTrace.run("", null, ""),
    alert: () => void insertAlert.run(0, "", "", ""),
  };

  /** Inserts a row, or leaves no sign of it. */
  function attempt(insert: () => void): { readonly error: unknown } | null {
    database.exec("savepoint one_row");
    try {
      insert();
      database.exec("release one_row");
      return null;
    } catch (error) {
      if (!database.isTransaction || isTroubleOfAll(error)) throw error;
      database.exec("rollback to one_row; release one_row");
      return { error };
    }
  }

  function insertEach(batch: Batch): RefusedRow[] {
    const refused: RefusedRow[] = [];
    for (const { row, name, insert } of rowsOf(batch)) {
      const failed = attempt(insert);
      if (failed === null) continue;
      database.exec("savepoint plain_row");
      plain[row]();
      database.exec("rollback to plain_row; release plain_row");
      refused.push({ row, name, reason: messageOf(failed.error) });
    }
    return refused;
  }

  return (batch) => {
    try {
      inTransaction(() => insertAll(batch));
      return [];
    } catch (error) {
      if (isTroubleOfAll(error)) throw error;
    }
    return inTransaction(() => insertEach(batch));
  };
}
