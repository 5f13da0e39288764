import type { LedgerErrorCode } from "../ledger.ts";

/** Why a directory cannot be used as the data directory, in one line that says what to do. */
export function directoryProblem(directory: string, error: unknown): string {
  const code = fieldOf(error, "code");
  if (code === "ENOTDIR" || code === "EEXIST") {
    return `The data directory ${directory} is not a directory: remove the file in its place, or choose another with --data-dir or data.dir.`;
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return `The data directory ${directory} cannot be written: give this user write access, or choose another with --data-dir or data.dir.`;
  }
  if (code === "ENOSPC" || code === "EDQUOT") {
    return `The disk that holds ${directory} is full: free some space, or choose another directory with --data-dir or data.dir.`;
  }
  return `The data directory ${directory} cannot be used (${messageOf(error)}): choose another with --data-dir or data.dir.`;
}

interface DatabaseProblem {
  readonly code: LedgerErrorCode;
  readonly message: string;
}

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html) that an operator can do something about. */
const problems: Readonly<Record<number, { code: LedgerErrorCode; what: string; remedy: string }>> = {
  3: { code: "unusable", what: "may not be written by this user", remedy: "give this user access to it" },
  5: { code: "failed", what: "is locked by another process", remedy: "end that process, or wait until it is done" },
  6: { code: "failed", what: "is locked", remedy: "end the process that holds it" },
  8: { code: "unusable", what: "is read-only", remedy: "give this user write access to it and to its directory" },
  10: { code: "failed", what: "cannot be read or written by the disk", remedy: "check the disk and the system's log" },
  11: { code: "damaged", what: "is damaged", remedy: "move it away, or restore a copy" },
  13: { code: "failed", what: "has no room to grow: the disk is full", remedy: "free some space" },
  14: { code: "unusable", what: "cannot be opened", remedy: "give this user access to it and to its directory" },
  26: { code: "damaged", what: "is not a database", remedy: "move it away, or choose another data directory" },
};

/**
 * Primary result codes that are about the database, its disk or this process, whatever is written: permission, abort, busy, locked,
 * no memory, read-only, interrupted, input or output, damaged, full, not opened, locking protocol, authorization, no database.
 */
const troubleOfAll: ReadonlySet<number> = new Set([3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 23, 26]);

/** Whether any other row would have met the same error. */
export function isTroubleOfAll(error: unknown): boolean {
  const result = fieldOf(error, "errcode");
  return typeof result === "number" && troubleOfAll.has(result & 0xff);
}

/** Why a database cannot be opened or written, in one line that says what to do. */
export function databaseProblem(path: string, error: unknown): DatabaseProblem {
  const result = fieldOf(error, "errcode");
  // The low byte is the primary code; the rest says in which of SQLite's functions it arose.
  const known = typeof result === "number" ? problems[result & 0xff] : undefined;
  if (known === undefined) {
    return {
      code: "failed",
      message: `${path} cannot be used (${messageOf(error)}): check the file and its directory.`,
    };
  }
  return { code: known.code, message: `${path} ${known.what} (${messageOf(error)}): ${known.remedy}.` };
}

function fieldOf(error: unknown, name: string): unknown {
  return typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
}

/** What an error says, on one line. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
}
