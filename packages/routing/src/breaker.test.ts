import type { BreakerSettings } from "@tuloy/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Breaker } from "./breaker.ts";
import type { BreakerView, Permit, PermitResult } from "./breaker.ts";
import { failoverPreset } from "./presets.ts";

const settings: BreakerSettings = failoverPreset("balanced").breaker;
/** No jitter: the middle of ±20%. */
const middle = () => 0.5;

function taken(permit: Permit | null): Permit {
  if (permit === null) throw new Error("no permit was given");
  return permit;
}

function call(breaker: Breaker, result: PermitResult, now: number, fingerprint?: string): void {
  breaker.settle(taken(breaker.acquire(now)), result, settings, now, fingerprint);
}

function failing(times: number, now: number, result: PermitResult = "failure"): Breaker {
  const breaker = new Breaker(middle);
  for (let i = 0; i < times; i++) call(breaker, result, now);
  return breaker;
}

describe("a closed breaker", () => {
  it("opens on the fifth failure in a row, not on the fourth", () => {
    const breaker = failing(4, 0);
    expect(breaker.view(0).state).toBe("closed");
    call(breaker, "failure", 0);
    expect(breaker.view(0)).toEqual({ state: "open", openedAt: 0, until: 5000, cause: "fast", reopened: 0 });
    expect(breaker.acquire(0)).toBeNull();
  });

  it("starts the run anew after a success", () => {
    const breaker = failing(4, 0);
    call(breaker, "success", 0);
    for (let i = 0; i < 4; i++) call(breaker, "failure", 0);
    expect(breaker.view(0).state).toBe("closed");
  });

  it("opens when half of at least ten attempts within the window failed", () => {
    const breaker = new Breaker(middle);
    for (let i = 0; i < 9; i++) call(breaker, i % 2 === 0 ? "success" : "failure", 1000);
    expect(breaker.view(1000).state).toBe("closed");
    call(breaker, "failure", 1000);
    expect(breaker.view(1000).state).toBe("open");
  });

  it("forgets what is older than the window", () => {
    const breaker = new Breaker(middle);
    for (let i = 0; i < 8; i++) call(breaker, i % 2 === 0 ? "success" : "failure", 1000);
    call(breaker, "success", 62_000);
    call(breaker, "failure", 62_000);
    expect(breaker.view(62_000).state).toBe("closed");
  });

  it("never opens on empty answers alone", () => {
    const breaker = failing(1000, 0, "soft");
    expect(breaker.view(0).state).toBe("closed");
  });

  it("never opens on what is neutral: caller faults and clients that leave", () => {
    const breaker = failing(5000, 0, "neutral");
    expect(breaker.view(0)).toEqual({ state: "closed", consecutiveFailures: 0, lastFailureAt: null });
  });

  it("counts each permit once", () => {
    const breaker = new Breaker(middle);
    const permit = taken(breaker.acquire(0));
    for (let i = 0; i < 10; i++) breaker.settle(permit, "failure", settings, 0);
    expect(breaker.view(0)).toMatchObject({ state: "closed", consecutiveFailures: 1 });
  });

  it("counts a stream that broke after its commit", () => {
    const breaker = new Breaker(middle);
    for (let i = 0; i < 5; i++) breaker.fail(settings, 0, { slow: true });
    expect(breaker.view(0)).toMatchObject({ state: "open", cause: "slow" });
  });
});

describe("an open breaker", () => {
  it("is not prolonged by calls that began before it opened", () => {
    const breaker = new Breaker(middle);
    const early = Array.from({ length: 20 }, () => taken(breaker.acquire(0)));
    for (const permit of early) breaker.settle(permit, "failure", settings, 100);
    for (const permit of early) breaker.settle(permit, "failure", settings, 4000);
    expect(breaker.view(4000)).toMatchObject({ state: "open", until: 5100 });
  });

  it("lets exactly one trial through when its time is over", () => {
    const breaker = failing(5, 0);
    expect(breaker.acquire(4999)).toBeNull();
    expect(breaker.acquire(5000)?.kind).toBe("trial");
    expect(breaker.acquire(5000)).toBeNull();
    expect(breaker.acquireForProbe(5000)).toBeNull();
    expect(breaker.view(5000)).toMatchObject({ state: "half_open", trialInFlight: true });
  });

  it("closes after three trial successes, each letting the next go at once", () => {
    const breaker = failing(5, 0);
    for (let i = 0; i < 3; i++) {
      expect(breaker.view(6000).state).toBe("half_open");
      call(breaker, "success", 6000);
    }
    expect(breaker.view(6000).state).toBe("closed");
  });

  it("waits twice as long after each failed trial, up to the cap", () => {
    const breaker = failing(5, 0);
    let now = 5000;
    for (const period of [10_000, 20_000, 20_000]) {
      call(breaker, "failure", now);
      expect(breaker.view(now)).toMatchObject({ state: "open", openedAt: 0, until: now + period });
      now += period;
    }
  });

  it("goes on doubling when it flaps, and starts anew after a quiet window", () => {
    const reopenedAfter = (quietMs: number): BreakerView => {
      const breaker = failing(5, 0);
      for (let i = 0; i < 3; i++) call(breaker, "success", 5000);
      for (let i = 0; i < 5; i++) call(breaker, "failure", 5000 + quietMs);
      return breaker.view(5000 + quietMs);
    };
    expect(reopenedAfter(20_000)).toMatchObject({ reopened: 1, until: 35_000 });
    expect(reopenedAfter(60_000)).toMatchObject({ reopened: 0, until: 70_000 });
  });

  it("frees the trial's place when the trial says nothing, and when it was forgotten", () => {
    const breaker = failing(5, 0);
    call(breaker, "neutral", 5000);
    call(breaker, "soft", 5000);
    const forgotten = taken(breaker.acquire(5000));
    expect(breaker.acquire(154_999)).toBeNull();
    const next = taken(breaker.acquire(155_000));
    breaker.settle(forgotten, "failure", settings, 155_000);
    expect(breaker.view(155_000)).toMatchObject({ state: "half_open", trialInFlight: true });
    breaker.settle(next, "success", settings, 155_000);
    expect(breaker.view(155_000)).toMatchObject({ state: "half_open", trialSuccesses: 1 });
  });

  it("turns a trial's success into a failure when its stream breaks later", () => {
    const breaker = failing(5, 0);
    const trial = taken(breaker.acquire(5000));
    breaker.settle(trial, "success", settings, 5000);
    breaker.fail(settings, 6000, { slow: false, trial });
    expect(breaker.view(6000)).toMatchObject({ state: "open", until: 16_000 });
  });
});

