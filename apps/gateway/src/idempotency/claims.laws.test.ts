import { randomBytes } from "node:crypto";

import type { ClaimRequest, ClaimResult, FinishRequest, IdempotencyRecords, SweepResult } from "@tuloy/store";
import { FakeClock } from "@tuloy/testkit";
import fc from "fast-check";
import { expect, it } from "vitest";

import { Seal } from "../secrets/seal.ts";
import type { Claim } from "./claim.ts";
import { Claims, type Asking } from "./claims.ts";

/** Records of one key, in memory, each of whose answers comes when the scheduler lets it, or (`broken`) is an error. */
class SlowRecords implements IdempotencyRecords {
  readonly #scheduler: fc.Scheduler;
  #row: { holder: string; content: Uint8Array | null; finished: boolean } | null = null;

  readonly #broken: boolean;

  constructor(scheduler: fc.Scheduler, broken: boolean) {
    this.#scheduler = scheduler;
    this.#broken = broken;
  }

  claim({ holder, until }: ClaimRequest): Promise<ClaimResult> {
    return this.#slowly((): ClaimResult => {
      const row = this.#row;
      if (row === null) {
        this.#row = { holder, content: null, finished: false };
        return { kind: "claimed" };
      }
      if (!row.finished) return { kind: "in_flight", until };
      return row.content === null
        ? { kind: "spent", holder: row.holder }
        : { kind: "stored", holder: row.holder, content: row.content };
    });
  }

  finish({ holder, content }: FinishRequest): Promise<boolean> {
    return this.#slowly(() => {
      if (this.#row !== null && this.#row.holder !== holder) return false;
      this.#row = { holder, content, finished: true };
      return true;
    });
  }

  release(_id: string, holder: string): Promise<void> {
    return this.#slowly(() => {
      if (this.#row?.holder === holder && !this.#row.finished) this.#row = null;
    });
  }

  sweep(): Promise<SweepResult> {
    return this.#slowly(() => ({ deleted: 0, emptied: 0 }));
  }

  async #slowly<T>(operate: () => T): Promise<T> {
    await this.#scheduler.schedule(Promise.resolve());
    if (this.#broken) throw new Error("the disk is full");
    const result = operate();
    await this.#scheduler.schedule(Promise.resolve());
    return result;
  }
}

const asking: Asking = {
  principal: { organization: "acme", workspace: "web", environment: "production", key: "app" },
  endpoint: "openai-chat chat",
  key: "key-1",
  body: Buffer.from("{}"),
  holder: "trace",
  deadlineMs: 60_000,
  retention: "metadata",
};

/** Clients that all use one key, and what must hold of what they get. */
class Clients {
  readonly #scheduler: fc.Scheduler;
  readonly #claims: Claims;
  /** Requests that execute, or whose answer is being kept. */
  #busy = 0;
  #begun = 0;
  answeredBy: string | null = null;
  readonly broken: string[] = [];

  constructor(scheduler: fc.Scheduler, broken = false) {
    this.#scheduler = scheduler;
    this.#claims = new Claims({
      records: new SlowRecords(scheduler, broken),
      seal: new Seal(randomBytes(32), "laws"),
      clock: new FakeClock(),
      onTrouble: (message) => void (broken || this.broken.push(message)),
    });
  }

  async ask(succeeds: boolean, index: number): Promise<void> {
    await this.#pause();
    const holder = `trace-${index}`;
    const begunBefore = this.#begun - this.#busy;
    const answeredBefore = this.answeredBy;
    const claiming = await this.#claims.claim({ ...asking, holder });
    if (claiming.kind === "claimed") return this.#execute(claiming.claim, holder, succeeds);
    // Whoever has the key may hear of it a moment later than we.
    await this.#pause();
    if (claiming.kind === "in_flight" && this.#begun === begunBefore) this.broken.push("in flight, but nobody's");
    if (claiming.kind === "in_flight" && answeredBefore !== null) this.broken.push("in flight, but answered");
    if (claiming.kind === "replay" && claiming.from !== this.answeredBy) this.broken.push("an answer of nobody");
    if (claiming.kind !== "in_flight" && claiming.kind !== "replay") this.broken.push(claiming.kind);
  }

  async #execute(claim: Claim, holder: string, succeeds: boolean): Promise<void> {
    if (this.#busy > 0) this.broken.push("two at once");
    if (this.answeredBy !== null) this.broken.push("again, though answered");
    this.#begun += 1;
    this.#busy += 1;
    await this.#pause();
    if (succeeds) {
      claim.begin(200, {});
      if (!(await claim.keep())) this.broken.push("not kept");
      this.answeredBy = holder;
    }
    this.#busy -= 1;
    await claim.end();
    // A fault that comes later ends it once more.
    await this.#pause();
    await claim.end();
  }

  async #pause(): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve());
  }
}

it("lets at most one request at a time execute under a key, and none once it was answered, in whatever order things happen", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      // Of each request: whether it succeeds, should it come to be executed.
      fc.array(fc.boolean(), { minLength: 2, maxLength: 6 }),
      async (scheduler, requests) => {
        const clients = new Clients(scheduler);
        await scheduler.waitFor(Promise.all(requests.map((succeeds, index) => clients.ask(succeeds, index))));
        // With all of them over, the key is free or answered: never stuck.
        await scheduler.waitFor(clients.ask(true, requests.length));
        expect(clients.broken).toEqual([]);
        expect(clients.answeredBy).not.toBeNull();
      },
    ),
    { numRuns: 300 },
  );
});

it("lets at most one request of this process at a time execute under a key also while the store is broken", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 6 }), async (scheduler, requests) => {
      const clients = new Clients(scheduler, true);
      await scheduler.waitFor(Promise.all(Array.from({ length: requests }, (_, index) => clients.ask(false, index))));
      expect(clients.broken).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
