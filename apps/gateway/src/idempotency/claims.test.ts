import { randomBytes } from "node:crypto";

import type { ClaimRequest, ClaimResult, FinishRequest, IdempotencyRecords, SweepResult } from "@tuloy/store";
import { FakeClock, turn } from "@tuloy/testkit";
import { beforeEach, describe, expect, it } from "vitest";

import { Seal } from "../secrets/seal.ts";
import type { Claim } from "./claim.ts";
import { Claims, type Asking, type Claiming } from "./claims.ts";
import { maxKeptBytes } from "./recording.ts";

/** Records that say what a test tells them to, and remember what they were asked. */
class ScriptedRecords implements IdempotencyRecords {
  readonly asked: string[] = [];
  claims: () => Promise<ClaimResult> = () => Promise.resolve({ kind: "claimed" });
  finishes: () => Promise<boolean> = () => Promise.resolve(true);
  releases: () => Promise<void> = () => Promise.resolve();
  finished: FinishRequest | null = null;

  claimedUntil = 0;

  claim({ until }: ClaimRequest): Promise<ClaimResult> {
    this.asked.push("claim");
    this.claimedUntil = until;
    return this.claims();
  }

  finish(request: FinishRequest): Promise<boolean> {
    this.asked.push("finish");
    this.finished = request;
    return this.finishes();
  }

  release(): Promise<void> {
    this.asked.push("release");
    return this.releases();
  }

  sweep(): Promise<SweepResult> {
    return Promise.resolve({ deleted: 0, emptied: 0 });
  }
}

const never = <T>(): Promise<T> => new Promise(() => {});

const asking: Asking = {
  principal: { organization: "acme", workspace: "web", environment: "production", key: "app" },
  endpoint: "openai-chat chat",
  key: "key-1",
  body: Buffer.from('{"model":"model-x"}'),
  holder: "trace-1",
  deadlineMs: 60_000,
  retention: "metadata",
};

