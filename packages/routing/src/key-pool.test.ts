import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { KeyPool } from "./key-pool.ts";
import type { KeyLease, KeyReport } from "./key-pool.ts";
import type { KeySpec } from "./key-state.ts";

const minute = 60_000;

function spec(name: string, fields: Partial<KeySpec> = {}): KeySpec {
  return { name, identity: `${name}-1`, weight: 1, limits: { rpm: null, tpm: null, concurrency: null }, ...fields };
}

function poolOf(specs: readonly KeySpec[], events: string[] = [], random: () => number = () => 0): KeyPool {
  const pool = new KeyPool("azure", {
    random,
    onQuarantined: (provider, key) => events.push(`quarantined ${provider}/${key}`),
    onRestored: (provider, key) => events.push(`restored ${provider}/${key}`),
  });
  pool.reconcile(specs);
  return pool;
}

function taken(lease: KeyLease | null): KeyLease {
  if (lease === null) throw new Error("no key was given");
  return lease;
}

/** One whole call: takes a key, reports, releases. */
function call(pool: KeyPool, report: KeyReport, now: number, retryAfterMs: number | null = null): string {
  const lease = taken(pool.acquire("azure/m", now));
  pool.report(lease, report, now, retryAfterMs);
  lease.release(now, null);
  return lease.name;
}

describe("choosing a key", () => {
  it("gives the one named none when the provider has no keys", () => {
    expect(poolOf([]).acquire("azure/m", 0)?.name).toBe("none");
  });

  it("follows the weights", () => {
    let dice = 0;
    const pool = poolOf([spec("a", { weight: 3 }), spec("b")], [], () => dice);
    const names = [0, 0.25, 0.74, 0.75, 0.99].map((value) => {
      dice = value;
      return call(pool, "ok", 0);
    });
    expect(names).toEqual(["a", "a", "a", "b", "b"]);
  });

  it("leaves out the keys that the request excludes", () => {
    const pool = poolOf([spec("a"), spec("b")]);
    expect(pool.acquire("azure/m", 0, { exclude: new Set(["a"]) })?.name).toBe("b");
    expect(pool.usable("azure/m", 0, { exclude: new Set(["a", "b"]) })).toBe(false);
  });
});

describe("a rate-limited key", () => {
  it("is left alone for the Retry-After, at that deployment only", () => {
    const pool = poolOf([spec("a")]);
    call(pool, "throttle", 0, 20_000);
    expect(pool.acquire("azure/m", 19_999)).toBeNull();
    expect(pool.why("azure/m", 0)).toBe("key a is cooling for 20 s");
    expect(pool.msUntilUsable("azure/m", 5000)).toBe(15_000);
    expect(pool.usable("azure/other", 0)).toBe(true);
    expect(pool.usable("azure/m", 20_000)).toBe(true);
  });

  it("is never let back earlier by a later, shorter cooldown", () => {
    const pool = poolOf([spec("a")]);
    const leases = [taken(pool.acquire("azure/m", 0)), taken(pool.acquire("azure/m", 0))];
    leases.forEach((lease, index) => pool.report(lease, "throttle", 0, index === 0 ? 20_000 : 1000));
    expect(pool.usable("azure/m", 19_999)).toBe(false);
  });

  it("without a Retry-After cools for 1 s, doubled each time in a row, and a burst counts as one", () => {
    const pool = poolOf([spec("a")]);
    const burst = Array.from({ length: 20 }, () => taken(pool.acquire("azure/m", 0)));
    for (const lease of burst) {
      pool.report(lease, "throttle", 0, null);
      lease.release(0, null);
    }
    expect(pool.msUntilUsable("azure/m", 0)).toBe(1000);
    call(pool, "throttle", 1000);
    expect(pool.msUntilUsable("azure/m", 1000)).toBe(2000);
    call(pool, "ok", 3000);
    call(pool, "throttle", 3000);
    expect(pool.msUntilUsable("azure/m", 3000)).toBe(1000);
  });

  it("then takes half as many calls at a time, more with each success, unless there is nowhere else to go", () => {
    const pool = poolOf([spec("a")]);
    const eight = Array.from({ length: 8 }, () => taken(pool.acquire("azure/m", 0)));
    for (const lease of eight) pool.report(lease, "throttle", 0, 0);
    for (const lease of eight) lease.release(0, null);
    const four = Array.from({ length: 4 }, () => taken(pool.acquire("azure/m", 10)));
    expect(pool.acquire("azure/m", 10)).toBeNull();
    expect(pool.why("azure/m", 10)).toBe("key a is held to 4 requests in flight after rate limits");
    expect(pool.usable("azure/m", 10, { ignoreAdaptive: true })).toBe(true);
    for (const lease of four) pool.report(lease, "ok", 10, null);
    expect(pool.usable("azure/m", 10)).toBe(true);
    for (const lease of four) lease.release(10, null);
    call(pool, "ok", 5 * minute);
    expect(Array.from({ length: 50 }, () => pool.acquire("azure/m", 5 * minute))).not.toContain(null);
  });
});

