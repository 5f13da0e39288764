import type { RateBudget, RateLimits } from "@tuloy/contract";
import { deployment } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { callOf, course, steadyHealth } from "./fixtures.test-data.ts";
import { KeyPool } from "./key-pool.ts";
import type { KeyLease } from "./key-pool.ts";

const hour = 3_600_000;
const unlimited = { rpm: null, tpm: null, concurrency: null };

function poolOf(...names: string[]): KeyPool {
  const pool = new KeyPool("openai", { random: () => 0 });
  pool.reconcile(names.map((name) => ({ name, identity: name, weight: 1, limits: unlimited })));
  return pool;
}

function announcement(fields: Partial<RateLimits>): RateLimits {
  return { refill: "window", requests: null, tokens: null, inputTokens: null, outputTokens: null, ...fields };
}

function left(remaining: number, limit: number | null = null, resetMs: number | null = null): RateBudget {
  return { remaining, limit, resetMs };
}

function taken(lease: KeyLease | null): KeyLease {
  if (lease === null) throw new Error("no key was given");
  return lease;
}

/** One call whose answer announces what is left. */
function hear(pool: KeyPool, limits: Partial<RateLimits>, now = 0): void {
  const lease = taken(pool.acquire("openai/m", now));
  lease.announce(announcement(limits), now);
  lease.release(now, null);
}

describe("a key that its provider says is used up", () => {
  it("is passed over until the reset, at that deployment only, and says why", () => {
    const pool = poolOf("a");
    hear(pool, { requests: left(0, 500, 8000) });
    expect(pool.usable("openai/m", 7999)).toBe(false);
    expect(pool.why("openai/m", 0)).toBe("key a is left with 0 requests by its provider's count for 8 s");
    expect(pool.msUntilUsable("openai/m", 3000)).toBe(5000);
    expect(pool.usable("openai/other", 0)).toBe(true);
    expect(pool.usable("openai/m", 8000)).toBe(true);
  });

  it("leaves its calls to a sibling", () => {
    const pool = poolOf("a", "b");
    hear(pool, { requests: left(0, 500, 8000) });
    expect(pool.acquire("openai/m", 0)?.name).toBe("b");
  });

  it("is used all the same by whoever has nowhere else to go", () => {
    const pool = poolOf("a");
    hear(pool, { requests: left(0, 500, 8000) });
    expect(pool.usable("openai/m", 0, { ignoreAnnounced: true })).toBe(true);
  });

  it("is short of tokens only for a call that needs more than are left", () => {
    const pool = poolOf("a");
    hear(pool, { tokens: left(1000, 10_000, 60_000) });
    expect(pool.usable("openai/m", 0, { tokens: 1000 })).toBe(true);
    expect(pool.usable("openai/m", 0, { tokens: 1001 })).toBe(false);
    expect(pool.why("openai/m", 0, { tokens: 1001 })).toBe(
      "key a is left with 1000 tokens by its provider's count for 60 s",
    );
  });

  it("counts input alone where the provider does, and a long answer only against what is left at all", () => {
    const pool = poolOf("a");
    hear(pool, { inputTokens: left(1000, 10_000, 60_000), outputTokens: left(1, 8000, 60_000) });
    expect(pool.usable("openai/m", 0, { tokens: 64_000, inputTokens: 1000 })).toBe(true);
    expect(pool.usable("openai/m", 0, { tokens: 64_000, inputTokens: 1001 })).toBe(false);
    hear(pool, { outputTokens: left(0, 8000, 60_000) });
    expect(pool.usable("openai/m", 0, { tokens: 1 })).toBe(false);
  });

  it("may be used as its bucket fills, long before it is full", () => {
    const pool = poolOf("a");
    hear(pool, { refill: "continuous", tokens: left(0, 60_000, 60_000) });
    expect(pool.msUntilUsable("openai/m", 0, { tokens: 500 })).toBe(500);
    expect(pool.usable("openai/m", 499, { tokens: 500 })).toBe(false);
    expect(pool.usable("openai/m", 500, { tokens: 500 })).toBe(true);
  });

  it("takes a call larger than the whole budget when that is full", () => {
    const pool = poolOf("a");
    hear(pool, { tokens: left(10_000, 10_000, 60_000) });
    expect(pool.usable("openai/m", 0, { tokens: 1e9 })).toBe(true);
  });

  it("without a reset is left alone for 10 s, and with one beyond an hour for an hour", () => {
    const pool = poolOf("a");
    hear(pool, { requests: left(0) });
    expect(pool.msUntilUsable("openai/m", 0)).toBe(10_000);
    hear(pool, { requests: left(0, null, 1e15) }, 10_000);
    expect(pool.msUntilUsable("openai/m", 10_000)).toBe(hour);
  });
});