describe("claims", () => {
  let clock: FakeClock;
  let records: ScriptedRecords;
  let troubles: string[];
  let claims: Claims;
  const seal = new Seal(randomBytes(32), "tests");

  beforeEach(() => {
    clock = new FakeClock();
    records = new ScriptedRecords();
    troubles = [];
    claims = new Claims({ records, seal, clock, onTrouble: (message) => troubles.push(message) });
  });

  function claimOf(claiming: Claiming): Claim {
    if (claiming.kind !== "claimed") throw new Error(`it is ${claiming.kind}`);
    return claiming.claim;
  }

  async function claimed(more: Partial<Asking> = {}): Promise<Claim> {
    return claimOf(await claims.claim({ ...asking, ...more }));
  }

  /** Answers a request, in two pieces. */
  function answer(claim: Claim, body = "an answer"): Promise<boolean> {
    claim.begin(200, { "content-type": "application/json", "x-tuloy-trace-id": "trace-1", "x-tuloy-model": "m" });
    claim.take(Buffer.from(body.slice(0, 3)));
    claim.take(Buffer.from(body.slice(3)));
    return claim.keep();
  }

  it("give back what was sent, and of its headers what is about the answer", async () => {
    const claim = await claimed();
    expect(await answer(claim)).toBe(true);
    expect(await claim.end()).toEqual(["the answer is kept for its idempotency key"]);
    const content = records.finished?.content ?? null;
    if (content === null) throw new Error("nothing was kept");
    expect(records.finished?.until).toBe(clock.wall() + 86_400_000);
    expect(Buffer.from(content).includes("an answer")).toBe(false);
    records.claims = () => Promise.resolve({ kind: "stored", holder: "trace-1", content });
    expect(await claims.claim({ ...asking, holder: "trace-2" })).toEqual({
      kind: "replay",
      from: "trace-1",
      answer: {
        status: 200,
        headers: { "content-type": "application/json", "x-tuloy-model": "m" },
        body: Buffer.from("an answer"),
      },
    });
    // What was kept for one tenant is nothing to another, should it ever get there.
    const other = { ...asking, principal: { ...asking.principal, organization: "other" } };
    expect(await claims.claim(other)).toEqual({ kind: "unavailable", from: "trace-1" });
    expect(clock.pending).toBe(0);
  });

  it.each([
    ["organization", { principal: { ...asking.principal, organization: "other" } }],
    ["workspace", { principal: { ...asking.principal, workspace: "other" } }],
    ["environment", { principal: { ...asking.principal, environment: "staging" } }],
    ["endpoint", { endpoint: "openai-embeddings embeddings" }],
    ["key", { key: "key-2" }],
  ])("are separate for another %s", async (_, more) => {
    await claimed();
    expect((await claims.claim({ ...asking, ...more })).kind).toBe("claimed");
    expect((await claims.claim(asking)).kind).toBe("in_flight");
  });

  it("are one for two API keys of one environment", async () => {
    await claimed();
    expect((await claims.claim({ ...asking, principal: { ...asking.principal, key: "another" } })).kind).toBe(
      "in_flight",
    );
  });

  it("hold a little longer than their request may take", async () => {
    await claimed();
    expect(records.claimedUntil).toBe(clock.wall() + asking.deadlineMs + 5000);
  });

  it("name a time to wait as long as the request has taken, within bounds, without asking the store", async () => {
    await claimed();
    const waits: unknown[] = [];
    for (const pass of [0, 2000, 60_000]) {
      clock.advance(pass);
      waits.push(await claims.claim(asking));
    }
    expect(waits).toEqual([500, 2000, 10_000].map((retryAfterMs) => ({ kind: "in_flight", retryAfterMs })));
    expect(await claims.claim({ ...asking, body: Buffer.from("{}") })).toEqual({ kind: "mismatch" });
    expect(records.asked).toEqual(["claim"]);
  });

  it("of another process are waited for as long as they hold, within bounds", async () => {
    for (const [left, retryAfterMs] of [
      [60_000, 10_000],
      [3000, 3000],
      [-5, 500],
    ] as const) {
      records.claims = () => Promise.resolve({ kind: "in_flight", until: clock.wall() + left });
      expect(await claims.claim(asking)).toEqual({ kind: "in_flight", retryAfterMs });
    }
  });

  it("let those that come while a key is looked up or released wait until it is clear who has it", async () => {
    const looking = Promise.withResolvers<ClaimResult>();
    records.claims = () => looking.promise;
    const first = claims.claim(asking);
    const second = claims.claim({ ...asking, holder: "trace-2" });
    await turn();
    expect(records.asked).toEqual(["claim"]);
    records.claims = () => Promise.resolve({ kind: "claimed" });
    looking.resolve({ kind: "claimed" });
    const claim = claimOf(await first);
    expect((await second).kind).toBe("in_flight");

    const releasing = Promise.withResolvers<void>();
    records.releases = () => releasing.promise;
    const ended = claim.end();
    const third = claims.claim({ ...asking, holder: "trace-3" });
    await turn();
    expect(records.asked).toEqual(["claim", "release"]);
    releasing.resolve();
    expect(await ended).toEqual([]);
    expect((await third).kind).toBe("claimed");
  });

  it("that were ended free nothing that is another's by now, however often they are ended", async () => {
    records.claims = () => Promise.reject(new Error("tuloy.db is locked"));
    const first = await claimed();
    const notes = await first.end();
    await claimed({ holder: "trace-2" });
    expect(await first.end()).toEqual(notes);
    expect((await claims.claim({ ...asking, holder: "trace-3" })).kind).toBe("in_flight");
    expect(records.asked).toEqual(["claim", "release", "claim"]);
    // Nor does an answer that was kept too late.
    await answer(first);
    expect((await claims.claim({ ...asking, holder: "trace-4" })).kind).toBe("in_flight");
  });

  it("go on without a store that fails or is silent, say so on the answer, and tell the operator once", async () => {
    records.claims = () => Promise.reject(new Error("tuloy.db is locked"));
    const claim = await claimed();
    const headers = {};
    claim.begin(200, headers);
    expect(headers).toEqual({ "x-tuloy-idempotency": "not-stored" });
    // Duplicates are told apart all the same, in this process.
    expect((await claims.claim(asking)).kind).toBe("in_flight");
    records.finishes = never;
    const keeping = answer(claim);
    await clock.pass(250);
    expect(await keeping).toBe(false);
    expect(await claim.end()).toEqual([
      "the idempotency key could not be claimed: tuloy.db is locked",
      "the answer could not be kept for its idempotency key: the database did not answer within 250 ms",
    ]);
    expect(troubles).toEqual(["tuloy.db is locked"]);

    records.claims = () => Promise.resolve({ kind: "claimed" });
    const calm = await claimed();
    records.claims = () => Promise.reject(new Error("tuloy.db is full"));
    await claimed({ key: "key-2" });
    expect(troubles).toEqual(["tuloy.db is locked", "tuloy.db is full"]);
    await calm.end();
    expect(clock.pending).toBe(0);
  });

  it("keep an answer whose claim had failed, once the store works again", async () => {
    records.claims = () => Promise.reject(new Error("tuloy.db is locked"));
    const claim = await claimed();
    expect(await answer(claim)).toBe(true);
  });

  it("are not sure of an answer when another request has the key by then", async () => {
    const claim = await claimed();
    records.finishes = () => Promise.resolve(false);
    expect(await answer(claim)).toBe(false);
    expect(await claim.end()).toEqual(["the answer was not kept: another request has its idempotency key by now"]);
  });

  it("keep a digest only with retention: none, and of an answer that is too large", async () => {
    const quiet = await claimed({ retention: "none" });
    expect(await answer(quiet)).toBe(true);
    expect(records.finished?.content).toBeNull();
    const large = await claimed({ key: "key-2" });
    expect(await answer(large, "x".repeat(maxKeptBytes + 1))).toBe(false);
    expect(records.finished?.content).toBeNull();
    const fits = await claimed({ key: "key-3" });
    expect(await answer(fits, "x".repeat(maxKeptBytes))).toBe(true);
    expect(records.finished?.content?.length).toBeGreaterThan(maxKeptBytes);
  });
});