describe("a key that the provider rejects", () => {
  it("is quarantined everywhere, comes back by one trial, and says both", () => {
    const events: string[] = [];
    const pool = poolOf([spec("a")], events);
    call(pool, "quarantine", 0);
    expect(pool.usable("azure/other", minute - 1)).toBe(false);
    const trial = taken(pool.acquire("azure/m", minute));
    expect(pool.acquire("azure/m", minute)).toBeNull();
    pool.report(trial, "ok", minute, null);
    trial.release(minute, null);
    expect(pool.usable("azure/m", minute)).toBe(true);
    expect(events).toEqual(["quarantined azure/a", "restored azure/a"]);
  });

  it("stays away twice as long after each failed trial, at most an hour, with one alert", () => {
    const events: string[] = [];
    const pool = poolOf([spec("a")], events);
    let now = 0;
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      call(pool, "quarantine", now);
      expect(pool.msUntilUsable("azure/m", now)).toBe(minutes * minute);
      now += minutes * minute;
    }
    expect(events).toEqual(["quarantined azure/a"]);
  });

  it("is neither restored nor kept away longer by calls that began before", () => {
    const pool = poolOf([spec("a")]);
    const [one, two, three] = [0, 0, 0].map((now) => taken(pool.acquire("azure/m", now)));
    pool.report(taken(one ?? null), "quarantine", 10, null);
    pool.report(taken(two ?? null), "quarantine", 20, null);
    pool.report(taken(three ?? null), "ok", 30, null);
    expect(pool.msUntilUsable("azure/m", 30)).toBe(minute - 20);
  });

  it("frees its trial when the trial showed nothing", () => {
    const pool = poolOf([spec("a")]);
    call(pool, "quarantine", 0);
    call(pool, "none", minute);
    expect(pool.usable("azure/m", minute)).toBe(true);
  });
});

it("cools a forbidden key for a minute, for that deployment", () => {
  const pool = poolOf([spec("a")]);
  call(pool, "cool", 0);
  expect(pool.msUntilUsable("azure/m", 0)).toBe(minute);
  expect(pool.usable("azure/other", 0)).toBe(true);
});

it("disables a key for a missing model for ten minutes, then lets one trial through", () => {
  const pool = poolOf([spec("a")]);
  call(pool, "disable", 0);
  expect(pool.usable("azure/m", 10 * minute - 1)).toBe(false);
  expect(pool.usable("azure/other", 0)).toBe(true);
  const trial = taken(pool.acquire("azure/m", 10 * minute));
  expect(pool.usable("azure/m", 10 * minute)).toBe(false);
  pool.report(trial, "ok", 10 * minute, null);
  expect(pool.usable("azure/m", 10 * minute)).toBe(true);
});

