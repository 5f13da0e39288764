import { parentPort, workerData } from "node:worker_threads";

import { LedgerError } from "../ledger.ts";
import { batchWriter } from "./batch-writer.ts";
import { openForWriting } from "./database.ts";
import type { FromWriter, ToWriter, WriterSettings } from "./messages.ts";
import { operator } from "./operations.ts";
import { databaseProblem } from "./problems.ts";

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
          reply({ kind: "written", refused: write(message) });
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