describe("an announcement is about the past", () => {
  it("so that calls which began after the one that brought it are subtracted", () => {
    const pool = poolOf("a");
    const [first] = [1, 2, 3].map(() => taken(pool.acquire("openai/m", 0, { tokens: 100 })));
    first?.announce(announcement({ requests: left(3, null, 60_000) }), 0);
    expect(pool.usable("openai/m", 0)).toBe(true);
    taken(pool.acquire("openai/m", 0));
    expect(pool.usable("openai/m", 0)).toBe(false);
    expect(pool.why("openai/m", 0)).toMatch("left with 0 requests");
  });

  it("and an earlier call's answer, which arrives later, is older news", () => {
    const pool = poolOf("a");
    const early = taken(pool.acquire("openai/m", 0));
    hear(pool, { requests: left(0, null, 60_000) });
    early.announce(announcement({ requests: left(50, null, 60_000) }), 10);
    expect(pool.usable("openai/m", 10)).toBe(false);
  });
});

describe("a request", () => {
  const a = deployment("a");
  const b = deployment("b");
  function exhausted(resetMs: number) {
    const health = steadyHealth();
    const lease = taken(health.keyPool("a").acquire("a/m", 0));
    lease.announce(announcement({ requests: left(0, 500, resetMs) }), 0);
    lease.release(0, null);
    return health;
  }

  it("goes to the twin, and its trace says why", () => {
    const way = course(exhausted(60_000), [a, b]);
    expect(callOf(way.next(0)).deployment.id).toBe("b/m");
    expect(way.exclusions).toEqual([
      {
        deployment: "a/m",
        reason: "no_usable_key",
        detail: "key none is left with 0 requests by its provider's count for 60 s",
      },
    ]);
  });

  it("with no twin waits for a reset within its patience", () => {
    const way = course(exhausted(2000), [a]);
    expect(way.next(0)).toEqual({ do: "wait", ms: 2000 });
    expect(callOf(way.next(2000)).deployment.id).toBe("a/m");
  });

  it("with no twin, and a reset that is far off, tries the key rather than fail", () => {
    expect(callOf(course(exhausted(60_000), [a]).next(0)).deployment.id).toBe("a/m");
  });
});

