import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { LawPlay, lawSteps } from "./idempotency-law.ts";
import { sweepRows, type ClaimRequest, type FinishRequest, type IdempotencyRecords } from "./idempotency.ts";

/** One empty store of an implementation, that several can have open at the same time. */
export interface IdempotencyFixture {
  open(): Promise<{ readonly records: IdempotencyRecords; close(): Promise<void> }>;
  remove(): Promise<void>;
}

type Opened = Awaited<ReturnType<IdempotencyFixture["open"]>>;

const aClaim: ClaimRequest = { id: "key", asked: "question", holder: "first", now: 1000, until: 2000 };
const aFinish: FinishRequest = { ...aClaim, now: 1500, until: 90_000, content: Buffer.from("answer") };

/** What all idempotency records must do, whichever database is behind them. */
export function describeIdempotency(name: string, makeFixture: () => Promise<IdempotencyFixture>): void {
  describe(`${name} as idempotency records`, () => {
    let fixture: IdempotencyFixture;
    let one: Opened;
    let other: Opened;

    beforeEach(async () => {
      fixture = await makeFixture();
      one = await fixture.open();
      other = await fixture.open();
    });

    afterEach(async () => {
      await one.close();
      await other.close();
      await fixture.remove();
    });

    it("gives a key to one of many that claim it at once, also from two processes", async () => {
      const claims = Array.from({ length: 40 }, (_, index) =>
        (index % 2 === 0 ? one : other).records.claim({ ...aClaim, holder: `holder-${index}` }),
      );
      const kinds = (await Promise.all(claims)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "claimed")).toHaveLength(1);
      expect(kinds.filter((kind) => kind === "in_flight")).toHaveLength(39);
    });

    it("says until when a claim holds, and frees the key then", async () => {
      await one.records.claim(aClaim);
      expect(await other.records.claim({ ...aClaim, holder: "second", now: 1999 })).toEqual({
        kind: "in_flight",
        until: 2000,
      });
      expect(await other.records.claim({ ...aClaim, holder: "second", now: 2000, until: 3000 })).toEqual({
        kind: "claimed",
      });
    });

    it("gives a stored answer back as it was, whoever asks and however large it is", async () => {
      await one.records.claim(aClaim);
      const content = Buffer.alloc(3_000_000, "long answer ");
      expect(await one.records.finish({ ...aFinish, content })).toBe(true);
      const found = await other.records.claim({ ...aClaim, holder: "second", now: 1600 });
      expect(found).toMatchObject({ kind: "stored", holder: "first" });
      expect(found.kind === "stored" && Buffer.from(found.content).equals(content)).toBe(true);
    });

    it("keeps stored answers over closing and opening again", async () => {
      await one.records.claim(aClaim);
      await one.records.finish(aFinish);
      await one.close();
      one = await fixture.open();
      expect(await one.records.claim({ ...aClaim, now: 1600 })).toMatchObject({ kind: "stored" });
    });

    it("remembers an answer that is not kept", async () => {
      await one.records.claim(aClaim);
      await one.records.finish({ ...aFinish, content: null });
      expect(await one.records.claim({ ...aClaim, now: 1600 })).toEqual({ kind: "spent", holder: "first" });
    });

    it("tells another question apart, in flight and later", async () => {
      await one.records.claim(aClaim);
      const different = { ...aClaim, asked: "something else", now: 1600 };
      expect(await one.records.claim(different)).toEqual({ kind: "mismatch" });
      await one.records.finish(aFinish);
      expect(await one.records.claim(different)).toEqual({ kind: "mismatch" });
    });

    it("lets only its holder release a claim, and nobody a stored answer", async () => {
      await one.records.claim(aClaim);
      await one.records.release("key", "somebody else");
      expect(await one.records.claim({ ...aClaim, holder: "second" })).toMatchObject({ kind: "in_flight" });
      await one.records.release("key", "first");
      expect(await one.records.claim({ ...aClaim, holder: "second" })).toEqual({ kind: "claimed" });
      await one.records.finish({ ...aFinish, holder: "second" });
      await one.records.release("key", "second");
      expect(await one.records.claim({ ...aClaim, now: 1600 })).toMatchObject({ kind: "stored" });
    });

    it("does not let a request whose claim ended overwrite the one that has the key now", async () => {
      await one.records.claim(aClaim);
      await other.records.claim({ ...aClaim, holder: "second", now: 2500, until: 9000 });
      expect(await one.records.finish({ ...aFinish, now: 2600 })).toBe(false);
      expect(await one.records.claim({ ...aClaim, now: 2600 })).toMatchObject({ kind: "in_flight", until: 9000 });
    });

    it("keeps the answer of a request whose claim never arrived, where nobody has the key", async () => {
      expect(await one.records.finish(aFinish)).toBe(true);
      expect(await one.records.claim({ ...aClaim, now: 1600 })).toMatchObject({ kind: "stored", holder: "first" });
    });

    it("deletes what its time is over of, and nothing else", async () => {
      const ids = Array.from({ length: sweepRows + 5 }, (_, index) => `key-${index}`);
      await Promise.all(ids.map((id) => one.records.finish({ ...aFinish, id, until: 5000 })));
      await one.records.finish({ ...aFinish, until: 5001 });
      const sweep = { now: 5000, maxBytes: 1_000_000 };
      expect(await one.records.sweep({ ...sweep, now: 4999 })).toEqual({ deleted: 0, emptied: 0 });
      expect(await one.records.sweep(sweep)).toEqual({ deleted: sweepRows, emptied: 0 });
      expect(await one.records.sweep(sweep)).toEqual({ deleted: 5, emptied: 0 });
      expect(await one.records.claim({ ...aClaim, now: 1600 })).toMatchObject({ kind: "stored" });
    });

    it("drops the oldest answers beyond the room there is, and remembers that there were some", async () => {
      for (const [index, id] of ["a", "b", "c"].entries()) {
        await one.records.finish({ ...aFinish, id, until: 5000 + index, content: Buffer.alloc(100) });
      }
      expect(await one.records.sweep({ now: 1600, maxBytes: 200 })).toEqual({ deleted: 0, emptied: 1 });
      const kinds = await Promise.all(
        ["a", "b", "c"].map(async (id) => (await one.records.claim({ ...aClaim, id, now: 1600 })).kind),
      );
      expect(kinds).toEqual(["spent", "stored", "stored"]);
    });

    it("looks for room only when nothing is left to delete, and makes it in steps", async () => {
      const ids = Array.from({ length: 2 * sweepRows }, (_, index) => `key-${index}`);
      const content = Buffer.alloc(10);
      await Promise.all(
        ids.map((id, index) => one.records.finish({ ...aFinish, id, until: index < sweepRows ? 5000 : 9000, content })),
      );
      await one.records.finish({ ...aFinish, id: "newest", until: 9001, content });
      const sweep = { now: 5000, maxBytes: 10 };
      expect(await one.records.sweep(sweep)).toEqual({ deleted: sweepRows, emptied: 0 });
      expect(await one.records.sweep(sweep)).toEqual({ deleted: 0, emptied: sweepRows });
      expect(await one.records.sweep(sweep)).toEqual({ deleted: 0, emptied: 0 });
      expect(await one.records.claim({ ...aClaim, id: "newest", now: 1600 })).toMatchObject({ kind: "stored" });
    });

    it("never has two holders of a key, and never gives away a stored one, whatever happens in whatever order", async () => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(lawSteps, async (steps) => {
          const law = new LawPlay(`law-${run++}`, [one.records, other.records]);
          for (const step of steps) {
            await law.play(step);
            expect(law.executing).toBeLessThanOrEqual(1);
          }
        }),
        { numRuns: 100 },
      );
    });
  });
}
