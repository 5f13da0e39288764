import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { chatPath, type Gateway } from "./contenders/contender.ts";
import { findProgram, loadCore, pinned } from "./processes.ts";

const run = promisify(execFile);

export interface Load {
  /** Default: OpenAI's own for chats. */
  readonly path?: string;
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requests: number;
  /** Answers other than 2xx and 3xx, and broken connections. */
  readonly failures: number;
  readonly timeouts: number;
  readonly seconds: number;
}

const wrk = findProgram("wrk");

/** Which program makes the load: wrk where it is installed, as it costs a tenth of what a load generator in Node does. */
export const loadProgram = wrk === null ? "autocannon" : "wrk";

/**
 * Sends the same request over and over on each of some connections, each waiting for its answer (a closed loop), pinned to
 * the load's core.
 * @throws Error when the load generator itself fails
 */
export async function applyLoad(gateway: Gateway, load: Load, directory: string): Promise<LoadResult> {
  const bodyFile = join(directory, "body.json");
  writeFileSync(bodyFile, load.body);
  return wrk === null ? runAutocannon(gateway, load, bodyFile) : runWrk(wrk, gateway, load, bodyFile);
}

async function runWrk(program: string, gateway: Gateway, load: Load, bodyFile: string): Promise<LoadResult> {
  const script = fileURLToPath(new URL("./wrk.lua", import.meta.url));
  const [command, args] = pinned(loadCore, program, [
    "-t1",
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    "--timeout=20s",
    `--script=${script}`,
    gateway.origin + (load.path ?? chatPath),
  ]);
  const headers = Object.entries(gateway.headers).map(([name, value]) => `${name}: ${value}`);
  const { stdout } = await run(command, args, {
    env: { ...process.env, BENCH_BODY: bodyFile, BENCH_HEADERS: headers.join("\n"), BENCH_RUN: randomUUID() },
    timeout: (load.seconds + 30) * 1000,
  });
  return parseWrkOutput(stdout);
}

/**
 * Reads the line that `wrk.lua` prints.
 * @throws Error when it is not there
 */
export function parseWrkOutput(output: string): LoadResult {
  const line = /^BENCH (\{.*\})$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk gave no result: ${output.slice(-300)}`);
  return JSON.parse(line) as LoadResult;
}

async function runAutocannon(gateway: Gateway, load: Load, bodyFile: string): Promise<LoadResult> {
  const headers = { "content-type": "application/json", ...gateway.headers };
  const [command, args] = pinned(loadCore, process.execPath, [
    fileURLToPath(import.meta.resolve("autocannon")),
    "--json",
    "--no-progress",
    "--method=POST",
    "--timeout=20",
    `--input=${bodyFile}`,
    `--connections=${load.connections}`,
    `--duration=${load.seconds}`,
    ...Object.entries(headers).flatMap(([name, value]) => ["--headers", `${name}=${value}`]),
    gateway.origin + (load.path ?? chatPath),
  ]);
  const { stdout } = await run(command, args, { timeout: (load.seconds + 30) * 1000, maxBuffer: 16 * 1024 * 1024 });
  return parseAutocannonOutput(stdout);
}

/** Reads the JSON that autocannon prints. */
export function parseAutocannonOutput(output: string): LoadResult {
  const result = JSON.parse(output) as {
    requests: { total: number };
    errors: number;
    timeouts: number;
    non2xx: number;
    duration: number;
  };
  return {
    requests: result.requests.total,
    failures: result.non2xx + result.errors - result.timeouts,
    timeouts: result.timeouts,
    seconds: result.duration,
  };
}
