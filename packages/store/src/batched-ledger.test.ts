import { FakeClock, turn } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BatchedLedger, defaultLimits, notable, type Batch, type LedgerLimits } from "./batched-ledger.ts";
import { aTrace, traceId } from "./sample-traces.ts";

/** A database that a test can break, mend and make slow. */
function scripted(limits: Partial<LedgerLimits> = {}) {
  const clock = new FakeClock();
  const state = {
    broken: null as string | null,
    /** Writes wait until `release` when it is set. */
    held: null as PromiseWithResolvers<void> | null,
    batches: [] as Batch[],
    /** Traces that it will not have. */
    refuses: new Set<unknown>(),
    tries: [] as number[],
    closed: 0,
    told: [] as string[],
  };
  const ledger = new BatchedLedger({
    clock,
    limits: { ...defaultLimits, ...limits },
    listener: {
      onTrouble: (message) => state.told.push(`trouble: ${message}`),
      onRecovered: (dropped) => state.told.push(`recovered, ${dropped} dropped`),
      onRefused: (rows) => state.told.push(`refused ${rows.map(({ name }) => name).join(", ")}`),
    },
    backend: {
      async write(batch) {
        state.tries.push(clock.now());
        await state.held?.promise;
        if (state.broken !== null) throw new Error(state.broken);
        const bad = ids([batch]).filter((id) => state.refuses.has(id));
        state.batches.push({
          ...batch,
          traces: batch.traces.filter((_, index) => !bad.includes(batch.traces[index - (index % 3)])),
        });
        return bad.map((id) => ({ row: "trace" as const, name: String(id), reason: "too long" }));
      },
      async close() {
        state.closed += 1;
      },
    },
  });
  return { ledger, clock, state };
}

function ids(batches: readonly Batch[]): unknown[] {
  return batches.flatMap((batch) => batch.traces.filter((_, index) => index % 3 === 0));
}

function numbered(number: number) {
  return aTrace({ id: traceId(number) });
}