describe("after slow failures", () => {
  it("the trial is a probe, so that no user waits on a guess", () => {
    const breaker = failing(5, 0, "slow_failure");
    expect(breaker.dueForProbe(4999)).toBe(false);
    expect(breaker.dueForProbe(5000)).toBe(true);
    expect(breaker.acquire(5000)).toBeNull();
    const probe = taken(breaker.acquireForProbe(5000));
    expect(breaker.dueForProbe(5000)).toBe(false);
    breaker.settle(probe, "success", settings, 5000);
    expect(breaker.dueForProbe(5000)).toBe(true);
  });

  it("a real request goes when no probe has come for ten seconds", () => {
    const breaker = failing(5, 0, "slow_failure");
    expect(breaker.acquire(14_999)).toBeNull();
    expect(breaker.acquire(15_000)?.kind).toBe("trial");
  });
});

describe("a last resort", () => {
  it("goes past an open breaker, counts as a trial's success, and its failure prolongs nothing", () => {
    const breaker = failing(5, 0);
    breaker.settle(taken(breaker.force(1000)), "failure", settings, 1000);
    expect(breaker.view(1000)).toMatchObject({ state: "open", until: 5000 });
    for (let i = 0; i < 3; i++) breaker.settle(taken(breaker.force(2000)), "success", settings, 2000);
    expect(breaker.view(2000).state).toBe("closed");
  });

  it("never goes past isolation", () => {
    const breaker = failing(5, 0);
    breaker.isolate();
    expect(breaker.force(1e9)).toBeNull();
    expect(breaker.acquire(1e9)).toBeNull();
    expect(breaker.acquireForProbe(1e9)).toBeNull();
    expect(breaker.view(0)).toEqual({ state: "isolated" });
    breaker.restore();
    expect(breaker.view(0).state).toBe("closed");
  });
});

describe("a request that is itself the suspect", () => {
  it("is taken out of the counts, and remembered as evidence for ten seconds", () => {
    const breaker = failing(4, 0);
    call(breaker, "failure", 0, "poison");
    expect(breaker.view(0).state).toBe("open");

    const spared = failing(3, 0);
    call(spared, "failure", 0, "poison");
    spared.forgive("poison");
    call(spared, "failure", 0);
    expect(spared.view(0)).toMatchObject({ state: "closed", consecutiveFailures: 4 });
    expect(spared.failedForOthers("another", 10_000)).toBe(true);
    expect(spared.failedForOthers("another", 10_001)).toBe(false);
    expect(spared.failedForOthers("poison", 0)).toBe(false);
  });

  it("cannot be forgiven twice, nor out of a later run", () => {
    const breaker = new Breaker(middle);
    call(breaker, "failure", 0, "poison");
    call(breaker, "success", 0);
    call(breaker, "failure", 0);
    breaker.forgive("poison");
    breaker.forgive("poison");
    expect(breaker.view(0)).toMatchObject({ consecutiveFailures: 1 });
  });

  it("leaves an open breaker open", () => {
    const breaker = new Breaker(middle);
    for (let i = 0; i < 5; i++) call(breaker, "failure", 0, "poison");
    for (let i = 0; i < 5; i++) breaker.forgive("poison");
    expect(breaker.view(0).state).toBe("open");
  });
});

it("tells once that it opened and once that it closed, however often it reopened between", () => {
  const seen: string[] = [];
  const breaker = new Breaker(middle, { onChange: (view) => seen.push(view.state) });
  for (let i = 0; i < 5; i++) call(breaker, "failure", 0);
  call(breaker, "failure", 5000);
  for (let i = 0; i < 3; i++) call(breaker, "success", 15_000);
  expect(seen).toEqual(["open", "closed"]);
});

