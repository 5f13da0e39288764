import { LedgerError, openSqliteReader, type LedgerReader } from "@tuloy/store";
import { InvalidArgumentError } from "commander";

import type { CommandIo } from "./command-io.ts";
import { resolveDataDir } from "./data-dir.ts";

/** How the commands that read records are told where those are. */
export interface RecordFlags {
  readonly dataDir?: string;
  readonly config?: string;
}

/** Opens the records, uses them and closes them. When they cannot be opened, one line says why and the exit code is 1. */
export async function withRecords(
  flags: RecordFlags,
  io: CommandIo,
  use: (reader: LedgerReader) => Promise<void>,
): Promise<void> {
  const { dataDir, config } = flags;
  const { directory, environment } = io;
  let reader: LedgerReader;
  try {
    reader = await openSqliteReader(resolveDataDir({ dataDir, config, directory, environment }));
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    refuse(error.message, io);
    return;
  }
  try {
    await use(reader);
  } finally {
    await reader.close();
  }
}

/** One line to stderr, and the exit code 1. */
export function refuse(message: string, io: CommandIo): void {
  io.stderr.write(`${message}\n`);
  io.setExitCode(1);
}

/** A whole number of at least one, as `--limit` takes it. */
export function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isSafeInteger(limit) || limit < 1) throw new InvalidArgumentError("It is a whole number from 1 on.");
  return limit;
}
