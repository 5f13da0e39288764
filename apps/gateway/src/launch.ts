import { dirname, resolve } from "node:path";

import type { Clock, Config } from "@tuloy/contract";
import type { Health } from "@tuloy/routing";
import { LedgerError, openSqliteStore, type LedgerListener, type Store } from "@tuloy/store";

import type { GatewayParts } from "./compose.ts";
import { catalogIn } from "./catalog/kept-file.ts";
import { compile, type OwnKey } from "./config/compile.ts";
import { firstKey, forgetFirstKey, newApiKey } from "./config/first-key.ts";
import { LiveConfig } from "./config/live.ts";
import { formatProblem, loadConfig } from "./config/read.ts";
import type { Snapshot } from "./config/snapshot.ts";
import { errorCode, type ConfigText } from "./config/source.ts";
import { ConfigWatch } from "./config/watch.ts";
import { forgetAddress, writeAddress, type GatewayAddress } from "./control/address-file.ts";
import { isolationFile } from "./control/isolation-file.ts";
import { operatorKey } from "./control/operator-key.ts";

import type { Log } from "./observe/log.ts";
import { createObserver, logConfigWarnings } from "./observe/observer.ts";
import { tellRefused } from "./observe/refused-rows.ts";
import { isLoopback } from "./http/origin-guard.ts";
import { masterKey } from "./secrets/master-key.ts";
import { SandboxFleet } from "./sandbox/fleet.ts";

export interface LaunchOptions {
  readonly source: Exclude<ConfigText, { kind: "unreadable" }>;
  /** Where `${NAME}` is looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The current directory: what relative paths of the command line, and of the built-in configuration, are relative to. */
  readonly directory: string;
  /** What the command line sets over the file. */
  readonly overrides: { readonly host?: string; readonly port?: number; readonly dataDir?: string };
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** A gateway that serves. */
export interface Launched {
  readonly url: string;
  readonly config: LiveConfig;
  readonly health: Health;
  readonly sandboxes: SandboxFleet;
  readonly dataDir: string;
  /** An API key that was made because the configuration names none, when it can be shown. */
  readonly madeKey: string | null;
  /** Reads the configuration file again. */
  reload(): Promise<void>;
  /** Ends it: requests in flight have `graceMs` to finish. */
  close(graceMs: number): Promise<void>;
}

/** Why a gateway cannot start: lines for a person, each saying what to do. */
export class LaunchError extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options?: ErrorOptions) {
    super(lines.join("\n"), options);
    this.lines = lines;
  }
}