describe("a batched ledger", () => {
  it("writes what came within 100 ms as one batch", async () => {
    const { ledger, clock, state } = scripted();
    ledger.append(numbered(1));
    clock.advance(60);
    ledger.append(numbered(2));
    clock.advance(39);
    expect(state.batches).toEqual([]);
    await clock.pass(1);
    expect(state.batches).toHaveLength(1);
    expect(ids(state.batches)).toEqual([traceId(1), traceId(2)]);
    expect(clock.pending).toBe(0);
  });

  it("does not wait when a batch is full", async () => {
    const { ledger, state } = scripted({ batchRows: 2 });
    for (const number of [1, 2, 3]) ledger.append(numbered(number));
    await turn();
    expect(ids(state.batches)).toEqual([traceId(1), traceId(2)]);
  });

  it("notes which traces failed over and which did not succeed, and nothing on the rest", async () => {
    const { ledger, state } = scripted();
    ledger.append(aTrace());
    ledger.append(aTrace({ failover: "overloaded" }));
    ledger.append(aTrace({ outcome: "failed" }));
    ledger.append(aTrace({ failover: "reset", outcome: "broken" }));
    await ledger.flush();
    const notes = state.batches.flatMap((batch) => batch.traces.filter((_, index) => index % 3 === 1));
    expect(notes).toEqual([null, notable.failedOver, notable.notSucceeded, notable.failedOver | notable.notSucceeded]);
  });

  it("hands over alerts with the traces of their time", async () => {
    const { ledger, state } = scripted();
    const alert = { at: 1, kind: "breaker_opened", subject: "openai/gpt-4.1", message: "opened" } as const;
    ledger.append(numbered(1));
    ledger.alert(alert);
    await ledger.flush();
    expect(state.batches).toHaveLength(1);
    expect(state.batches[0]?.alerts).toEqual([alert]);
    expect(ledger.stats).toMatchObject({ accepted: 2, written: 2, pending: 0 });
  });

  it("tries a failed batch again after 100 ms, then 200, up to 5 s, and tells of it once", async () => {
    const { ledger, clock, state } = scripted();
    state.broken = "the disk is full";
    ledger.append(numbered(1));
    await clock.pass(100 + 20_000);
    const pauses = state.tries.slice(1).map((at, index) => at - (state.tries[index] ?? 0));
    expect(pauses.slice(0, 8)).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(state.told).toEqual(["trouble: the disk is full"]);
    expect(ledger.stats).toMatchObject({ failing: true, pending: 1, dropped: 0 });
  });

  it("loses nothing when the database comes back in time, keeps the order, and says so", async () => {
    const { ledger, clock, state } = scripted();
    state.broken = "locked";
    for (const number of [1, 2, 3]) {
      ledger.append(numbered(number));
      await clock.pass(100);
    }
    state.broken = null;
    await clock.pass(1_000);
    expect(ids(state.batches)).toEqual([traceId(1), traceId(2), traceId(3)]);
    expect(state.told).toEqual(["trouble: locked", "recovered, 0 dropped"]);
    expect(ledger.stats).toMatchObject({ failing: false, pending: 0 });
  });

  it("drops the oldest when too many rows wait, and counts them", async () => {
    const { ledger, clock, state } = scripted({ batchRows: 1, maxRows: 3 });
    state.broken = "locked";
    for (const number of [1, 2, 3, 4, 5]) {
      ledger.append(numbered(number));
      await turn();
    }
    expect(ledger.stats).toMatchObject({ accepted: 5, dropped: 2, pending: 3 });
    state.broken = null;
    await clock.pass(10_000);
    expect(ids(state.batches)).toEqual([traceId(3), traceId(4), traceId(5)]);
    expect(state.told).toEqual(["trouble: locked", "recovered, 2 dropped"]);
  });

  it("drops what is refused, says which, and goes on with what comes after", async () => {
    const { ledger, clock, state } = scripted({ batchRows: 2 });
    state.refuses.add(traceId(2)).add(traceId(5));
    state.broken = "locked";
    for (const number of [1, 2, 3, 4, 5]) ledger.append(numbered(number));
    await clock.pass(100);
    state.broken = null;
    await clock.pass(1_000);
    expect(ids(state.batches)).toEqual([traceId(1), traceId(3), traceId(4)]);
    expect(state.told).toEqual([
      "trouble: locked",
      "recovered, 0 dropped",
      `refused ${traceId(2)}`,
      `refused ${traceId(5)}`,
    ]);
    expect(ledger.stats).toEqual({ accepted: 5, written: 3, dropped: 2, pending: 0, failing: false });
  });

  it("drops by size too, so that few but large traces do not fill the memory", async () => {
    const { ledger, state } = scripted({ batchRows: 1, maxChars: 20_000 });
    state.broken = "locked";
    for (const number of [1, 2, 3, 4]) {
      ledger.append(aTrace({ id: traceId(number), notes: ["x".repeat(8_000)] }));
      await turn();
    }
    expect(ledger.stats).toMatchObject({ dropped: 2, pending: 2 });
  });

  it("never drops the batch that is being written", async () => {
    const { ledger, clock, state } = scripted({ batchRows: 1, maxRows: 2 });
    state.held = Promise.withResolvers();
    for (const number of [1, 2, 3, 4]) ledger.append(numbered(number));
    state.held.resolve();
    await clock.pass(0);
    expect(ids(state.batches)).toEqual([traceId(1), traceId(4)]);
    expect(ledger.stats).toMatchObject({ written: 2, dropped: 2 });
  });

  it("flushes: what was accepted before is written when it resolves", async () => {
    const { ledger, clock, state } = scripted();
    state.held = Promise.withResolvers();
    ledger.append(numbered(1));
    let flushed = false;
    const flush = ledger.flush().finally(() => {
      flushed = true;
    });
    await turn();
    expect(flushed).toBe(false);
    state.held.resolve();
    await flush;
    expect(ids(state.batches)).toEqual([traceId(1)]);
    expect(clock.pending).toBe(0);
  });

  it("flushes at once when there is nothing to write", async () => {
    const { ledger, state } = scripted();
    await ledger.flush();
    expect(state.tries).toEqual([]);
  });

  it("writes what is left when it is closed, once, and takes nothing after", async () => {
    const { ledger, clock, state } = scripted();
    ledger.append(numbered(1));
    await Promise.all([ledger.close(), ledger.close()]);
    ledger.append(numbered(2));
    expect(ids(state.batches)).toEqual([traceId(1)]);
    expect(state.closed).toBe(1);
    expect(ledger.stats).toMatchObject({ accepted: 2, written: 1, dropped: 1, pending: 0 });
    expect(clock.pending).toBe(0);
  });

  it("gives up closing after 5 s of trouble, and counts what it could not write", async () => {
    const { ledger, clock, state } = scripted();
    state.broken = "locked";
    ledger.append(numbered(1));
    let closed = false;
    const closing = ledger.close().finally(() => {
      closed = true;
    });
    await clock.pass(4_999);
    expect(closed).toBe(false);
    await clock.pass(1);
    await closing;
    expect(ledger.stats).toMatchObject({ dropped: 1, pending: 0 });
    expect(state.closed).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("accounts for every row, whatever happens", async () => {
    const step = fc.constantFrom("append", "append", "alert", "break", "mend", "wait", "wait long", "refuse");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { ledger, clock, state } = scripted({ batchRows: 3, maxRows: 10 });
        let handed = 0;
        for (const what of steps) {
          if (what === "append" || what === "alert") handed += 1;
          if (what === "append") ledger.append(numbered(handed));
          if (what === "alert") ledger.alert({ at: handed, kind: "breaker_opened", subject: "a/b", message: "opened" });
          if (what === "break") state.broken = "locked";
          if (what === "mend") state.broken = null;
          if (what === "refuse") state.refuses.add(traceId(handed + 1));
          if (what === "wait") await clock.pass(50);
          if (what === "wait long") await clock.pass(1_000);
          const { accepted, written, dropped, pending } = ledger.stats;
          expect(accepted).toBe(handed);
          expect(written + dropped + pending).toBe(handed);
          // The bound, and the batch under way beyond it.
          expect(pending).toBeLessThanOrEqual(10 + 3);
        }
        state.broken = null;
        await clock.pass(10_000);
        const rows = state.batches.reduce((sum, batch) => sum + batch.traces.length / 3 + batch.alerts.length, 0);
        expect(ledger.stats).toMatchObject({ written: rows, pending: 0, failing: false });
        expect(new Set(ids(state.batches)).size).toBe(ids(state.batches).length);
      }),
      { numRuns: 40 },
    );
  });
});