describe("a key's own limits", () => {
  it("hold its requests in flight", () => {
    const pool = poolOf([spec("a", { limits: { rpm: null, tpm: null, concurrency: 2 } })]);
    const first = taken(pool.acquire("azure/m", 0));
    pool.acquire("azure/other", 0);
    expect(pool.acquire("azure/m", 0, { ignoreAdaptive: true })).toBeNull();
    first.release(0, null);
    first.release(0, null);
    pool.acquire("azure/m", 0);
    expect(pool.acquire("azure/m", 0)).toBeNull();
  });

  it("count the tokens that were really used, once known", () => {
    const pool = poolOf([spec("a", { limits: { rpm: null, tpm: 1000, concurrency: null } })]);
    taken(pool.acquire("azure/m", 0, { tokens: 900 })).release(0, 100);
    expect(pool.usable("azure/m", 0, { tokens: 900 })).toBe(true);
    expect(pool.usable("azure/m", 0, { tokens: 901 })).toBe(false);
    expect(pool.msUntilUsable("azure/m", 0, { tokens: 901 })).toBe(65_000);
  });

  it("let a request larger than the whole limit through when the key is idle", () => {
    const pool = poolOf([spec("a", { limits: { rpm: null, tpm: 1000, concurrency: null } })]);
    taken(pool.acquire("azure/m", 0, { tokens: 5000 }));
    expect(pool.usable("azure/m", 0, { tokens: 1 })).toBe(false);
  });

  it("charge no request more than the whole limit, so that what it leaves unused is free again to the last token", () => {
    const pool = poolOf([spec("a", { limits: { rpm: null, tpm: 1000, concurrency: null } })]);
    const small = taken(pool.acquire("azure/m", 0, { tokens: 0 }));
    const huge = taken(pool.acquire("azure/m", 0, { tokens: 1e300 }));
    expect(pool.usable("azure/m", 0, { tokens: 1 })).toBe(false);
    small.release(0, 7);
    huge.release(0, 0);
    expect(pool.usable("azure/m", 0, { tokens: 993 })).toBe(true);
    expect(pool.usable("azure/m", 0, { tokens: 994 })).toBe(false);
  });

  it("of tokens count from the next call on when they are configured during one", () => {
    const pool = poolOf([spec("a")]);
    const before = taken(pool.acquire("azure/m", 0, { tokens: 900 }));
    pool.reconcile([spec("a", { limits: { rpm: null, tpm: 1000, concurrency: null } })]);
    before.release(0, 300);
    expect(pool.usable("azure/m", 0, { tokens: 700 })).toBe(true);
    expect(pool.usable("azure/m", 0, { tokens: 701 })).toBe(false);
  });

  it("are kept within any minute, for any arrivals", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4000), { maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (waits, rpm) => {
        const pool = poolOf([spec("a", { limits: { rpm, tpm: null, concurrency: null } })]);
        const granted: number[] = [];
        let now = 0;
        for (const wait of waits) {
          now += wait;
          const lease = pool.acquire("azure/m", now);
          lease?.release(now, null);
          if (lease !== null) granted.push(now);
        }
        for (const start of granted) {
          expect(granted.filter((at) => at >= start && at < start + minute).length).toBeLessThanOrEqual(rpm);
        }
      }),
    );
  });
});

it("keeps what it learned across a configuration change, unless the key itself changed", () => {
  const pool = poolOf([spec("a"), spec("b")]);
  for (const name of ["a", "b"]) {
    const lease = taken(pool.acquire("azure/m", 0, { exclude: new Set(name === "a" ? ["b"] : ["a"]) }));
    pool.report(lease, "quarantine", 0, null);
    lease.release(0, null);
  }
  pool.reconcile([spec("a", { weight: 5 }), spec("b", { identity: "b-2" })]);
  expect(pool.acquire("azure/m", 0)?.name).toBe("b");
  expect(pool.usable("azure/m", 0, { exclude: new Set(["b"]) })).toBe(false);
});