/** From a configuration to a gateway that serves. Throws `LaunchError` for everything that is the operator's to mend. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { source, environment, overrides, clock, random, log } = options;
  const base = source.kind === "file" ? dirname(source.path) : options.directory;
  const dataDirOf = ({ data }: Config): string =>
    overrides.dataDir === undefined ? resolve(base, data.dir) : resolve(options.directory, overrides.dataDir);
  const loaded = loadConfig(source.text, source.name, environment, (read) => {
    const { catalog, problem } = catalogIn(dataDirOf(read));
    if (problem !== null) log.warn({ event: "catalog_not_used" }, `${problem}; the built-in catalog holds`);
    return catalog;
  });
  if (!loaded.ok) throw new LaunchError(loaded.problems.map(formatProblem));
  const { config, catalog } = loaded;
  logConfigWarnings(loaded.warnings, log);
  const host = overrides.host ?? config.server.host;
  const port = overrides.port ?? config.server.port;
  if (source.kind === "defaults" && !isLoopback(host)) {
    throw new LaunchError([
      `Without a configuration file only simulated providers would answer, so ${host} is not listened on. Write a tuloy.yaml with your providers.`,
    ]);
  }
  const dataDir = dataDirOf(config);

  const trouble: LedgerListener = {
    // An alert would go where nothing can be written now; it follows when it can.
    onTrouble: (message) => log.error({ event: "ledger_failing" }, message),
    onRecovered: (dropped) =>
      observer.alert(
        "ledger_failing",
        "ledger",
        `Records could not be written for a while; they are again, and ${dropped} were lost.`,
      ),
    onRefused: (rows) => tellRefused(rows, observer, log),
  };
  const opening = openStore(dataDir, clock, trouble);
  // The ledger's thread takes as long to start as the HTTP modules to load: one of the two waits for free.
  const [store, { startGateway }] = await Promise.all([opening, import("./compose.ts")]);
  const { ledger } = store;
  const observer = createObserver({ ledger, log, clock });
  const sandboxes = new SandboxFleet({ clock, random });
  let madeKey: string | null = null;
  try {
    const keys = ownKeys(source, config, dataDir);
    madeKey = keys.shown;
    let newest = config;
    const prepare = async (next: Config, text: string): Promise<Snapshot> => {
      const snapshot = compile(next, text, await sandboxes.prepare(next), keys.own, catalog);
      newest = next;
      return snapshot;
    };
    const live = new LiveConfig(await prepare(config, source.text));
    const parts = {
      ...openControl(dataDir),
      masterKey: fromDataDir(dataDir, () => masterKey(dataDir, environment)),
      config: live,
      store,
      observer,
      clock,
      random,
    };
    const gateway = await startGateway(parts, { host, port });
    const address = { url: gateway.url, pid: process.pid };
    tellAddress(dataDir, address, log);
    const watch =
      source.kind === "file"
        ? new ConfigWatch({
            path: source.path,
            name: source.name,
            text: source.text,
            live,
            started: config,
            environment,
            catalog,
            clock,
            prepare,
            tell: (event) => {
              observer.configEvent(event);
              if (event.kind === "applied") void sandboxes.retire(newest);
            },
          })
        : null;
    // A change between the first reading and the watch would otherwise go unseen.
    void watch?.reload();
    return {
      url: gateway.url,
      config: live,
      health: gateway.health,
      sandboxes,
      dataDir,
      madeKey,
      reload: async () => watch?.reload(),
      close: async (graceMs) => {
        watch?.close();
        forgetAddress(dataDir, address);
        await gateway.close(graceMs);
        await sandboxes.close();
      },
    };
  } catch (error) {
    if (madeKey !== null && source.kind === "file") forgetFirstKey(dataDir);
    await sandboxes.close();
    await ledger.close();
    throw listenError(error, host, port) ?? error;
  }
}

/** The keys that are not in the file: one that is made when it names none. */
function ownKeys(
  source: LaunchOptions["source"],
  config: Config,
  dataDir: string,
): { readonly own: OwnKey | null; readonly shown: string | null } {
  if (config.keys.length > 0) return { own: null, shown: null };
  if (source.kind === "defaults") {
    // For trying out: a new key each time, so that the printed command always works.
    const value = newApiKey();
    return { own: { value }, shown: value };
  }
  const { secret, digest, shown } = fromDataDir(dataDir, () => firstKey(dataDir));
  return { own: { secret, digest }, shown };
}

/** What the control plane keeps beside the records. */
function openControl(dataDir: string): Pick<GatewayParts, "operatorKey" | "isolationFile"> {
  return fromDataDir(dataDir, () => ({ operatorKey: operatorKey(dataDir), isolationFile: isolationFile(dataDir) }));
}

/** The command line would miss it; requests do not. */
function tellAddress(dataDir: string, address: GatewayAddress, log: Log): void {
  try {
    writeAddress(dataDir, address);
  } catch (error) {
    log.warn(
      { event: "address_not_written", code: errorCode(error) },
      "the address of this gateway could not be written to the data directory: tuloy drill and tuloy providers will not find it",
    );
  }
}

/** @throws LaunchError for a file in the data directory that holds something else than it should, or cannot be read or made */
function fromDataDir<T>(dataDir: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    const ownWords = error instanceof Error && errorCode(error) === "unknown error";
    throw new LaunchError([ownWords ? error.message : unusable(dataDir, errorCode(error))], { cause: error });
  }
}

function unusable(dataDir: string, code: string): string {
  return `The data directory ${dataDir} cannot be used (${code}): make it a directory that this user may write to, or name another in data.dir.`;
}

async function openStore(directory: string, clock: Clock, listener: LedgerListener): Promise<Store> {
  try {
    return await openSqliteStore({ directory, clock, listener });
  } catch (error) {
    if (error instanceof LedgerError) throw new LaunchError([error.message], { cause: error });
    throw error;
  }
}

function listenError(error: unknown, host: string, port: number): LaunchError | null {
  const at = `${host}:${port}`;
  switch (errorCode(error)) {
    case "EADDRINUSE":
      return new LaunchError(
        [`${at} is in use by another process: end that, or set server.port in tuloy.yaml (or --port) to a free one.`],
        { cause: error },
      );
    case "EACCES":
      return new LaunchError([`${at} may not be listened on by this user: choose a port above 1023.`], {
        cause: error,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new LaunchError(
        [
          `${host} is not an address of this machine: set server.host in tuloy.yaml (or --host), for example to 127.0.0.1 or 0.0.0.0.`,
        ],
        { cause: error },
      );
    default:
      return null;
  }
}
