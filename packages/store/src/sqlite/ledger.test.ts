import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";

import type { Alert } from "@tuloy/contract";
import { eventually, FakeClock } from "@tuloy/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { describeLedger } from "../ledger-conformance.ts";
import { LedgerError, type Ledger, type LedgerListener } from "../ledger.ts";
import { aTrace, traceId } from "../sample-traces.ts";
import { databasePath } from "./database.ts";
import { databaseProblem, directoryProblem } from "./problems.ts";
import { openSqliteReader } from "./reader.ts";
import { openSqliteStore, type SqliteStoreOptions } from "./writer.ts";

const silent: LedgerListener = {
  onTrouble: () => undefined,
  onRecovered: () => undefined,
  onRefused: () => undefined,
};

async function openSqliteLedger(options: SqliteStoreOptions): Promise<Ledger> {
  return (await openSqliteStore(options)).ledger;
}

function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "tuloy-store-"));
}

/** A database that was set up already, to copy: setting one up takes longer than most of the tests. */
let prepared: string;

beforeAll(async () => {
  prepared = await temporaryDirectory();
  const ledger = await openSqliteLedger({ directory: prepared, clock: new FakeClock(), listener: silent });
  await ledger.close();
});

afterAll(() => rm(prepared, { recursive: true }));

describeLedger("SQLite", async (state) => {
  const directory = await temporaryDirectory();
  if (state === "ready") await copyFile(databasePath(prepared), databasePath(directory));
  return {
    open: (parts) => openSqliteLedger({ directory, ...parts }),
    openReader: () => openSqliteReader(directory),
    remove: () => rm(directory, { recursive: true }),
  };
});

describe("a data directory", () => {
  const clock = new FakeClock();
  let parent: string;

  beforeEach(async () => {
    parent = await temporaryDirectory();
  });

  afterEach(() => rm(parent, { recursive: true }));

  async function refusal(opening: Promise<unknown>): Promise<LedgerError> {
    const error: unknown = await opening.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!(error instanceof LedgerError)) throw new Error("it was not refused", { cause: error });
    expect(error.message).not.toContain("\n");
    return error;
  }

  it("is made for this user only, with every file in it", async () => {
    const directory = join(parent, "deep", "data");
    const ledger = await openSqliteLedger({ directory, clock, listener: silent });
    ledger.append(aTrace());
    await ledger.flush();
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const files = await readdir(directory);
    expect(files.toSorted()).toEqual(["tuloy.db", "tuloy.db-shm", "tuloy.db-wal"]);
    for (const file of files) expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
    await ledger.close();
    expect(await readdir(directory)).toEqual(["tuloy.db"]);
  });

  it("that is a file is refused, with what to do", async () => {
    const directory = join(parent, "data");
    await writeFile(directory, "");
    const error = await refusal(openSqliteLedger({ directory, clock, listener: silent }));
    expect(error.code).toBe("unusable");
    expect(error.message).toBe(
      `The data directory ${directory} is not a directory: remove the file in its place, or choose another with --data-dir or data.dir.`,
    );
    const below = await refusal(openSqliteLedger({ directory: join(directory, "more"), clock, listener: silent }));
    expect(below.code).toBe("unusable");
  });

  it.each([
    ["EACCES", "cannot be written: give this user write access"],
    ["EROFS", "cannot be written: give this user write access"],
    ["ENOSPC", "is full: free some space"],
    ["EMFILE", "cannot be used (EMFILE): choose another"],
  ])("that fails with %s is refused, with what to do", (code, words) => {
    expect(directoryProblem("/data", Object.assign(new Error(code), { code }))).toContain(words);
  });

  it("whose database is something else is refused", async () => {
    await writeFile(databasePath(parent), "This is a diary, and no database. ".repeat(100));
    const writing = await refusal(openSqliteLedger({ directory: parent, clock, listener: silent }));
    expect(writing.code).toBe("damaged");
    expect(writing.message).toContain("is not a database");
    expect((await refusal(openSqliteReader(parent))).code).toBe("damaged");
  });

  it("whose database is a directory is refused", async () => {
    await mkdir(databasePath(parent));
    expect((await refusal(openSqliteLedger({ directory: parent, clock, listener: silent }))).code).toBe("unusable");
  });

  it("that a newer version made is refused and left as it is", async () => {
    const ledger = await openSqliteLedger({ directory: parent, clock, listener: silent });
    await ledger.close();
    const database = new DatabaseSync(databasePath(parent));
    database.exec("insert into kysely_migration (name, timestamp) values ('9999_later', '2030-01-01')");
    database.close();
    const openings = [
      () => openSqliteLedger({ directory: parent, clock, listener: silent }),
      () => openSqliteReader(parent),
    ];
    for (const open of openings) {
      const error = await refusal(open());
      expect(error.code).toBe("newer");
      expect(error.message).toContain("was made by a newer version of Tuloy: update Tuloy");
    }
  });

  it("without records is said to have none, and is not made by a reader", async () => {
    const directory = join(parent, "absent");
    const error = await refusal(openSqliteReader(directory));
    expect(error.code).toBe("missing");
    expect(error.message).toContain(`Nothing is recorded in ${directory} yet`);
    expect(await readdir(parent)).toEqual([]);
    await writeFile(databasePath(parent), "");
    expect((await refusal(openSqliteReader(parent))).code).toBe("missing");
  });

  it("can be read when its files are read-only", async () => {
    const ledger = await openSqliteLedger({ directory: parent, clock, listener: silent });
    ledger.append(aTrace());
    await ledger.close();
    await chmod(databasePath(parent), 0o400);
    const reader = await openSqliteReader(parent);
    expect(await reader.list({ limit: 1 })).toHaveLength(1);
    await reader.close();
  });
});

