import { execFileSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import type { Clock } from "@tuloy/contract";
import { answersChat, answersError, collect, runLoad, startUpstream, tally } from "@tuloy/testkit";
import { systemClock } from "tuloy";
import { describe, expect, onTestFinished, test } from "vitest";

import { GatewayProcess, run, scratchDirectory } from "../command.ts";
import { configText } from "../harness.ts";
import { headers, setProcess, soon, tracesIn, whole } from "../process-scene.ts";
import { post, setScene } from "../scene.ts";

async function askWhole(url: string): Promise<number | null> {
  return (await collect(`${url}/v1/chat/completions`, { headers, body: whole })).status;
}

function outcomeOf({
  result,
}: {
  readonly result: { ok: true; value: number | null } | { ok: false; error: unknown };
}): string {
  return result.ok ? String(result.value) : "failed";
}

describe("records that cannot be written", () => {
  test(
    "because another process holds the database: requests go on, the operator is told, and nothing is lost",
    { timeout: 30_000 },
    async () => {
      const { gateway, url, directory } = await setProcess(answersChat("hello there"));
      const other = new DatabaseSync(join(directory, ".tuloy", "tuloy.db"), { timeout: 5000 });
      onTestFinished(() => other.close());
      other.exec("begin immediate");
      const first = await runLoad({ jobs: 30, concurrency: 5, job: () => askWhole(url) });
      const [told] = await gateway.logged("ledger_failing");
      expect(told).toMatchObject({ level: "error" });
      expect(told?.["msg"]).toMatch(/tuloy\.db is locked by another process .*end that process, or wait/);
      const second = await runLoad({ jobs: 30, concurrency: 5, job: () => askWhole(url) });
      expect(tally([...first, ...second], outcomeOf)).toEqual({ "200": 60 });
      other.exec("rollback");
      await soon(async () => (await tracesIn(directory)).length === 60, "all sixty traces", 15_000);
      await soon(
        async () => (await run(["alerts", "--json"], { directory })).stdout.includes("and 0 were lost"),
        "the alert",
      );
      expect(gateway.log().filter(({ event }) => event === "ledger_failing")).toHaveLength(2);
    },
  );

  // A limit on the size of files is a disk that is full, for one process, and it can be lifted again.
  test.runIf(existsSync("/usr/bin/prlimit"))(
    "because the disk takes no more: requests go on, the operator is told, and writing resumes",
    { timeout: 30_000 },
    async () => {
      const { gateway, url, directory } = await setProcess(answersChat("hello there"));
      const limit = (bytes: string) =>
        execFileSync("/usr/bin/prlimit", ["--pid", String(gateway.pid), `--fsize=${bytes}:`]);
      limit("1");
      const during = await runLoad({ jobs: 40, concurrency: 5, job: () => askWhole(url) });
      await gateway.logged("ledger_failing");
      expect(tally(during, outcomeOf)).toEqual({ "200": 40 });
      expect(gateway.running).toBe(true);
      limit("unlimited");
      await soon(async () => (await tracesIn(directory).catch(() => [])).length === 40, "all forty traces", 15_000);
      gateway.signal("SIGTERM");
      expect(await gateway.finished()).toMatchObject({ code: 0 });
    },
  );
});

test("a record that the database refuses is told of by its trace id, and those behind it are written", async () => {
  const { gateway } = await setScene({ a: answersChat("hello there") });
  const database = new DatabaseSync(join(gateway.dataDir, "tuloy.db"), { timeout: 5000 });
  onTestFinished(() => database.close());
  database.exec(
    `create trigger picky before insert on traces when instr(new.detail, 'do-not-keep') > 0 begin select raise(abort, 'not this one'); end`,
  );
  const refused = await post(gateway, {}, { headers: { "x-tuloy-tags": "how=do-not-keep" } });
  expect(refused.status).toBe(200);
  const kept = await post(gateway);
  const id = String(refused.headers["x-tuloy-trace-id"]);
  expect(await gateway.trace(String(kept.headers["x-tuloy-trace-id"]))).toMatchObject({ status: 200 });
  const alert = await soon(async () => (await gateway.alerts())[0], "the alert");
  expect(alert).toMatchObject({ kind: "record_refused", subject: id });
  expect(alert.message).toContain(`${id} (not this one)`);
  expect((await gateway.traces()).map((trace) => trace.id)).toEqual([kept.headers["x-tuloy-trace-id"]]);
});

test.runIf(existsSync("/usr/bin/prlimit"))(
  "a log in a file on a disk that takes no more: requests go on, and so does the log when there is room again",
  { timeout: 30_000 },
  async () => {
    // Each request fails, which is worth a line.
    const upstream = await startUpstream(answersError(503, null, "busy"));
    onTestFinished(() => upstream.close());
    const directory = scratchDirectory();
    writeFileSync(join(directory, "tuloy.yaml"), configText({ providers: { a: { url: upstream.url } } }));
    const path = join(directory, "log");
    const file = openSync(path, "a");
    onTestFinished(() => closeSync(file));
    const gateway = new GatewayProcess(["start", "--port", "0"], { directory, stdout: file });
    const [, url = ""] = await soon(() => /listens on (http:\S+)/.exec(readFileSync(path, "utf8")), "its address");
    const limit = (bytes: string) =>
      execFileSync("/usr/bin/prlimit", ["--pid", String(gateway.pid), `--fsize=${bytes}:`]);

    const before = statSync(path).size;
    limit(String(before));
    const during = await runLoad({ jobs: 20, concurrency: 5, job: () => askWhole(url) });
    expect(tally(during, outcomeOf)).toEqual({ "503": 20 });
    // Their lines are written behind their backs: the health check comes after the turns in which that fails.
    expect((await collect(`${url}/healthz`)).status).toBe(200);
    expect(gateway.running).toBe(true);
    expect(statSync(path).size).toBe(before);
    limit("unlimited");
    expect(await askWhole(url)).toBe(503);
    await soon(() => statSync(path).size > before, "a line");
    gateway.signal("SIGTERM");
    expect(await gateway.finished()).toMatchObject({ code: 0 });
  },
);

test("the machine's calendar jumps back an hour and on by a day: requests go on, and no duration shows it", async () => {
  let jump = 0;
  const clock: Clock = { ...systemClock, wall: () => systemClock.wall() + jump };
  const { gateway } = await setScene({ a: answersChat("hello there") }, { clock });
  const statuses: (number | null)[] = [];
  for (jump of [0, -3_600_000, 86_400_000, 0]) statuses.push((await post(gateway)).status);
  expect(statuses).toEqual([200, 200, 200, 200]);
  await gateway.lastTrace(4);
  const traces = await gateway.traces();
  for (const { duration_ms: duration, attempts } of traces) {
    expect(duration).toBeGreaterThanOrEqual(0);
    expect(duration).toBeLessThan(10_000);
    expect(attempts[0]?.ended_ms).toBeLessThanOrEqual(duration);
  }
  expect(new Set(traces.map(({ id }) => id)).size).toBe(4);
});
