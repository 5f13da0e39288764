import { lstatSync, realpathSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

import type { Catalog } from "@tuloy/catalog";
import type { Clock, Config, Timer } from "@tuloy/contract";

import type { LiveConfig } from "./live.ts";
import { loadConfig } from "./read.ts";
import type { ConfigProblem } from "./read.ts";
import type { Snapshot } from "./snapshot.ts";
import { errorCode, readConfig } from "./source.ts";

export type ConfigEvent =
  | {
      readonly kind: "applied";
      readonly version: string;
      /** Fields that differ from what the process started with and hold only after a restart. */
      readonly needRestart: readonly string[];
      readonly warnings: readonly ConfigProblem[];
    }
  /** The file is there but not valid; what held before still holds. */
  | { readonly kind: "rejected"; readonly problems: readonly ConfigProblem[] }
  /** The file could not be read, watched or put into effect; what held before still holds. */
  | { readonly kind: "failed"; readonly message: string };

export interface ConfigWatchOptions {
  /** Absolute. */
  readonly path: string;
  /** What messages call the file. */
  readonly name: string;
  /** The text that `live` was compiled from. */
  readonly text: string;
  readonly live: LiveConfig;
  /** What the process started with. */
  readonly started: Pick<Config, "server" | "data">;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What is known of models and prices, since the start. */
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Makes what a configuration needs before it can hold (simulated providers), and compiles it. */
  readonly prepare: (config: Config, text: string) => Snapshot | Promise<Snapshot>;
  readonly tell: (event: ConfigEvent) => void;
}

/** An editor writes a file in several steps; this long after the last one it is whole. */
const settleMs = 100;

/** Follows a configuration file. `close` ends it. */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  readonly #watched = new Map<string, { close(): void }>();
  /** Null: read it again whatever it says, since it did not take effect. */
  #seen: string | null;
  #timer: Timer | null = null;
  #reloading: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
    this.#seen = options.text;
    this.#watchDirectories();
  }

  /** Reads the file now, for SIGHUP. Resolves when its effect is there; never rejects. */
  reload(): Promise<void> {
    // One after the other: of two quick changes the later one must be the one that stays.
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const watcher of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  async #reload(): Promise<void> {
    if (this.#closed) return;
    const { path, name, live, environment, catalog, prepare, tell } = this.#options;
    this.#watchDirectories();
    try {
      const read = await readConfig(path);
      if (!read.ok) {
        this.#seen = null;
        tell({ kind: "failed", message: `${name} could not be applied: ${read.code ?? `it ${read.why}`}` });
        return;
      }
      const { text } = read;
      if (text === this.#seen) return;
      this.#seen = text;
      const loaded = loadConfig(text, name, environment, () => catalog);
      if (!loaded.ok) {
        tell({ kind: "rejected", problems: loaded.problems });
        return;
      }
      const snapshot = await prepare(loaded.config, text);
      live.replace(snapshot);
      tell({
        kind: "applied",
        version: snapshot.version,
        needRestart: restartFields(this.#options.started, loaded.config),
        warnings: loaded.warnings,
      });
    } catch (error) {
      this.#seen = null;
      const reason = error instanceof Error && !("code" in error) ? error.message : errorCode(error);
      tell({ kind: "failed", message: `${name} could not be applied: ${reason}` });
    }
  }

  /**
   * Watches directories and not the file: saving by renaming replaces the file, and a watch on it would follow the old one.
   * A symbolic link (a Kubernetes config map is two in a row) changes by another name in the same directory, or where it
   * points to.
   */
  #watchDirectories(): void {
    const { path, name, tell } = this.#options;
    const wanted = new Set([dirname(path)]);
    try {
      wanted.add(dirname(realpathSync(path)));
    } catch {
      // The file is gone for now; its own directory tells when it is back.
    }
    for (const [directory, watcher] of this.#watched) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#watched.delete(directory);
    }
    for (const directory of wanted) {
      if (this.#watched.has(directory)) continue;
      try {
        const watcher = watch(directory, { persistent: false }, (_, changed) => this.#changed(changed));
        watcher.on("error", () => {
          watcher.close();
          this.#watched.delete(directory);
        });
        this.#watched.set(directory, watcher);
      } catch (error) {
        tell({
          kind: "failed",
          message: `${name} cannot be watched (${errorCode(error)}): send SIGHUP after a change`,
        });
      }
    }
  }

  #changed(name: string | null): void {
    if (this.#closed) return;
    if (name !== null && name !== basename(this.#options.path) && !isLink(this.#options.path)) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(settleMs, () => void this.reload());
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** What is bound or opened once, at the start. */
function restartFields(started: ConfigWatchOptions["started"], next: Config): string[] {
  const fields: string[] = [];
  if (started.server.host !== next.server.host) fields.push("server.host");
  if (started.server.port !== next.server.port) fields.push("server.port");
  if (started.data.dir !== next.data.dir) fields.push("data.dir");
  return fields;
}
