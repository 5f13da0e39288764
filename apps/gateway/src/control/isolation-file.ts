import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isolatedView } from "@tuloy/contract";
import { z } from "zod";

import { errorCode } from "../config/source.ts";

/** One thing that a person took out of use. Times are milliseconds since 1970. */
export type Isolated = z.infer<typeof isolatedView>;

/** Where isolation is kept across restarts. */
export interface IsolationFile {
  /** @throws when there is a file that cannot be read: to go on would put back into use what somebody took out */
  read(): readonly Isolated[];
  /** @returns why it could not be written, or null */
  write(isolated: readonly Isolated[]): string | null;
}

const kept = z.strictObject({ isolated: z.array(isolatedView) });

/** In the data directory, which exists. */
export function isolationFile(dataDir: string): IsolationFile {
  const path = join(dataDir, "isolated.json");
  return {
    read() {
      const text = textOf(path);
      if (text === null) return [];
      const parsed = kept.safeParse(parsedJson(text));
      if (!parsed.success) {
        throw new Error(`${path} is damaged: mend it, or remove it to have everything back in use.`);
      }
      return parsed.data.isolated;
    },
    write(isolated) {
      try {
        // By renaming: a crash leaves the old file or the new one, never half of one.
        writeFileSync(`${path}.new`, `${JSON.stringify({ isolated }, null, 2)}\n`, { mode: 0o600 });
        renameSync(`${path}.new`, path);
        return null;
      } catch (error) {
        return errorCode(error);
      }
    },
  };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