describe("a SQLite ledger in trouble", () => {
  let directory: string;
  let told: string[];
  const listener: LedgerListener = {
    onTrouble: (message) => told.push(message),
    onRecovered: (dropped) => told.push(`recovered, ${dropped} dropped`),
    onRefused: (rows) => told.push(...rows.map(({ row, name, reason }) => `refused ${row} ${name}: ${reason}`)),
  };

  beforeEach(async () => {
    directory = await temporaryDirectory();
    told = [];
  });

  afterEach(() => rm(directory, { recursive: true }));

  it("keeps its rows while another process holds the lock, says so once, and writes them after", async () => {
    const clock = new FakeClock();
    const ledger = await openSqliteLedger({ directory, clock, listener, busyTimeoutMs: 0 });
    const other = new DatabaseSync(databasePath(directory));
    other.exec("begin immediate");
    const trace = aTrace();
    ledger.append(trace);
    const flushed = ledger.flush();
    await eventually(() => told.length > 0);
    expect(told).toEqual([
      `${databasePath(directory)} is locked by another process (database is locked): end that process, or wait until it is done.`,
    ]);
    expect(ledger.stats).toMatchObject({ pending: 1, failing: true });
    other.exec("rollback");
    other.close();
    clock.advance(100);
    await flushed;
    expect(told.slice(1)).toEqual(["recovered, 0 dropped"]);
    const reader = await openSqliteReader(directory);
    expect(await reader.find(trace.id)).toEqual({ found: "one", trace });
    await reader.close();
    await ledger.close();
  });

  it("starts its thread again when that died, and loses nothing", async () => {
    const clock = new FakeClock();
    const started: Worker[] = [];
    const remember = (worker: Worker) => void started.push(worker);
    process.on("worker", remember);
    const ledger = await openSqliteLedger({ directory, clock, listener });
    const other = new DatabaseSync(databasePath(directory));
    other.exec("begin immediate");
    const trace = aTrace();
    ledger.append(trace);
    const flushed = ledger.flush();
    await started[0]?.terminate();
    await eventually(() => told.length > 0);
    expect(told).toEqual([
      "The thread that writes traces is gone (it ended with code 1): it is started again by itself.",
    ]);
    other.exec("rollback");
    other.close();
    clock.advance(100);
    await flushed;
    process.off("worker", remember);
    expect(started).toHaveLength(2);
    const reader = await openSqliteReader(directory);
    expect(await reader.find(trace.id)).toEqual({ found: "one", trace });
    await reader.close();
    await ledger.close();
  });

  it("is not disturbed by the end of a thread that it has replaced already", async () => {
    const started: Worker[] = [];
    const remember = (worker: Worker) => void started.push(worker);
    process.on("worker", remember);
    const ledger = await openSqliteLedger({ directory, clock: new FakeClock(), listener });
    const [old] = started;
    // As of a thread that throws: its error is told before its end.
    old?.emit("error", new Error("out of memory"));
    ledger.append(aTrace());
    const flushed = ledger.flush();
    await old?.terminate();
    await flushed;
    process.off("worker", remember);
    expect(started).toHaveLength(2);
    expect(ledger.stats).toMatchObject({ written: 1, pending: 0 });
    expect(told).toEqual([]);
    await ledger.close();
  });

  /** A database with a rule of its own for rows whose id begins with an f. */
  function refusing(statement: string): DatabaseSync {
    const other = new DatabaseSync(databasePath(directory));
    other.exec(`create trigger picky before insert on traces when new.id like 'f%' begin ${statement}; end`);
    return other;
  }

  const bad = "f".repeat(32);

  it.each([
    ["by a constraint", "select raise(abort, 'not this one')", "not this one"],
    ["for no reason that is known", "select json('{')", "malformed JSON"],
  ])("drops the one row that is refused %s, says which and why, and writes the rest", async (_, statement, reason) => {
    const ledger = await openSqliteLedger({ directory, clock: new FakeClock(), listener });
    const other = refusing(statement);
    const alert: Alert = { at: 1, kind: "breaker_opened", subject: "a/b", message: "opened" };
    ledger.append(aTrace({ id: traceId(1) }));
    ledger.append(aTrace({ id: bad }));
    ledger.append(aTrace({ id: traceId(2) }));
    ledger.alert(alert);
    await ledger.flush();
    ledger.append(aTrace({ id: traceId(3) }));
    await ledger.flush();
    expect(told).toEqual([`refused trace ${bad}: ${reason}`]);
    expect(ledger.stats).toEqual({ accepted: 5, written: 4, dropped: 1, pending: 0, failing: false });
    const ids = other.prepare("select id from traces order by id").all();
    expect(ids).toEqual([1, 2, 3].map((number) => ({ id: traceId(number) })));
    expect(other.prepare("select count(*) as n from alerts").get()).toEqual({ n: 1 });
    other.close();
    await ledger.close();
  });

  it.each(["select raise(abort, 'not this one')", "select json('{')"])(
    "drops a refused row that comes alone (%s), and leaves nothing in its place",
    async (statement) => {
      const ledger = await openSqliteLedger({ directory, clock: new FakeClock(), listener });
      const other = refusing(statement);
      ledger.append(aTrace({ id: bad }));
      await ledger.flush();
      expect(ledger.stats).toMatchObject({ written: 0, dropped: 1, pending: 0, failing: false });
      expect(other.prepare("select count(*) as n from traces").get()).toEqual({ n: 0 });
      expect(other.prepare("select count(*) as n from alerts").get()).toEqual({ n: 0 });
      other.close();
      await ledger.close();
    },
  );

  it("drops an alert that is refused too", async () => {
    const ledger = await openSqliteLedger({ directory, clock: new FakeClock(), listener });
    ledger.append(aTrace({ id: traceId(1) }));
    ledger.alert({ at: 1.5, kind: "breaker_opened", subject: "a/b", message: "opened" });
    await ledger.flush();
    expect(told).toEqual(["refused alert breaker_opened a/b: cannot store REAL value in INTEGER column alerts.at"]);
    expect(ledger.stats).toMatchObject({ written: 1, dropped: 1, pending: 0 });
    await ledger.close();
  });

  it("waits, and drops nothing, when no row at all is taken", async () => {
    const clock = new FakeClock();
    const ledger = await openSqliteLedger({ directory, clock, listener });
    const other = new DatabaseSync(databasePath(directory));
    other.exec("alter table traces rename to elsewhere");
    ledger.append(aTrace({ id: traceId(1) }));
    const flushed = ledger.flush();
    await eventually(() => told.length > 0);
    expect(told[0]).toContain("no such table");
    expect(ledger.stats).toMatchObject({ dropped: 0, pending: 1, failing: true });
    other.exec("alter table elsewhere rename to traces");
    other.close();
    clock.advance(100);
    await flushed;
    expect(ledger.stats).toMatchObject({ written: 1, dropped: 0, failing: false });
    await ledger.close();
  });

  it("writes a batch whole or not at all", async () => {
    const clock = new FakeClock();
    const ledger = await openSqliteLedger({ directory, clock, listener });
    const other = new DatabaseSync(databasePath(directory));
    // Alerts come after the traces of their batch.
    other.exec("alter table alerts rename to elsewhere");
    ledger.append(aTrace({ id: traceId(1) }));
    ledger.alert({ at: 1, kind: "breaker_opened", subject: "a/b", message: "opened" });
    const flushed = ledger.flush();
    await eventually(() => told.length > 0);
    expect(told[0]).toContain("no such table");
    expect(other.prepare("select count(*) as n from traces").get()).toEqual({ n: 0 });
    other.exec("alter table elsewhere rename to alerts");
    clock.advance(100);
    await flushed;
    expect(other.prepare("select count(*) as n from traces").get()).toEqual({ n: 1 });
    expect(other.prepare("select count(*) as n from alerts").get()).toEqual({ n: 1 });
    other.close();
    await ledger.close();
  });

  it("knows SQLite's reasons, whatever their extension", () => {
    const full = databaseProblem(
      "/data/tuloy.db",
      Object.assign(new Error("database or disk is full"), { errcode: 13 }),
    );
    expect(full.message).toBe(
      "/data/tuloy.db has no room to grow: the disk is full (database or disk is full): free some space.",
    );
    const readOnlyMoved = Object.assign(new Error("attempt to write a readonly database"), { errcode: 1032 });
    expect(databaseProblem("/data/tuloy.db", readOnlyMoved)).toMatchObject({ code: "unusable" });
    expect(databaseProblem("/data/tuloy.db", "odd\nthing").message).toBe(
      "/data/tuloy.db cannot be used (odd thing): check the file and its directory.",
    );
  });
});

