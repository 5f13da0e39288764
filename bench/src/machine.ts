import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

import { loadProgram } from "./load.ts";
import { canPin, findProgram } from "./processes.ts";

/** The processor's name from the text of /proc/cpuinfo. */
export function parseCpuModel(cpuinfo: string): string {
  return /^model name\s*:\s*(.+)$/m.exec(cpuinfo)?.[1]?.trim() ?? "unknown processor";
}

/** A paragraph that ends a section's introduction: when and on what it was measured. */
export function provenance(versions: readonly string[] = []): string {
  return `\n\n${new Date().toISOString().slice(0, 10)}. ${describeMachine(versions)}.`;
}

/** What a reader must know to judge the numbers, and nothing that names the machine or its owner. */
function describeMachine(versions: readonly string[]): string {
  // Not `availableParallelism`, which would count only the core that this process has pinned itself to.
  const cores = cpus().length;
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return [
    `${parseCpuModel(readFileSync("/proc/cpuinfo", "utf8"))}, ${cores} ${cores === 1 ? "core" : "cores"}, ${memory} GB`,
    `Linux ${release()}`,
    `Node ${process.versions.node}`,
    ...versions.filter((version) => !version.startsWith("Node ")),
    `load: ${loadVersion()}`,
    canPin ? "gateway pinned to one core, upstream and load to another" : "not pinned",
  ].join("; ");
}

function loadVersion(): string {
  if (loadProgram !== "wrk") return loadProgram;
  // It tells its version and then, as it was given no address, that it failed.
  const { stdout } = spawnSync(findProgram("wrk") ?? "wrk", ["-v"], { encoding: "utf8" });
  return /wrk \S+/.exec(stdout)?.[0] ?? "wrk";
}
