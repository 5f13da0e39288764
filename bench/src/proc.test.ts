import { describe, expect, it } from "vitest";

import { parseOpenFilesLimit, parseProcessStat, parseResidentBytes, processTree } from "./proc.ts";

function statLine(pid: number, name: string, parent: number, times: readonly [number, number, number, number]): string {
  return `${pid} (${name}) S ${parent} 10 10 0 -1 4194560 900 800 0 0 ${times.join(" ")} 20 0 11 0 500 1000000 2000`;
}

describe("parseProcessStat", () => {
  it("adds user and system time, its own and that of children that have ended, at 10 ms a tick", () => {
    expect(parseProcessStat(statLine(42, "node", 7, [100, 20, 3, 1]))).toEqual({
      pid: 42,
      parent: 7,
      cpuUs: 1_240_000,
    });
  });

  it("is not misled by spaces and parentheses in the program's name", () => {
    expect(parseProcessStat(statLine(42, "a) S 1 (b", 7, [1, 2, 0, 0]))).toEqual({ pid: 42, parent: 7, cpuUs: 30_000 });
  });

  it("refuses a text that is something else", () => {
    expect(() => parseProcessStat("42 (node) S 7")).toThrow("not a process stat");
    expect(() => parseProcessStat("")).toThrow("not a process stat");
  });
});

describe("processTree", () => {
  const process = (pid: number, parent: number) => ({ pid, parent, cpuUs: 0 });

  it("holds children and their children and nobody else's, in whatever order they are listed", () => {
    const processes = [process(12, 11), process(1, 0), process(11, 10), process(20, 1), process(10, 1)];
    expect(processTree(processes, 10).map(({ pid }) => pid)).toEqual([10, 11, 12]);
  });

  it("is empty when the root is gone", () => {
    expect(processTree([process(11, 10)], 10)).toEqual([]);
  });
});

describe("the other texts of /proc", () => {
  it("gives resident memory in bytes", () => {
    expect(parseResidentBytes("Name:\tnode\nVmHWM:\t  99999 kB\nVmRSS:\t   1024 kB\nThreads:\t11\n")).toBe(1_048_576);
    expect(parseResidentBytes("Name:\tgone\nState:\tZ (zombie)\n")).toBe(0);
  });

  it("gives the soft limit on open files", () => {
    const row = "Max open files            1024                 20000                files     \n";
    expect(parseOpenFilesLimit(`Limit\n${row}`)).toBe(1024);
    expect(parseOpenFilesLimit("Max open files            unlimited            unlimited            files\n")).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});
