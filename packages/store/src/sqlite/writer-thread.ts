import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

import type { Batch, TraceValues } from "../batched-ledger.ts";
import { LedgerError } from "../ledger.ts";
import { openForWriting } from "./database.ts";
import type { FromWriter, ToWriter, WriterSettings } from "./messages.ts";
import { operator } from "./operations.ts";
import { databaseProblem } from "./problems.ts";

/** Writes batches, each in one transaction. @returns a function that throws when nothing of the batch was written */
function batchWriter(database: DatabaseSync): (batch: Batch) => void {
  const begin = database.prepare("begin immediate");
  const commit = database.prepare("commit");
  const rollback = database.prepare("rollback");
  // A batch whose `written` got lost with its thread comes a second time.
  const insertTrace = database.prepare(
    "insert into traces (id, notable, detail) values (?, ?, ?) on conflict do nothing",
  );
  const insertAlert = database.prepare("insert into alerts (at, kind, subject, message) values (?, ?, ?, ?)");

  function insertTraces(values: TraceValues): void {
    for (let at = 0; at + 2 < values.length; at += 3) {
      insertTrace.run(values[at] ?? null, values[at + 1] ?? null, values[at + 2] ?? null);
    }
  }

  return (batch) => {
    begin.run();
    try {
      insertTraces(batch.traces);
      for (const { at, kind, subject, message } of batch.alerts) insertAlert.run(at, kind, subject, message);
      commit.run();
    } catch (error) {
      // SQLite has rolled back by itself after some errors (a full disk): then there is nothing left to roll back.
      if (database.isTransaction) rollback.run();
      throw error;
    }
  };
}

async function run(): Promise<void> {
  if (parentPort === null) throw new Error("this file is a worker thread's");
  const port = parentPort;
  const reply = (message: FromWriter) => port.postMessage(message);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only writer.ts starts this thread, with this type
  const { path, busyTimeoutMs } = workerData as WriterSettings;
  try {
    const database = await openForWriting(path, busyTimeoutMs);
    const write = batchWriter(database);
    const operate = operator(database);
    port.on("message", (message: ToWriter) => {
      if (message === null) {
        database.close();
        port.close();
        return;
      }
      try {
        if ("operations" in message) {
          reply({ kind: "operated", answers: operate(message.operations) });
        } else {
          write(message);
          reply({ kind: "written" });
        }
      } catch (error) {
        reply({ kind: "failed", message: databaseProblem(path, error).message });
      }
    });
    reply({ kind: "opened" });
  } catch (error) {
    const problem = error instanceof LedgerError ? error : databaseProblem(path, error);
    reply({ kind: "refused", code: problem.code, message: problem.message });
  }
}

await run();