describe("answers that come late", () => {
  const watched: BreakerSettings = { ...settings, slowMs: 5000, slowRate: 0.8 };
  function answer(breaker: Breaker, result: PermitResult, now: number): void {
    breaker.settle(taken(breaker.acquire(now)), result, watched, now);
  }

  it("open it at eight of ten, and recovery is then tried by probes", () => {
    const breaker = new Breaker(middle);
    for (let i = 0; i < 9; i++) answer(breaker, i < 2 ? "success" : "slow", 0);
    expect(breaker.view(0)).toMatchObject({ state: "closed", consecutiveFailures: 0 });
    answer(breaker, "slow", 0);
    expect(breaker.view(0)).toMatchObject({ state: "open", cause: "slow" });
    expect(breaker.dueForProbe(5000)).toBe(true);
  });

  it("are no failures: seven of ten open nothing, and neither do those of an earlier window", () => {
    const breaker = new Breaker(middle);
    for (let i = 0; i < 10; i++) answer(breaker, i < 3 ? "success" : "slow", 0);
    for (let i = 0; i < 9; i++) answer(breaker, "slow", 61_000);
    expect(breaker.view(61_000).state).toBe("closed");
  });

  it("fail a trial, since the deployment would be as slow again", () => {
    const breaker = failing(5, 0, "slow_failure");
    breaker.settle(taken(breaker.acquireForProbe(5000)), "slow", watched, 5000);
    expect(breaker.view(5000)).toMatchObject({ state: "open", cause: "slow", until: 15_000 });
  });
});

describe("probes and traffic", () => {
  it("are told apart: only traffic counts as such, and both count as results", () => {
    const breaker = new Breaker(middle);
    for (let i = 0; i < 5; i++) breaker.settle(taken(breaker.acquireForProbe(100)), "failure", settings, 100);
    expect(breaker.lastTrafficAt).toBeNull();
    expect(breaker.view(100).state).toBe("open");
    call(breaker, "neutral", 5100);
    expect(breaker.lastTrafficAt).toBeNull();
    call(breaker, "success", 5200);
    expect(breaker.lastTrafficAt).toBe(5200);
  });
});

interface Step {
  readonly wait: number;
  readonly what: "acquire" | "probe" | "force" | "settle" | "fail";
  readonly result: PermitResult;
  readonly pick: number;
}

describe("for any history", () => {
  const step: fc.Arbitrary<Step> = fc.record({
    wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 15_000 })),
    what: fc.constantFrom<Step["what"]>("acquire", "probe", "force", "settle", "fail"),
    result: fc.constantFrom<PermitResult>("success", "slow", "failure", "slow_failure", "soft", "neutral"),
    pick: fc.nat(50),
  });

  /** Takes one step with a breaker and the permits that are out. */
  function take(breaker: Breaker, held: Permit[], { what, result, pick }: Step, now: number): Permit | null {
    if (what === "acquire") return breaker.acquire(now);
    if (what === "probe") return breaker.acquireForProbe(now);
    if (what === "force") return breaker.force(now);
    const settled = held.length === 0 ? null : (held.splice(pick % held.length, 1)[0] ?? null);
    if (what === "fail" || settled === null) breaker.fail(settings, now, { slow: result === "slow_failure" });
    else breaker.settle(settled, result, settings, now);
    return null;
  }

  it("at most one trial runs at a time, and an open period is 5 to 20 s ±20% and never changes", () => {
    const dice = fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), dice, (steps, dice) => {
        const breaker = new Breaker(() => dice.next().value, { trialExpiryMs: Infinity });
        const held: Permit[] = [];
        let now = 0;
        for (const each of steps) {
          now += each.wait;
          const before = breaker.view(now);
          const permit = take(breaker, held, each, now);
          if (permit !== null) held.push(permit);
          const mayTry = before.state === "half_open" && !before.trialInFlight;
          expect(permit?.kind !== "trial" || mayTry).toBe(true);
          const after = breaker.view(now);
          if (after.state !== "open") continue;
          const period = after.until - now;
          const right = before.state === "open" ? after.until === before.until : period >= 4000 && period <= 24_000;
          expect(right, `open until ${after.until} at ${now}`).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("closes within 35 seconds once failures have stopped, on traffic alone", () => {
    const outcome = fc.tuple(
      fc.integer({ min: 0, max: 3000 }),
      fc.boolean(),
      fc.constantFrom<PermitResult>("failure", "slow_failure"),
    );
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 5, maxLength: 80 }), (outage) => {
        const breaker = new Breaker(middle);
        let now = 0;
        for (const [wait, force, result] of outage) {
          now += wait;
          const permit = force ? breaker.force(now) : breaker.acquire(now);
          if (permit !== null) breaker.settle(permit, result, settings, now);
        }
        const recoveredAt = now;
        while (now <= recoveredAt + 35_000 && !breaker.isClosed) {
          now += 100;
          const permit = breaker.acquire(now);
          if (permit !== null) breaker.settle(permit, "success", settings, now);
        }
        expect(breaker.isClosed).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
