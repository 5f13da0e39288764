import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";

import type { AttemptRecord } from "@tuloy/contract";
import { openSqliteStore } from "@tuloy/store";
import { FakeClock } from "@tuloy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../clock.ts";
import { aTrace } from "../observe/sample-traces.ts";
import type { CommandIo } from "./command-io.ts";
import { routesCommand } from "./routes.ts";

const config = `
providers:
  a: { kind: sandbox }
  b: { kind: sandbox }
routes:
  - { name: staging-chat, match: { operation: chat, models: [gpt-4*, o3], environments: [staging] }, providers: [b, a] }
`;

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tuloy-routes-"));
  await writeFile(join(directory, "tuloy.yaml"), config);
  const { ledger } = await openSqliteStore({
    directory: join(directory, ".tuloy"),
    clock: new FakeClock(),
    listener: { onTrouble: () => undefined, onRecovered: () => undefined, onRefused: () => undefined },
  });
  const now = systemClock.wall();
  let number = 0;
  const sent = (provider: string, model: string, hoursAgo: number, changes: Partial<AttemptRecord> = {}): void => {
    number += 1;
    const startedAt = now - hoursAgo * 3_600_000;
    ledger.append({
      ...aTrace({ started_at: startedAt, route: "split", model }),
      id: `${startedAt.toString(16).padStart(12, "0")}${String(number).padStart(20, "0")}`,
      candidates: [`${provider}/${model}`, "other/one"],
      attempts: [{ ...answered(), deployment: `${provider}/${model}`, provider, model, ...changes }],
      drill: changes.drill ?? null,
    });
  };
  for (let i = 0; i < 30; i++) {
    sent("a", "m", 1, { first_token_ms: 100 + i });
    if (i < 20) sent("b", "m", 1, { first_token_ms: 400 + i, cost_usd: 0.02 + i / 10_000 });
  }
  sent("b", "m", 1, { failure: "overloaded", reason: "busy", first_token_ms: null, usage: null, cost_usd: null });
  // Made up by a drill: no arm's failure.
  sent("b", "m", 1, { failure: "overloaded", drill: "drill-1" });
  sent("a", "lonely", 1);
  sent("b", "m", 30);
  await ledger.close();
});

afterAll(() => rm(directory, { recursive: true }));

function answered(): AttemptRecord {
  const [first] = aTrace().attempts;
  if (first === undefined) throw new Error("the sample has no attempt");
  return { ...first, started_ms: 0, first_token_ms: 100, ended_ms: 1100, cost_usd: 0.01 };
}

async function run(...argv: string[]): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  const written = { stdout: "", stderr: "", exitCode: 0 };
  const collect = (name: "stdout" | "stderr"): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written[name] += chunk.toString();
        done();
      },
    });
  const io: CommandIo = {
    stdout: collect("stdout"),
    stderr: collect("stderr"),
    environment: {},
    directory,
    setExitCode: (code) => void (written.exitCode = code),
  };
  await routesCommand(io).parseAsync(argv, { from: "user" });
  return written;
}

describe("tuloy routes", () => {
  it("lists the routes as they are written, and the one that everything else takes", async () => {
    const { stdout } = await run();
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["route", "applies to", "strategy", "providers"],
      ["staging-chat", "operation chat, models gpt-4* or o3, environments staging", "order", "b, a"],
      ["default", "every request", "order", "all"],
      [""],
    ]);
  });

  it("lists them as JSON, an object a line, as every list is", async () => {
    const { stdout } = await run("--json");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      {
        name: "staging-chat",
        match: { operation: "chat", models: ["gpt-4*", "o3"], environments: ["staging"] },
        strategy: "order",
        providers: ["b", "a"],
      },
      { name: "default", match: {}, strategy: "order", providers: null },
    ]);
  });
});

describe("tuloy routes compare", () => {
  it("shows each arm of a model with its figures, and in words what is clear", async () => {
    const { stdout, exitCode } = await run("compare", "split");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/a\/m +30 +0\.00% \(0\.00% to 11\.\d%\)/);
    expect(stdout).toMatch(/b\/m +21 +4\.76% \(/);
    expect(stdout).toContain("Against a/m, b/m is slower to its first token (by 291 ms to 299 ms)");
    expect(stdout).toContain("costs more (by $0.01");
    expect(stdout).not.toMatch(/b\/m .*fails more often/);
    expect(stdout).toContain("All requests went to a/lonely");
  });

  it("looks as far back as it is told", async () => {
    const requests = async (...argv: string[]): Promise<number> => {
      const { stdout } = await run("compare", "split", "--json", ...argv);
      const { models } = JSON.parse(stdout) as { models: { arms: { requests: number }[] }[] };
      return models.flatMap(({ arms }) => arms).reduce((sum, arm) => sum + arm.requests, 0);
    };
    expect(await requests()).toBe(52);
    expect(await requests("--since", "2d")).toBe(53);
  });

  it("says when there is nothing, and what to do", async () => {
    const { stderr, exitCode } = await run("compare", "nosuch");
    expect(stderr).toContain("No request of the route nosuch is recorded in this time");
    expect(exitCode).toBe(1);
  });
});
