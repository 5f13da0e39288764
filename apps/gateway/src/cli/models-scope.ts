import { resolve } from "node:path";

import type { Catalog } from "@tuloy/catalog";

import { catalogIn } from "../catalog/kept-file.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { findConfig } from "../config/source.ts";
import type { CommandIo } from "./command-io.ts";
import { resolveDataDir } from "./data-dir.ts";
import { loadStatic } from "./load.ts";
import type { RecordFlags } from "./records.ts";

/** What the commands about models look at. */
export interface ModelsScope {
  readonly catalog: Catalog;
  /** What is configured; null without a configuration. */
  readonly snapshot: Snapshot | null;
  /** The day of the last sync, for a person; null: the catalog is as it came. */
  readonly syncedAt: string | null;
  /** What a person should know about how this was put together. */
  readonly warnings: readonly string[];
}

/**
 * The catalog, and what of it is configured. Without a configuration there is the catalog alone; one that is found here but is not
 * valid is no reason to say nothing of models.
 * @returns in words, why there is nothing to show: a configuration that was named is not valid
 */
export async function modelsScope(flags: RecordFlags, io: CommandIo): Promise<ModelsScope | string> {
  const dataDir =
    flags.dataDir === undefined
      ? resolveDataDir({ dataDir: undefined, config: flags.config, ...io })
      : resolve(io.directory, flags.dataDir);
  const { catalog, kept, problem } = catalogIn(dataDir);
  const warnings = problem === null ? [] : [`${problem}; the built-in catalog holds`];
  const alone = { catalog, snapshot: null, syncedAt: kept?.at.slice(0, 10) ?? null, warnings };
  const found = await findConfig(flags.config, io.directory);
  if (found.kind === "defaults") return alone;
  const loaded = await loadStatic(flags.config, io);
  if ("snapshot" in loaded) return { ...alone, snapshot: loaded.snapshot };
  if (flags.config !== undefined) return loaded.message;
  return { ...alone, warnings: [...warnings, `${loaded.message}\nSo what it configures is not shown.`] };
}
