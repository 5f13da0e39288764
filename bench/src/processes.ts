import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { treePids } from "./proc.ts";

/** The gateway under test has a core to itself; upstream, load and this process share the other. */
export const gatewayCore = 0;
export const loadCore = 1;

export interface Child {
  readonly pid: number;
  /** Milliseconds on `performance.now()`'s clock at which it was spawned. */
  readonly spawnedAt: number;
  readonly running: () => boolean;
  /** The end of what it wrote, to say why it did not start. */
  readonly lastWords: () => string;
  /** Ends it and its descendants: SIGTERM, and SIGKILL after 5 s. Does nothing when it has ended. */
  readonly stop: () => Promise<void>;
}

export interface ChildCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly core: number;
  /** Its output is kept here: a pipe would cost the reader CPU time on the measured machine. */
  readonly logFile: string;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const children = new Set<Child>();
const scratchDirectories = new Set<string>();

/** The full path of an installed program, or null. `sbin` is searched too: haproxy and nginx live there. */
export function findProgram(name: string): string | null {
  const directories = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/sbin", "/sbin"];
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path)) ?? null;
}

const taskset = findProgram("taskset");

/** Whether processes can be kept on their cores: `taskset` is there and so are two cores. */
export const canPin = taskset !== null && availableParallelism() > 1;

/** The command, run on one core where that is possible. `taskset` replaces itself, so the process id is the command's. */
export function pinned(core: number, command: string, args: readonly string[]): [string, string[]] {
  return canPin && taskset !== null ? [taskset, ["-c", String(core), command, ...args]] : [command, [...args]];
}

/** Keeps this process, all its threads, off the gateway's core. */
export function pinSelf(): void {
  if (canPin && taskset !== null) spawnSync(taskset, ["-a", "-c", "-p", String(loadCore), String(process.pid)]);
}

/**
 * What a program said before it ended, in one short line fit for a published table: its first line that speaks of an error,
 * or else its last, without the directories of this machine.
 */
export function briefly(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const telling =
    lines.find((line) => /error|cannot|failed|denied/i.test(line)) ?? lines.findLast((line) => line !== "");
  return (telling ?? "").replaceAll(/(?:file:\/\/)?(?:\/[^\s/:'"]+)+\//g, "").slice(0, 160);
}

export function start({ command, args, core, logFile, cwd, environment }: ChildCommand): Child {
  const log = openSync(logFile, "a");
  const [program, programArgs] = pinned(core, command, args);
  const spawnedAt = performance.now();
  const process_ = spawn(program, programArgs, {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...environment },
    ...(cwd === undefined ? {} : { cwd }),
  });
  closeSync(log);
  const running = () => process_.exitCode === null && process_.signalCode === null && process_.pid !== undefined;
  // Without a listener, a program that cannot be executed would end the whole run; `running` tells of it.
  process_.on("error", () => undefined);
  const child: Child = {
    pid: process_.pid ?? -1,
    spawnedAt,
    running,
    lastWords: () => briefly(readFileSync(logFile, "utf8")),
    stop: async () => {
      children.delete(child);
      if (!running()) return;
      const family = treePids(child.pid);
      process_.kill("SIGTERM");
      for (let waited = 0; waited < 5_000 && running(); waited += 10) await sleep(10);
      for (const pid of running() ? family : family.slice(1)) killQuietly(pid);
    },
  };
  children.add(child);
  return child;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/**
 * Asks again and again until the answer is yes.
 * @returns null when ready; otherwise, in words, why not: the process ended, or `timeoutMs` passed
 */
export async function untilReady(
  child: Child,
  probe: () => Promise<boolean>,
  { timeoutMs = 20_000, everyMs = 20 } = {},
): Promise<string | null> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (!child.running()) return `ended at once: ${child.lastWords() || "no output"}`;
    if (await probe()) return null;
    await sleep(everyMs);
  }
  return `not ready within ${timeoutMs / 1000} s: ${child.lastWords() || "no output"}`;
}

/** A loopback port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
  });
  return promise;
}

/** A directory that is gone when this process ends, however it ends. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "tuloy-bench-"));
  scratchDirectories.add(directory);
  return directory;
}

/** Ends every child and removes every scratch directory. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...children].map(async (child) => child.stop()));
  removeScratch();
}

function removeScratch(): void {
  for (const directory of scratchDirectories) rmSync(directory, { recursive: true, force: true });
  scratchDirectories.clear();
}

process.once("exit", () => {
  for (const child of children) if (child.running()) killQuietly(child.pid);
  removeScratch();
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