describe("for any announcements and any calls", () => {
  const amount = fc.oneof(fc.constant(0), fc.nat(100), fc.double({ min: 0, max: 1e15, noNaN: true }));
  const maybe = fc.option(amount, { nil: null });
  const budget = fc.option(
    fc.record({
      remaining: amount,
      limit: fc.option(fc.double({ min: 1, max: 1e15, noNaN: true }), { nil: null }),
      resetMs: maybe,
    }),
    { nil: null },
  );
  const limits: fc.Arbitrary<RateLimits> = fc.record({
    refill: fc.constantFrom("continuous", "window"),
    requests: budget,
    tokens: budget,
    inputTokens: budget,
    outputTokens: budget,
  });
  const step = fc.record({ wait: fc.nat(5000), limits: fc.option(limits, { nil: null }), tokens: fc.nat(10_000) });

  it("a key is never kept out for longer than the latest reset, and never for an hour or more", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const pool = poolOf("a");
        let now = 0;
        let latestReset = 0;
        for (const { wait, limits: heard, tokens } of steps) {
          now += wait;
          const lease = taken(pool.acquire("openai/m", now, { tokens, ignoreAnnounced: true }));
          if (heard !== null) {
            lease.announce(heard, now);
            const resets = [heard.requests, heard.tokens, heard.inputTokens, heard.outputTokens].map((each) =>
              each === null ? 0 : Math.ceil(Math.min(each.resetMs ?? 10_000, hour)),
            );
            latestReset = now + Math.max(...resets);
          }
          const ms = pool.msUntilUsable("openai/m", now, { tokens }) ?? Infinity;
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThanOrEqual(Math.max(0, latestReset - now));
          // What is said holds: after that long, if nothing is taken meanwhile, it is usable.
          expect(pool.usable("openai/m", now + ms, { tokens })).toBe(true);
          expect(ms === 0).toBe(pool.usable("openai/m", now, { tokens }));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("a reset in next to no time is one in a millisecond", () => {
    const pool = poolOf("a");
    const lease = taken(pool.acquire("openai/m", 0));
    const requests = { remaining: 0, limit: 10, resetMs: Number.MIN_VALUE };
    lease.announce({ refill: "continuous", requests, tokens: null, inputTokens: null, outputTokens: null }, 0);
    expect(pool.msUntilUsable("openai/m", 0, {})).toBe(1);
  });

  it("no more calls are made than were said to be left, until the reset", () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(10), fc.array(fc.boolean(), { maxLength: 60 }), (remaining, ahead, ends) => {
        const pool = poolOf("a");
        const first = taken(pool.acquire("openai/m", 0));
        for (let i = 0; i < ahead; i++) pool.acquire("openai/m", 0);
        first.announce(announcement({ requests: left(remaining, null, 60_000) }), 0);
        let made = ahead;
        for (const release of ends) {
          const lease = pool.acquire("openai/m", 59_999);
          if (lease === null) break;
          made += 1;
          if (release) lease.release(59_999, null);
        }
        expect(made).toBeLessThanOrEqual(Math.max(remaining, ahead));
      }),
    );
  });
});

describe("a reserved key", () => {
  const production = { workspace: "a", environment: "production" };
  const staging = { workspace: "a", environment: "staging" };
  function reserved(): KeyPool {
    const pool = new KeyPool("openai", { random: () => 0 });
    const forProduction = { environments: new Set(["production"]), workspaces: null };
    const forTeam = { environments: null, workspaces: new Set(["b"]) };
    pool.reconcile([
      { name: "prod", identity: "1", weight: 1, limits: unlimited, reserved: forProduction },
      { name: "team-b", identity: "2", weight: 1, limits: unlimited, reserved: forTeam },
    ]);
    return pool;
  }

  it("is given to those for whom it is kept, and to nobody else", () => {
    const pool = reserved();
    expect(pool.acquire("openai/m", 0, { caller: production })?.name).toBe("prod");
    expect(pool.acquire("openai/m", 0, { caller: staging })).toBeNull();
    expect(pool.acquire("openai/m", 0, { caller: { ...staging, workspace: "b" } })?.name).toBe("team-b");
    expect(pool.why("openai/m", 0, { caller: staging })).toBe(
      "key prod is reserved for others; key team-b is reserved for others",
    );
    expect(pool.msUntilUsable("openai/m", 0, { caller: staging })).toBeNull();
  });

  it("is not lent to a request that has nowhere else to go", () => {
    const last = { caller: staging, ignoreAdaptive: true, ignoreAnnounced: true };
    expect(reserved().acquire("openai/m", 0, last)).toBeNull();
  });

  it("may be used by the gateway's own probes", () => {
    expect(reserved().acquire("openai/m", 0)).not.toBeNull();
  });
});
