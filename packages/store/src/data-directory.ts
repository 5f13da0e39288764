import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

import { LedgerError } from "./ledger.ts";
import { directoryProblem } from "./sqlite/problems.ts";

/**
 * Makes a data directory, for this user only (0700), with those above it. One that exists is left as it is.
 * @throws LedgerError `unusable`
 */
export function makeDataDirectory(directory: string): void {
  try {
    make(directory);
  } catch (error) {
    throw new LedgerError("unusable", directoryProblem(directory, error), { cause: error });
  }
}

/** Node's own `recursive` never returns where a directory exists but takes no other, as on /proc. */
function make(directory: string): void {
  // A file in its place is found out when something is put into it.
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) make(parent);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    // Another process, started at the same time, was quicker.
    if (!existsSync(directory)) throw error;
  }
}
