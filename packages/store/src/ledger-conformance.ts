import type { Alert, Clock, Trace } from "@tuloy/contract";
// oxlint-disable-next-line no-restricted-imports -- only tests import this suite, and they may use the testkit
import { FakeClock } from "@tuloy/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Ledger, LedgerListener, LedgerReader } from "./ledger.ts";
import { anyTrace, aTrace, traceId } from "./sample-traces.ts";

/** One empty store of an implementation, that can be opened for writing and for reading at the same time. */
export interface LedgerFixture {
  open(parts: { readonly clock: Clock; readonly listener: LedgerListener }): Promise<Ledger>;
  openReader(): Promise<LedgerReader>;
  remove(): Promise<void>;
}

/** `new`: as nobody has used it yet. `ready`: its schema may be made already, which is faster. */
export type StoreState = "new" | "ready";

/** What every ledger and its reader must do, whichever database is behind them. */
export function describeLedger(name: string, makeFixture: (state: StoreState) => Promise<LedgerFixture>): void {
  describe(`${name} as a ledger`, () => {
    let fixture: LedgerFixture;
    let ledger: Ledger;
    let reader: LedgerReader;
    const clock = new FakeClock();
    const listener: LedgerListener = {
      onTrouble: (message) => expect.fail(message),
      onRecovered: () => expect.fail("nothing was wrong"),
      onRefused: () => expect.fail("no row is wrong"),
    };

    beforeEach(async () => {
      fixture = await makeFixture("ready");
      ledger = await fixture.open({ clock, listener });
      reader = await fixture.openReader();
    });

    afterEach(async () => {
      await reader.close();
      await ledger.close();
      await fixture.remove();
    });

    /** Ten traces, a second apart: the fourth failed over, the seventh failed. */
    async function recordTen(): Promise<string[]> {
      const ids: string[] = [];
      for (let number = 1; number <= 10; number += 1) {
        const startedAt = 1_763_870_000_000 + number * 1000;
        ids.push(traceId(startedAt));
        ledger.append(
          aTrace({
            started_at: startedAt,
            environment: number % 2 === 0 ? "staging" : "production",
            ...(number === 4 ? { failover: "overloaded", provider: "azure-eu" } : {}),
            ...(number === 7 ? { outcome: "failed", status: 502, provider: null, model: null } : {}),
            ...(number === 9 ? { requested_model: "openai/gpt-4.1" } : {}),
          }),
        );
      }
      await ledger.flush();
      return ids;
    }

    it("gives back every trace as it was appended", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(anyTrace, { minLength: 1, maxLength: 5, selector: (t) => t.id }),
          async (traces) => {
            for (const trace of traces) ledger.append(trace);
            await ledger.flush();
            for (const trace of traces) expect(await reader.find(trace.id)).toEqual({ found: "one", trace });
          },
        ),
        { numRuns: 20 },
      );
    });

    it("keeps what it accepted over closing and opening again", async () => {
      const ids = await recordTen();
      ledger.append(aTrace({ started_at: 1_763_870_099_000 }));
      await ledger.close();
      ledger = await fixture.open({ clock, listener });
      expect(await reader.list({ limit: 100 })).toHaveLength(ids.length + 1);
    });

    it("writes within 100 ms without being asked", async () => {
      const trace = aTrace();
      ledger.append(trace);
      clock.advance(100);
      await ledger.flush();
      expect(await reader.find(trace.id)).toEqual({ found: "one", trace });
      expect(clock.pending).toBe(0);
    });

    it("counts a trace that comes twice as written, and keeps it once", async () => {
      ledger.append(aTrace());
      ledger.append(aTrace());
      await ledger.flush();
      expect(await reader.list({ limit: 10 })).toHaveLength(1);
      expect(ledger.stats).toEqual({ accepted: 2, written: 2, dropped: 0, pending: 0, failing: false });
    });

    it("reads every trace of a span, oldest first, however many pages it takes", async () => {
      const ids = await recordTen();
      const many = Array.from({ length: 2500 }, (_, i) => 1_763_880_000_000 + i);
      for (const startedAt of many) ledger.append(aTrace({ started_at: startedAt, route: "split" }));
      await ledger.flush();
      const read = async (span: Parameters<LedgerReader["traces"]>[0]): Promise<string[]> =>
        (await Array.fromAsync(reader.traces(span))).map((trace) => trace.id);
      const split = many.map((startedAt) => traceId(startedAt));
      expect(await read({ since: 0 })).toEqual([...ids, ...split]);
      expect(await read({ since: 0, route: "split" })).toEqual(split);
      expect(await read({ since: 1_763_870_008_000, route: "default" })).toEqual(ids.slice(7));
      expect(await read({ since: 1_763_880_000_000 + 2500 })).toEqual([]);
    });

    it("lists the newest first, with what a table shows", async () => {
      const ids = await recordTen();
      const rows = await reader.list({ limit: 3 });
      expect(rows.map((row) => row.id)).toEqual(ids.slice(-3).reverse());
      expect(rows[0]).toEqual({
        id: ids[9],
        started_at: 1_763_870_010_000,
        environment: "staging",
        requested_model: "gpt-4.1",
        model: "gpt-4.1",
        outcome: "succeeded",
        status: 200,
        failover: null,
        provider: "openai",
        attempts: 1,
        first_token_ms: 183.25,
        duration_ms: 922.01,
        cost_usd: 0.003312,
        drill: null,
      });
    });

    it("finds the traces of a drill: those in its scope, and those that met its fault in another's", async () => {
      const [attempt] = aTrace().attempts;
      if (attempt === undefined) throw new Error("the sample has no attempt");
      const at = (second: number, changes: Partial<Trace>): Trace => aTrace({ started_at: second * 1000, ...changes });
      const inScope = at(2, { drill: "drill-1" });
      const struck = at(3, { drill: "drill-2", attempts: [{ ...attempt, drill: "drill-1" }] });
      const others = [
        at(1, { drill: "drill-1" }),
        at(4, { drill: "drill-2" }),
        at(5, { tags: { a: "drill-1" } }),
        at(6, {}),
      ];
      for (const trace of [inScope, struck, ...others]) ledger.append(trace);
      await ledger.flush();
      const found = (drill: string): Promise<Trace[]> => Array.fromAsync(reader.traces({ since: 2000, drill }));
      expect(await found("drill-1")).toEqual([inScope, struck]);
      expect(await found("drill")).toEqual([]);
    });

    it("goes on with the next page after the last id of one", async () => {
      const ids = await recordTen();
      const seen: string[] = [];
      for (let before: string | undefined; ; before = seen.at(-1)) {
        const page = await reader.list({ limit: 4, before });
        if (page.length === 0) break;
        seen.push(...page.map((row) => row.id));
      }
      expect(seen).toEqual(ids.reverse());
    });

    it("lists only what all conditions allow", async () => {
      await recordTen();
      const numbers = async (query: Omit<Parameters<LedgerReader["list"]>[0], "limit">) =>
        (await reader.list({ limit: 100, ...query })).map((row) => (row.started_at - 1_763_870_000_000) / 1000);
      expect(await numbers({ failedOver: true })).toEqual([4]);
      expect(await numbers({ failedOver: false })).toEqual([10, 9, 8, 7, 6, 5, 3, 2, 1]);
      expect(await numbers({ outcomes: ["failed", "broken"] })).toEqual([7]);
      expect(await numbers({ outcomes: ["succeeded"] })).toEqual([10, 9, 8, 6, 5, 4, 3, 2, 1]);
      expect(await numbers({ outcomes: [] })).toEqual([]);
      expect(await numbers({ provider: "azure-eu" })).toEqual([4]);
      expect(await numbers({ model: "openai/gpt-4.1" })).toEqual([9]);
      expect(await numbers({ model: "gpt-4.1", environment: "production" })).toEqual([9, 7, 5, 3, 1]);
      expect(await numbers({ failedOver: true, environment: "production" })).toEqual([]);
      expect(await numbers({ model: "' or 1=1 --" })).toEqual([]);
    });

    it("finds a trace by the beginning of its id, and says when several begin so", async () => {
      for (const rest of ["a1", "a2", "b1"]) ledger.append(aTrace({ id: traceId(1_763_870_000_000, rest) }));
      const only = aTrace({ id: `${"f".repeat(12)}${"0".repeat(20)}` });
      ledger.append(only);
      await ledger.flush();
      expect(await reader.find("ffff")).toEqual({ found: "one", trace: only });
      expect(await reader.find("FFFF")).toEqual({ found: "one", trace: only });
      const common = traceId(1_763_870_000_000, "a1").slice(0, -2);
      const several = await reader.find(common);
      expect(several).toEqual({ found: "several", ids: ["a1", "a2", "b1"].map((rest) => common + rest) });
      expect(await reader.find("eeee")).toEqual({ found: "none" });
    });

    it("finds nothing for a text that is no id", async () => {
      ledger.append(aTrace());
      await ledger.flush();
      for (const text of ["", "%", "_", "xyz", "' or 1=1 --", "0".repeat(33)]) {
        expect(await reader.find(text)).toEqual({ found: "none" });
      }
    });

    it("lists alerts, the newest first, in the order of their coming within a moment", async () => {
      const alert = (at: number, message: string): Alert => ({ at, kind: "breaker_opened", subject: "a/b", message });
      for (const each of [alert(1, "one"), alert(3, "three"), alert(2, "two"), alert(3, "three again")])
        ledger.alert(each);
      await ledger.flush();
      expect(await reader.alerts({ limit: 3 })).toEqual([alert(3, "three again"), alert(3, "three"), alert(2, "two")]);
      const other: Alert = { at: 4, kind: "drill_started", subject: "drill-1", message: "four" };
      ledger.alert(other);
      await ledger.flush();
      expect(await reader.alerts({ limit: 3, subject: "drill-1" })).toEqual([other]);
    });

    it("lets two writers share one store", async () => {
      const other = await fixture.open({ clock, listener });
      ledger.append(aTrace({ started_at: 1 }));
      other.append(aTrace({ started_at: 2 }));
      await Promise.all([ledger.flush(), other.flush()]);
      await other.close();
      expect((await reader.list({ limit: 10 })).map((row) => row.started_at)).toEqual([2, 1]);
    });

    it("opens an empty store for two writers at once", async () => {
      const empty = await makeFixture("new");
      const [one, two] = await Promise.all([empty.open({ clock, listener }), empty.open({ clock, listener })]);
      one.append(aTrace({ started_at: 1 }));
      two.append(aTrace({ started_at: 2 }));
      await Promise.all([one.close(), two.close()]);
      const emptyReader = await empty.openReader();
      expect(await emptyReader.list({ limit: 10 })).toHaveLength(2);
      await emptyReader.close();
      await empty.remove();
    });
  });
}
