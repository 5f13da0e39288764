import { resolve } from "node:path";

import { builtInCatalog } from "@tuloy/catalog";
import type { KeptCatalog } from "@tuloy/catalog/kept";
import { changeOf, isEmpty, largeRemovals, newsOf, readSource, sourceAddress } from "@tuloy/catalog/sync";
import { LedgerError, makeDataDirectory } from "@tuloy/store";
import { Command } from "commander";

import { catalogIn, keptFileName, writeKept } from "../catalog/kept-file.ts";
import type { CatalogInUse } from "../catalog/kept-file.ts";
import { download, longestSource } from "../catalog/download.ts";
import { systemClock } from "../clock.ts";
import { errorCode } from "../config/source.ts";
import { readText } from "../read-text.ts";
import { changeLines, removalLine } from "./catalog-change.ts";
import { processIo, styled, printJson } from "./command-io.ts";
import type { CommandIo } from "./command-io.ts";
import { resolveDataDir } from "./data-dir.ts";
import { refuse } from "./records.ts";
import type { RecordFlags } from "./records.ts";

interface SyncFlags extends RecordFlags {
  readonly from?: string;
  readonly yes?: true;
  readonly allowRemovals?: true;
  readonly json?: true;
}

/** Where the source is. A test puts its own server in its place. */
export interface SyncSource {
  readonly address: string;
  readonly private: boolean;
}

const publicSource: SyncSource = { address: sourceAddress, private: false };
const timeoutMs = 30_000;

/** `tuloy catalog sync`: newer models, prices and limits over those that Tuloy comes with. */
export function catalogCommand(io: CommandIo = processIo, source: SyncSource = publicSource): Command {
  return new Command("catalog").description("Keep what is known of models and prices up to date.").addCommand(
    new Command("sync")
      .description("Show what models.dev knows that differs, and with --yes use it. Nothing is changed without.")
      .option("--from <file>", "read models.dev's catalog.json or api.json from this file; nothing is fetched")
      .option("--yes", "apply what is shown")
      .option(
        "--allow-removals",
        "apply it also where it takes away most of what a provider offers, or much of everything",
      )
      .option(
        "-c, --config <file>",
        "the configuration file, for its data directory (default: tuloy.yaml in this directory)",
      )
      .option("--data-dir <directory>", "the data directory, instead of the configuration's")
      .option("--json", "print JSON")
      .action((flags: SyncFlags) => sync(flags, io, source)),
  );
}

interface Fetched {
  readonly source: string;
  readonly text: string;
  readonly etag: string | null;
}

async function sync(flags: SyncFlags, io: CommandIo, source: SyncSource): Promise<void> {
  const { directory, environment } = io;
  const dataDir = resolveDataDir({ dataDir: flags.dataDir, config: flags.config, directory, environment });
  const inUse = catalogIn(dataDir);
  const fetched = flags.from === undefined ? await fromAddress(source, inUse) : await fromFile(flags.from, io);
  if (fetched === "unchanged")
    return tell(
      flags,
      io,
      { applied: false, change: null, large_removals: [] },
      "Nothing has changed since the last sync.",
    );
  if ("problem" in fetched) return refuse(`${fetched.problem}. Nothing is changed.`, io);
  const read = parsedSource(fetched);
  if (typeof read === "string") return refuse(`${fetched.source}: ${read}. Nothing is changed.`, io);
  const news = newsOf(read, builtInCatalog.data);
  const change = changeOf(inUse.catalog.data, builtInCatalog.data, news);
  const unread =
    read.unread.length === 0
      ? []
      : [
          `Not understood, and left out: ${read.unread.slice(0, 5).join(", ")}${read.unread.length > 5 ? ` and ${read.unread.length - 5} more` : ""}.`,
        ];
  const large = largeRemovals(change, inUse.catalog.data);
  const warnings = [...unread, ...large.map(removalLine)].map((line) => styled("yellow", line, io.stdout));
  const lines = [...changeLines(change, io), ...(warnings.length === 0 ? [] : ["", ...warnings])];
  if (flags.yes !== true) {
    const asked = large.length === 0 ? "--yes" : "--yes --allow-removals";
    const next = isEmpty(change) ? [] : ["", `Nothing is changed yet: to use it, say it again with ${asked}.`];
    return tell(flags, io, { applied: false, change, large_removals: large }, [...lines, ...next].join("\n"));
  }
  if (large.length > 0 && flags.allowRemovals !== true) {
    const why = large.map(removalLine).join(" ");
    return refuse(`${fetched.source}: ${why} If that is right, say it with --allow-removals. Nothing is changed.`, io);
  }
  const { source: from, etag } = fetched;
  const at = new Date(systemClock.wall()).toISOString();
  const kept: KeptCatalog = { format: 1, source: from, at, etag, ...news };
  const problem = write(dataDir, kept);
  if (problem !== null) return refuse(problem, io);
  const done = isEmpty(change)
    ? []
    : ["", `Kept in ${resolve(dataDir, keptFileName)}. A running gateway uses it from its next start.`];
  tell(flags, io, { applied: true, change, large_removals: large }, [...lines, ...done].join("\n"));
}

function tell(flags: SyncFlags, io: CommandIo, answer: object, text: string): void {
  if (flags.json) printJson(answer, io);
  else io.stdout.write(`${text}\n`);
}

interface Problem {
  readonly problem: string;
}

async function fromAddress(
  { address, private: isPrivate }: SyncSource,
  { kept }: CatalogInUse,
): Promise<Fetched | Problem | "unchanged"> {
  // What another document was tagged with says nothing of this one.
  const etag = kept?.source === address ? kept.etag : null;
  const answer = await download({ url: new URL(address), etag, private: isPrivate, timeoutMs });
  if (answer.kind === "unchanged") return "unchanged";
  if (answer.kind === "failed") return { problem: `${address} could not be fetched: ${answer.reason}` };
  return { source: address, text: answer.text, etag: answer.etag };
}

async function fromFile(file: string, { directory }: CommandIo): Promise<Fetched | Problem> {
  const read = await readText(resolve(directory, file), longestSource);
  return read.ok ? { source: file, text: read.text, etag: null } : { problem: `${file} ${read.why}` };
}

/** @returns the source, or in words why it can't be used */
function parsedSource({ text }: Fetched): ReturnType<typeof readSource> | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "this is not JSON";
  }
  try {
    return readSource(json);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function write(dataDir: string, kept: KeptCatalog): string | null {
  try {
    makeDataDirectory(dataDir);
    writeKept(dataDir, kept);
    return null;
  } catch (error) {
    if (error instanceof LedgerError) return `${error.message} Nothing is changed.`;
    return `${resolve(dataDir, keptFileName)} cannot be written (${errorCode(error)}): nothing is changed.`;
  }
}
