import { readdirSync, readFileSync } from "node:fs";

/**
 * Kernel clock ticks in /proc are always 1/100 s towards user space (USER_HZ, proc(5)), whatever the kernel's own timer
 * frequency. One tick is 10 ms: a run of 4 s at full load is known to a quarter of a percent.
 */
const tickUs = 10_000;

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** CPU time of all its threads and of children that have ended, in microseconds. */
  readonly cpuUs: number;
}

/**
 * Reads the text of `/proc/<pid>/stat`. The second field is the program's name in parentheses and may itself hold spaces
 * and parentheses, so the numbers are counted from the last one.
 * @throws Error when the text is not of that form
 */
export function parseProcessStat(text: string): ProcessStat {
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [parent, userTicks, systemTicks, endedUserTicks, endedSystemTicks] = [1, 11, 12, 13, 14].map((i) =>
    Number(fields[i]),
  );
  const ticks =
    (userTicks ?? Number.NaN) +
    (systemTicks ?? Number.NaN) +
    (endedUserTicks ?? Number.NaN) +
    (endedSystemTicks ?? Number.NaN);
  if (Number.isNaN(pid) || parent === undefined || Number.isNaN(ticks)) throw new Error(`not a process stat: ${text}`);
  return { pid, parent, cpuUs: ticks * tickUs };
}

/** Resident memory in bytes from the text of `/proc/<pid>/status`; 0 where the line is missing, as for a zombie. */
export function parseResidentBytes(status: string): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return match ? Number(match[1]) * 1024 : 0;
}

/** The soft limit on open files from the text of `/proc/<pid>/limits`; Infinity when unlimited. */
export function parseOpenFilesLimit(limits: string): number {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(limits);
  return match && match[1] !== "unlimited" ? Number(match[1]) : Number.POSITIVE_INFINITY;
}

/** The root and everything descended from it, root first. Empty when the root is not among the processes. */
export function processTree(processes: readonly ProcessStat[], root: number): ProcessStat[] {
  const tree = processes.filter(({ pid }) => pid === root);
  // The list grows while it is walked: children of children are found when their parent's turn comes.
  for (const member of tree) tree.push(...processes.filter(({ parent, pid }) => parent === member.pid && pid !== root));
  return tree;
}

function readProcesses(): ProcessStat[] {
  const processes: ProcessStat[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      processes.push(parseProcessStat(readFileSync(`/proc/${entry}/stat`, "utf8")));
    } catch {
      // It ended between the listing and the reading.
    }
  }
  return processes;
}

/** Process ids of the root and its descendants, now. */
export function treePids(root: number): number[] {
  return processTree(readProcesses(), root).map(({ pid }) => pid);
}

/**
 * CPU time used so far by a process, all its threads and all its descendants, in microseconds.
 * @throws Error when the process is gone
 */
export function treeCpuUs(root: number): number {
  const tree = processTree(readProcesses(), root);
  if (tree.length === 0) throw new Error(`process ${root} has ended`);
  return tree.reduce((sum, { cpuUs }) => sum + cpuUs, 0);
}

/** Resident memory of a process and its descendants, in bytes. Pages shared between them are counted for each. */
export function treeResidentBytes(root: number): number {
  return treePids(root).reduce((sum, pid) => sum + parseResidentBytes(readFileSync(`/proc/${pid}/status`, "utf8")), 0);
}

/** How many files this process may have open at once. */
export function openFilesLimit(): number {
  return parseOpenFilesLimit(readFileSync("/proc/self/limits", "utf8"));
}
