import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { parse } from "yaml";

import { interpolate } from "../config/interpolate.ts";
import { defaultFileName } from "../config/source.ts";

export interface DataDirOptions {
  /** What `--data-dir` says. */
  readonly dataDir: string | undefined;
  /** What `--config` says. */
  readonly config: string | undefined;
  /** The current directory. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The absolute path of the data directory that a gateway with the same options would use: `--data-dir`, else the
 * configuration's `data.dir`, else `.tuloy`; the file says a path relative to itself, the
 * command line one relative to the current directory.
 *
 * The rest of the file is not looked at: whoever reads records need not have the providers' keys in the environment, and
 * a mistake elsewhere in the file is no reason to withhold them.
 */
export function resolveDataDir({ dataDir, config, directory, environment }: DataDirOptions): string {
  if (dataDir !== undefined) return resolve(directory, dataDir);
  const path = resolve(directory, config ?? defaultFileName);
  return resolve(dirname(path), configured(path, environment) ?? ".tuloy");
}

function configured(path: string, environment: DataDirOptions["environment"]): string | null {
  let file: unknown;
  try {
    const found = statSync(path);
    // A device may have no end.
    if (!found.isFile() && !found.isFIFO()) return null;
    file = parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
  const value = member(member(file, "data"), "dir");
  if (typeof value !== "string") return null;
  const { text, faults } = interpolate(value, environment);
  return faults.length === 0 ? text : null;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
