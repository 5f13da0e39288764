import assert from "node:assert/strict";

import fc from "fast-check";

import type { ClaimResult, IdempotencyRecords } from "./idempotency.ts";

/** What two clients with one key may do, and what may happen to them. */
export type LawStep =
  | { readonly do: "claim"; readonly by: number; readonly asked: string }
  | { readonly do: "finish" | "fail" | "crash"; readonly by: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "sweep" };

const client = fc.nat(1);

export const lawSteps: fc.Arbitrary<LawStep[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("claim" as const), by: client, asked: fc.constantFrom("x", "x", "x", "y") }),
    fc.record({ do: fc.constantFrom("finish" as const, "fail" as const, "crash" as const), by: client }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 99, 100, 1000) }),
    fc.record({ do: fc.constant("sweep" as const) }),
  ),
  { minLength: 10, maxLength: 25, size: "max" },
);

const leaseMs = 100;
const keptMs = 1000;

interface Held {
  readonly holder: string;
  readonly asked: string;
  readonly until: number;
}

/**
 * Plays steps against records and against a plain model of the law: at most one request at a time executes under a key, and
 * a stored answer is never executed again while it is kept.
 */
export class LawPlay {
  readonly #id: string;
  readonly #records: readonly IdempotencyRecords[];
  #now = 1000;
  #requests = 0;
  #crashed = 0;
  /** What each client is executing. Those that crashed live on under numbers of their own: nobody speaks for them. */
  readonly #executing = new Map<number, Held>();
  #stored: Held | null = null;

  /** @param records the same store, as several processes see it */
  constructor(id: string, records: readonly IdempotencyRecords[]) {
    this.#id = id;
    this.#records = records;
  }

  /** How many requests execute under the key. */
  get executing(): number {
    return [...this.#executing.values()].filter((held) => this.#stands(held)).length;
  }

  async play(step: LawStep): Promise<void> {
    switch (step.do) {
      case "claim":
        await this.#claim(step.by, step.asked);
        break;
      case "finish":
        await this.#finish(step.by);
        break;
      case "fail":
        await this.#fail(step.by);
        break;
      case "crash":
        this.#crash(step.by);
        break;
      case "pass":
        this.#now += step.ms;
        break;
      case "sweep":
        await this.#of(0).sweep({ now: this.#now, maxBytes: 1_000_000 });
        break;
    }
  }

  async #claim(by: number, asked: string): Promise<void> {
    if (this.#executing.has(by)) return;
    const holder = `${this.#id}-${this.#requests++}`;
    const until = this.#now + leaseMs;
    const expected = this.#expected(asked);
    const result = await this.#of(by).claim({ id: this.#id, asked, holder, now: this.#now, until });
    assert.partialDeepStrictEqual(result, expected);
    if (expected.kind === "claimed") this.#executing.set(by, { holder, asked, until });
  }

  #expected(asked: string): Partial<ClaimResult> {
    const stored = this.#stored !== null && this.#stands(this.#stored) ? this.#stored : null;
    const executing = [...this.#executing.values()].find((held) => this.#stands(held));
    const standing = stored ?? executing;
    if (standing === undefined) return { kind: "claimed" };
    if (standing.asked !== asked) return { kind: "mismatch" };
    if (standing === stored) return { kind: "stored", holder: stored.holder };
    return { kind: "in_flight", until: standing.until };
  }

  async #finish(by: number): Promise<void> {
    const mine = this.#executing.get(by);
    if (mine === undefined) return;
    this.#executing.delete(by);
    const others = [...this.#executing.values(), ...(this.#stored === null ? [] : [this.#stored])];
    const taken = others.some((held) => this.#stands(held));
    const until = this.#now + keptMs;
    const content = Buffer.from(mine.holder);
    const kept = await this.#of(by).finish({ id: this.#id, ...mine, now: this.#now, until, content });
    assert.equal(kept, !taken);
    if (kept) this.#stored = { ...mine, until };
  }

  async #fail(by: number): Promise<void> {
    const mine = this.#executing.get(by);
    if (mine === undefined) return;
    this.#executing.delete(by);
    await this.#of(by + 1).release(this.#id, mine.holder);
  }

  #crash(by: number): void {
    const mine = this.#executing.get(by);
    if (mine === undefined) return;
    this.#executing.delete(by);
    // Below all numbers of clients, and one of its own: two may crash with no claim between them.
    this.#executing.set(--this.#crashed, mine);
  }

  #stands({ until }: Held): boolean {
    return until > this.#now;
  }

  #of(client: number): IdempotencyRecords {
    const records = this.#records[client % this.#records.length];
    if (records === undefined) throw new Error("there are no records to play against");
    return records;
  }
}
