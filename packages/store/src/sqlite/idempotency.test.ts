import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { FakeClock } from "@tuloy/testkit";
import { expect, it, onTestFinished } from "vitest";

import { describeIdempotency } from "../idempotency-conformance.ts";
import type { LedgerListener } from "../ledger.ts";
import { aTrace } from "../sample-traces.ts";
import { databasePath } from "./database.ts";
import { keptBytes, oldestKept } from "./idempotency-operations.ts";
import { openSqliteStore, type Store } from "./writer.ts";

const listener: LedgerListener = {
  onTrouble: () => undefined,
  onRecovered: () => undefined,
  onRefused: () => undefined,
};

describeIdempotency("SQLite", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tuloy-store-"));
  return {
    open: async () => {
      const { ledger, idempotency } = await openSqliteStore({ directory, clock: new FakeClock(), listener });
      return { records: idempotency, close: () => ledger.close() };
    },
    remove: () => rm(directory, { recursive: true }),
  };
});

async function openStore(options: { readonly busyTimeoutMs?: number } = {}): Promise<Store & { directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), "tuloy-store-"));
  const store = await openSqliteStore({ directory, clock: new FakeClock(), listener, ...options });
  onTestFinished(async () => {
    await store.ledger.close();
    await rm(directory, { recursive: true });
  });
  return { ...store, directory };
}

const claim = { id: "key", asked: "question", holder: "first", now: 1000, until: 2000 };

it("says why a claim failed while another process holds the database, and works after", async () => {
  const { idempotency, directory } = await openStore({ busyTimeoutMs: 0 });
  const other = new DatabaseSync(databasePath(directory));
  other.exec("begin immediate");
  await expect(idempotency.claim(claim)).rejects.toThrow(/tuloy\.db is locked by another process/);
  other.exec("rollback");
  other.close();
  expect(await idempotency.claim(claim)).toEqual({ kind: "claimed" });
});

it("carries out what came together or none of it", async () => {
  const { idempotency, directory } = await openStore();
  const other = new DatabaseSync(databasePath(directory));
  other.exec(
    "create trigger full before insert on idempotency when new.id = 'bad' begin select raise(fail, 'no room'); end",
  );
  // The first keeps the thread busy, so the others go together.
  const first = idempotency.claim({ ...claim, id: "alone" });
  const together = [idempotency.claim({ ...claim, id: "good" }), idempotency.claim({ ...claim, id: "bad" })];
  expect(await first).toEqual({ kind: "claimed" });
  for (const result of await Promise.allSettled(together)) {
    expect(result).toMatchObject({ status: "rejected", reason: { message: expect.stringContaining("no room") } });
  }
  expect(other.prepare("select id from idempotency").all()).toEqual([{ id: "alone" }]);
  other.close();
});

// The id of an answer is in its row only, but no more than a sweep's number of rows is asked for.
it.each([
  [keptBytes, /USING COVERING INDEX idempotency_kept$/],
  [oldestKept, /USING INDEX idempotency_kept$/],
])("finds out what is kept without reading any answer: %s", async (query, way) => {
  const { directory } = await openStore();
  const other = new DatabaseSync(databasePath(directory), { readOnly: true });
  const plan = other.prepare(`explain query plan ${query}`).all();
  other.close();
  expect(plan.map((step) => step["detail"])).toEqual([expect.stringMatching(way)]);
});

it("shares its thread with the ledger, and each gets its own answers", async () => {
  const { ledger, idempotency } = await openStore();
  for (let number = 0; number < 20; number += 1) {
    ledger.append(aTrace({ started_at: number }));
    const [result] = await Promise.all([idempotency.claim({ ...claim, id: `key-${number}` }), ledger.flush()]);
    expect(result).toEqual({ kind: "claimed" });
  }
  expect(ledger.stats).toMatchObject({ written: 20, pending: 0, failing: false });
});

it("refuses everything once the store is closed", async () => {
  const { ledger, idempotency } = await openStore();
  await ledger.close();
  await expect(idempotency.claim(claim)).rejects.toThrow("The store is closed.");
});
