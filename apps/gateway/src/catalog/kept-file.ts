import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { builtInCatalog } from "@tuloy/catalog";
import type { Catalog } from "@tuloy/catalog";
import { readKept, withKept } from "@tuloy/catalog/kept";
import type { KeptCatalog } from "@tuloy/catalog/kept";

import { errorCode } from "../config/source.ts";

/** In the data directory: what the last `tuloy catalog sync` applied. */
export const keptFileName = "catalog.json";

export interface CatalogInUse {
  readonly catalog: Catalog;
  /** What lies over the built-in catalog; null: nothing. */
  readonly kept: KeptCatalog | null;
  /** In words, why what is kept is not used; null: it is, or there is nothing. */
  readonly problem: string | null;
}

/**
 * The catalog of a gateway with this data directory. What cannot be read is left where it is and not used: prices may then be
 * older, which is no reason not to serve.
 */
export function catalogIn(dataDir: string): CatalogInUse {
  const path = join(dataDir, keptFileName);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = errorCode(error);
    const problem = code === "ENOENT" || code === "ENOTDIR" ? null : `${path} cannot be read (${code})`;
    return { catalog: builtInCatalog, kept: null, problem };
  }
  const kept = readKept(text);
  return typeof kept === "string"
    ? { catalog: builtInCatalog, kept: null, problem: `${path} is not used: ${kept}` }
    : { catalog: withKept(builtInCatalog, kept), kept, problem: null };
}

/** Written beside and renamed, so that a gateway that starts meanwhile reads the one or the other. */
export function writeKept(dataDir: string, kept: KeptCatalog): void {
  const path = join(dataDir, keptFileName);
  const beside = `${path}.${process.pid}.new`;
  try {
    writeFileSync(beside, `${JSON.stringify(kept)}\n`, { mode: 0o600 });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