describe("a process that is killed", () => {
  it("leaves a database that opens clean, with everything that was flushed", async () => {
    const directory = await temporaryDirectory();
    const script = `
      import { openSqliteStore } from ${JSON.stringify(new URL("writer.ts", import.meta.url).href)};
      import { aTrace, traceId } from ${JSON.stringify(new URL("../sample-traces.ts", import.meta.url).href)};
      const clock = { now: () => 0, wall: () => 0, after: (ms, run) => { const t = setTimeout(run, ms); return { cancel: () => clearTimeout(t) }; } };
      const { ledger } = await openSqliteStore({ directory: ${JSON.stringify(directory)}, clock, listener: { onTrouble() {}, onRecovered() {}, onRefused() {} } });
      for (let number = 1; ; number += 1) {
        ledger.append(aTrace({ id: traceId(number) }));
        if (number % 300 !== 0) continue;
        await ledger.flush();
        console.log(number);
      }`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let flushed = 0;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      flushed = Number(text.trim().split("\n").at(-1));
    });
    await eventually(() => flushed >= 900, "the child's writing", 15_000);
    child.kill("SIGKILL");
    await once(child, "close");

    const reader = await openSqliteReader(directory);
    const rows = await reader.list({ limit: 1_000_000 });
    await reader.close();
    expect(rows.length).toBeGreaterThanOrEqual(flushed);
    const ledger = await openSqliteLedger({ directory, clock: new FakeClock(), listener: silent });
    const database = new DatabaseSync(databasePath(directory));
    expect(database.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
    database.close();
    await ledger.close();
    await rm(directory, { recursive: true });
  }, 30_000);
});
