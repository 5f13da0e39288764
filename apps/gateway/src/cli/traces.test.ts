import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";

import { openSqliteStore } from "@tuloy/store";
import { FakeClock } from "@tuloy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { aFailover, aLoss, aTrace } from "../observe/sample-traces.ts";
import { alertsCommand } from "./alerts.ts";
import type { CommandIo } from "./command-io.ts";
import { resolveDataDir } from "./data-dir.ts";
import { tracesCommand } from "./traces.ts";

let directory: string;
const loss = aLoss({ id: `019ab1${"0".repeat(26)}`, started_at: 1_763_870_001_000 });
const failover = aFailover({ id: `019ab2${"0".repeat(26)}`, started_at: 1_763_870_002_000 });
const success = aTrace({
  id: `019ac3${"0".repeat(26)}`,
  started_at: 1_763_870_003_000,
  requested_model: "openai/gpt-4.1",
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tuloy-traces-"));
  const clock = new FakeClock();
  const { ledger } = await openSqliteStore({
    directory: join(directory, ".tuloy"),
    clock,
    listener: { onTrouble: () => undefined, onRecovered: () => undefined, onRefused: () => undefined },
  });
  for (const trace of [loss, failover, success]) ledger.append(trace);
  ledger.alert({
    at: 1_763_870_001_000,
    kind: "breaker_opened",
    subject: "openai/gpt-4.1",
    message: "openai/gpt-4.1 is failing.",
  });
  await ledger.close();
});

afterAll(() => rm(directory, { recursive: true }));

async function run(make: typeof tracesCommand, ...argv: string[]) {
  const written = { stdout: "", stderr: "", exitCode: 0 };
  const collect = (name: "stdout" | "stderr") =>
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
  const command = make(io)
    .exitOverride()
    .configureOutput({ writeErr: (text) => void (written.stderr += text) });
  await command.parseAsync(argv, { from: "user" });
  return written;
}

const traces = (...argv: string[]) => run(tracesCommand, ...argv);

describe("tuloy traces", () => {
  it("lists the newest requests first, as a table", async () => {
    const { stdout, exitCode } = await traces();
    expect(exitCode).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "time (UTC)           id              model    outcome    answered by  attempts  failed over  first token  total   cost
      2025-11-23 03:53:23  019ac300000000  gpt-4.1  succeeded  openai       1         –            180 ms       921 ms  $0.003312
      2025-11-23 03:53:22  019ab200000000  gpt-4.1  succeeded  azure-eu     2         overloaded   500 ms       1 s     $0.0036
      2025-11-23 03:53:21  019ab100000000  gpt-4.1  failed     –            2         overloaded   –            1 s     –
      "
    `);
  });

  it("lists only what is asked for", async () => {
    const ids = async (...argv: string[]) =>
      (await traces("--json", ...argv)).stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line): unknown => Reflect.get(Object(JSON.parse(line)), "id"));
    expect(await ids()).toEqual([success.id, failover.id, loss.id]);
    expect(await ids("--failed")).toEqual([loss.id]);
    expect(await ids("--failed-over")).toEqual([failover.id, loss.id]);
    expect(await ids("--model", "openai/gpt-4.1")).toEqual([success.id]);
    expect(await ids("--limit", "1")).toEqual([success.id]);
  });

  it("says when nothing fits", async () => {
    expect((await traces("--model", "other")).stdout).toBe("No request of that kind is recorded.\n");
  });

  it("shows one trace by the beginning of its id", async () => {
    const { stdout, exitCode } = await traces("019AB2");
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Trace ${failover.id}  failed over (overloaded) and succeeded`);
    expect(stdout).not.toContain("\u001b");
  });

  it("prints a trace as it was recorded with --json", async () => {
    expect(JSON.parse((await traces(failover.id, "--json")).stdout)).toEqual(failover);
  });

  it.each([
    ["ffff", "No trace begins with ffff: run tuloy traces to see those that are recorded.\n"],
    ["019ab", `More than one trace begins with 019ab: give more of the id, for example 019ab1${"0".repeat(26)}.\n`],
  ])("refuses %s in one line that says what to do", async (id, line) => {
    expect(await traces(id)).toEqual({ stdout: "", stderr: line, exitCode: 1 });
  });

  it("says in one line when nothing is recorded in the data directory", async () => {
    const { stderr, exitCode } = await traces("--data-dir", "elsewhere");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^Nothing is recorded in \S+\/elsewhere yet: .+\n$/);
    expect(await readdir(directory)).toEqual([".tuloy"]);
  });

  it("refuses a limit that is no number", async () => {
    await expect(traces("--limit", "many")).rejects.toThrow("It is a whole number from 1 on.");
  });
});

describe("tuloy alerts", () => {
  it("lists alerts, as a table or as JSON", async () => {
    expect((await run(alertsCommand)).stdout).toMatchInlineSnapshot(`
      "time (UTC)           alert           what happened
      2025-11-23 03:53:21  breaker_opened  openai/gpt-4.1 is failing.
      "
    `);
    expect(JSON.parse((await run(alertsCommand, "--json")).stdout)).toEqual({
      at: 1_763_870_001_000,
      kind: "breaker_opened",
      subject: "openai/gpt-4.1",
      message: "openai/gpt-4.1 is failing.",
    });
  });
});

describe("the data directory", () => {
  const options = { dataDir: undefined, config: undefined, environment: {} };

  it("is .tuloy here when nothing says otherwise", () => {
    expect(resolveDataDir({ ...options, directory: "/nowhere" })).toBe("/nowhere/.tuloy");
  });

  it("is what the command line says, in the current directory when it is relative", () => {
    expect(resolveDataDir({ ...options, directory: "/nowhere", dataDir: "/data" })).toBe("/data");
    expect(resolveDataDir({ ...options, directory: "/nowhere", dataDir: "data", config: "/etc/tuloy/t.yaml" })).toBe(
      "/nowhere/data",
    );
  });

  it("is the configuration's, whose other variables need not be set", async () => {
    const other = await mkdtemp(join(tmpdir(), "tuloy-config-"));
    const file = join(other, "my.yaml");
    const resolved = (dir: string, environment: Record<string, string>) =>
      writeFile(
        file,
        `data: { dir: ${dir} }\nproviders: { openai: { kind: openai, keys: [{ value: "\${MISSING}" }] } }\n`,
      ).then(() => resolveDataDir({ ...options, directory: "/nowhere", config: file, environment }));
    expect(await resolved("records", {})).toBe(join(other, "records"));
    expect(await resolved('"${DATA}"', { DATA: "/data" })).toBe("/data");
    await rm(other, { recursive: true });
  });
});
