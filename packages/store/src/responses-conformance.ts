import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { responseSweepRows, type ResponseRecords } from "./responses.ts";

/** One empty store of an implementation, that several can have open at the same time. */
export interface ResponsesFixture {
  open(): Promise<{ readonly records: ResponseRecords; close(): Promise<void> }>;
  remove(): Promise<void>;
}

type Opened = Awaited<ReturnType<ResponsesFixture["open"]>>;

const place = { provider: "openai", key: "first" };

/** What all records of responses must do, whichever database is behind them. */
export function describeResponses(name: string, makeFixture: () => Promise<ResponsesFixture>): void {
  describe(`${name} as records of responses`, () => {
    let fixture: ResponsesFixture;
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

    it("finds a response and its items from every process, until their time is over", async () => {
      await one.records.keep({ ids: ["response", "item"], place, until: 2000 });
      expect(await other.records.find("response", 1999)).toEqual(place);
      expect(await one.records.find("item", 1999)).toEqual(place);
      expect(await one.records.find("response", 2000)).toBeNull();
      expect(await one.records.find("another", 1)).toBeNull();
    });

    it("keeps them over closing and opening again", async () => {
      await one.records.keep({ ids: ["response"], place, until: 2000 });
      await one.close();
      one = await fixture.open();
      expect(await one.records.find("response", 1)).toEqual(place);
    });

    it("has an id at the place that was named last", async () => {
      await one.records.keep({ ids: ["response"], place, until: 2000 });
      await other.records.keep({ ids: ["response"], place: { provider: "azure", key: "b" }, until: 3000 });
      expect(await one.records.find("response", 2500)).toEqual({ provider: "azure", key: "b" });
    });

    it("forgets one and no other", async () => {
      await one.records.keep({ ids: ["a", "b"], place, until: 2000 });
      await one.records.forget("a");
      await one.records.forget("never known");
      expect(await other.records.find("a", 1)).toBeNull();
      expect(await other.records.find("b", 1)).toEqual(place);
    });

    it("gives a conversation to one owner, the first, in every process", async () => {
      const claim = { id: "conversation", now: 1000, until: 2000 };
      const claims = await Promise.all([
        one.records.claim({ ...claim, owner: "a" }),
        other.records.claim({ ...claim, owner: "b" }),
      ]);
      expect(claims.filter(Boolean)).toHaveLength(1);
      const [first, second] = claims[0] ? ["a", "b"] : ["b", "a"];
      await other.records.sweep(1999);
      await one.close();
      one = await fixture.open();
      expect(await one.records.claim({ ...claim, owner: first })).toBe(true);
      expect(await one.records.claim({ ...claim, owner: second, now: 1999 })).toBe(false);
      expect(await one.records.claim({ ...claim, id: "another", owner: second })).toBe(true);
    });

    it("has a conversation be its owner's for as long as that goes on with it, and nobody's after", async () => {
      const claim = (owner: string, now: number): Promise<boolean> =>
        one.records.claim({ id: "conversation", owner, now, until: now + 1000 });
      expect(await claim("a", 1000)).toBe(true);
      expect(await claim("a", 1900)).toBe(true);
      expect(await claim("b", 2899)).toBe(false);
      expect(await claim("b", 2900)).toBe(true);
      expect(await claim("a", 2901)).toBe(false);
    });

    it("deletes conversations whose time is over, and no other", async () => {
      for (const id of ["over", "longer"]) {
        await one.records.claim({ id, owner: "a", now: 0, until: id === "over" ? 1000 : 1001 });
      }
      expect(await one.records.sweep(999)).toBe(0);
      expect(await one.records.sweep(1000)).toBe(1);
      expect(await one.records.claim({ id: "longer", owner: "b", now: 1000, until: 2000 })).toBe(false);
    });

    it("deletes no more at once than a sweep may, of both together", async () => {
      const ids = Array.from({ length: responseSweepRows - 1 }, (_, index) => `response-${index}`);
      await one.records.keep({ ids, place, until: 1000 });
      for (const id of ["x", "y", "z"]) await one.records.claim({ id, owner: "a", now: 0, until: 1000 });
      expect(await one.records.sweep(1000)).toBe(responseSweepRows);
      expect(await one.records.sweep(1000)).toBe(2);
      expect(await one.records.sweep(1000)).toBe(0);
    });

    it("deletes what its time is over of, and nothing else", async () => {
      const ids = Array.from({ length: responseSweepRows + 5 }, (_, index) => `response-${index}`);
      await one.records.keep({ ids, place, until: 5000 });
      await one.records.keep({ ids: ["later"], place, until: 5001 });
      expect(await one.records.sweep(4999)).toBe(0);
      expect(await one.records.sweep(5000)).toBe(responseSweepRows);
      expect(await one.records.sweep(5000)).toBe(5);
      expect(await one.records.find("later", 5000)).toEqual(place);
    });
  });
}
