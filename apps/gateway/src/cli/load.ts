import { dirname, resolve } from "node:path";

import type { Catalog } from "@tuloy/catalog";
import type { Config } from "@tuloy/contract";

import { catalogIn } from "../catalog/kept-file.ts";
import { compile } from "../config/compile.ts";
import { formatProblem, loadConfig } from "../config/read.ts";
import type { ConfigProblem } from "../config/read.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { findConfig } from "../config/source.ts";
import type { CommandIo } from "./command-io.ts";
import { styled } from "./command-io.ts";

/** A configuration as the file says it, with nothing started. */
export interface StaticConfig {
  readonly name: string;
  readonly config: Config;
  readonly snapshot: Snapshot;
  /** What holds as it is written, and may not be meant so. */
  readonly warnings: readonly ConfigProblem[];
}

export interface NotLoaded {
  /** Empty when there is no file to have problems. */
  readonly problems: readonly ConfigProblem[];
  /** For people, ready to print. */
  readonly message: string;
}

/**
 * Loads the named configuration, or `tuloy.yaml`, or else what `tuloy start` would use without one.
 * @param named what `--config` says
 */
export async function loadStatic(named: string | undefined, io: CommandIo): Promise<StaticConfig | NotLoaded> {
  const found = await findConfig(named, io.directory);
  if (found.kind === "unreadable") return { problems: [], message: found.message };
  const base = found.kind === "file" ? dirname(found.path) : io.directory;
  const catalogFor = ({ data }: Config): Catalog => catalogIn(resolve(base, data.dir)).catalog;
  const loaded = loadConfig(found.text, found.name, io.environment, catalogFor);
  if (!loaded.ok) return { problems: loaded.problems, message: describeProblems(found.name, loaded.problems, io) };
  const { config, catalog, warnings } = loaded;
  // Nothing listens and nothing is sent: these addresses only take the place of those that sandboxes get at the start.
  const sandboxUrls = new Map(
    Object.entries(config.providers)
      .filter(([, provider]) => provider.kind === "sandbox")
      .map(([name]) => [name, "http://127.0.0.1"]),
  );
  return { name: found.name, config, snapshot: compile(config, found.text, sandboxUrls, null, catalog), warnings };
}

function describeProblems(name: string, problems: readonly ConfigProblem[], io: CommandIo): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`);
  return [styled("red", `${name} has ${count}:`, io.stderr), ...lines].join("\n");
}
