import type { ProbeSettings } from "@tuloy/contract";
import { deployment } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Breaker } from "./breaker.ts";
import type { Permit, PermitResult } from "./breaker.ts";
import { failure, open, steadyHealth } from "./fixtures.test-data.ts";
import { healthView } from "./health-view.ts";
import { failoverPreset } from "./presets.ts";
import { ProbeBudget } from "./probe-budget.ts";
import { isStandby, ProbeState } from "./probe-state.ts";
import type { ProbeResult } from "./probe-state.ts";

const { breaker: settings } = failoverPreset("balanced");
const minute = 60_000;
const day = 24 * 60 * minute;
const everyMinute: ProbeSettings = { everyMs: minute, jitter: 0, dailyCostUsd: 0.1, targets: "all" };
const up: ProbeResult = { up: true, firstTokenMs: 80, failure: null };
const down: ProbeResult = { up: false, firstTokenMs: null, failure: "refused" };

function settle(breaker: Breaker, permit: Permit | null, result: PermitResult, now: number): void {
  if (permit === null) throw new Error("no permit was given");
  breaker.settle(permit, result, settings, now);
}

describe("a probe", () => {
  it("is due when neither traffic nor a probe came for a whole interval", () => {
    const [state, breaker] = [new ProbeState(() => 0.5, 1000), new Breaker(() => 0.5)];
    expect(state.isDue(everyMinute, breaker, 1000 + minute - 1)).toBe(false);
    expect(state.isDue(everyMinute, breaker, 1000 + minute)).toBe(true);
    settle(breaker, breaker.acquire(minute), "success", minute);
    expect(state.isDue(everyMinute, breaker, 2 * minute - 1)).toBe(false);
    expect(state.isDue(everyMinute, breaker, 2 * minute)).toBe(true);
    state.begin();
    state.end(up, 0, 2 * minute);
    expect(state.isDue(everyMinute, breaker, 3 * minute - 1)).toBe(false);
    expect(state.isDue(everyMinute, breaker, 3 * minute)).toBe(true);
  });

  it("runs alone: none is due while one is under way", () => {
    const [state, breaker] = [new ProbeState(() => 0.5, 0), new Breaker(() => 0.5)];
    state.begin();
    expect(state.isDue(everyMinute, breaker, day)).toBe(false);
  });

  it("is followed after a tenth of the interval while its deployment is down", () => {
    const [state, breaker] = [new ProbeState(() => 0.5, 0), new Breaker(() => 0.5)];
    state.end(down, 0, minute);
    expect(state.isDue(everyMinute, breaker, minute + 5999)).toBe(false);
    expect(state.isDue(everyMinute, breaker, minute + 6000)).toBe(true);
    state.end(up, 0, minute + 6000);
    expect(state.isDue(everyMinute, breaker, 2 * minute)).toBe(false);
  });

  it("is due at once when a breaker is half-open after slow failures, and never when they are switched off", () => {
    const [state, health] = [new ProbeState(() => 0.5, 0), steadyHealth()];
    open(health, "a/m", 0, true);
    const breaker = health.breaker("a/m");
    expect(state.isDue(everyMinute, breaker, 4999)).toBe(false);
    expect(state.isDue(everyMinute, breaker, 5000)).toBe(true);
    expect(state.isDue({ ...everyMinute, everyMs: null }, breaker, day)).toBe(false);
  });

  it("comes an interval later, give or take the jitter, for any chance", () => {
    const chance = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(
        chance,
        fc.integer({ min: 1000, max: day }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (dice, everyMs, jitter) => {
          const [state, breaker] = [new ProbeState(() => dice, 0), new Breaker(() => 0.5)];
          const probes = { ...everyMinute, everyMs, jitter };
          expect(state.isDue(probes, breaker, everyMs * (1 - jitter) - 1)).toBe(false);
          expect(state.isDue(probes, breaker, everyMs * (1 + jitter) + 1)).toBe(true);
        },
      ),
    );
  });
});

describe("a standby", () => {
  const [a, b, c] = [deployment("a"), deployment("b"), deployment("c")];
  const twins = [a, b, c];

  it("is whatever is not the deployment that traffic reached last, once there was any", () => {
    const health = steadyHealth();
    expect(twins.map((each) => isStandby(health, each, twins, 0))).toEqual([false, false, false]);
    settle(health.breaker(a.id), health.breaker(a.id).acquire(10), "success", 10);
    expect(twins.map((each) => isStandby(health, each, twins, 20))).toEqual([false, true, true]);
    settle(health.breaker(b.id), health.breaker(b.id).acquire(30), "success", 30);
    expect(twins.map((each) => isStandby(health, each, twins, 40))).toEqual([true, false, true]);
  });

  it("is none any more when nobody asked for the model for a day", () => {
    const health = steadyHealth();
    settle(health.breaker(a.id), health.breaker(a.id).acquire(10), "success", 10);
    expect(isStandby(health, b, twins, 10 + day)).toBe(false);
  });
});

describe("the probes' money", () => {
  it("is there again on the next day, in UTC", () => {
    const budget = new ProbeBudget();
    expect(budget.reserve(0.06, 0.1, day - 1)).toBe(true);
    budget.settle(0.06, 0.06, day - 1);
    expect(budget.reserve(0.06, 0.1, day - 1)).toBe(false);
    expect(budget.view(day - 1)).toEqual({ spentUsd: 0.06, sent: 1, exhausted: true });
    expect(budget.reserve(0.06, 0.1, day)).toBe(true);
    expect(budget.view(day)).toEqual({ spentUsd: 0, sent: 1, exhausted: false });
  });

  it("does not hold back what costs nothing, and is not spent on what was never sent", () => {
    const budget = new ProbeBudget();
    expect(budget.reserve(0, 0, 0)).toBe(true);
    budget.settle(0, null, 0);
    expect(budget.reserve(1, 1, 0)).toBe(true);
    budget.settle(1, null, 0);
    expect(budget.view(0)).toEqual({ spentUsd: 0, sent: 0, exhausted: false });
  });

  it("is never exceeded on any day, however many probes are under way and whenever they end", () => {
    const probe = fc.record({
      wait: fc.nat(6 * 60 * minute),
      estimate: fc.double({ min: 0.001, max: 0.3, noNaN: true }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      lasts: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(probe, { maxLength: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (probes, cap) => {
        const budget = new ProbeBudget();
        const running: { estimate: number; cost: number; left: number }[] = [];
        let wall = 0;
        for (const { wait, estimate, share, lasts } of probes) {
          wall += wait;
          for (const each of running) each.left -= 1;
          for (const each of running.filter(({ left }) => left < 0)) budget.settle(each.estimate, each.cost, wall);
          running.splice(0, running.length, ...running.filter(({ left }) => left >= 0));
          if (budget.reserve(estimate, cap, wall)) running.push({ estimate, cost: estimate * share, left: lasts });
          expect(budget.view(wall).spentUsd).toBeLessThanOrEqual(cap + 1e-9);
        }
      }),
    );
  });
});

describe("the view of what is known", () => {
  it("shows breaker, last probe, traffic and keys of each deployment, and each provider's probes of the day", () => {
    const health = steadyHealth();
    const [a, b] = [deployment("a", { region: "eu" }), deployment("b")];
    settle(health.breaker(a.id), health.breaker(a.id).acquire(100), "success", 100);
    health.probe(a.id, 0).end(down, 0, 500);
    health.probeBudget("a").reserve(0.01, 1, 0);
    const lease = health.keyPool("b").acquire(b.id, 0);
    if (lease) health.keyPool("b").report(lease, "throttle", 0, 9000);
    expect(healthView(health, [a, b], 1000, 0)).toEqual({
      deployments: [
        {
          deployment: "a/m",
          provider: "a",
          model: "m",
          region: "eu",
          breaker: { state: "closed", consecutiveFailures: 0, lastFailureAt: null },
          up: false,
          probe: { ...down, agoMs: 500 },
          trafficAgoMs: 900,
          firstTokenP99Ms: null,
          keys: [{ name: "none", obstacle: null, freeInMs: 0, inFlight: 0 }],
        },
        {
          deployment: "b/m",
          provider: "b",
          model: "m",
          region: null,
          breaker: { state: "closed", consecutiveFailures: 0, lastFailureAt: null },
          up: null,
          probe: null,
          trafficAgoMs: null,
          firstTokenP99Ms: null,
          keys: [{ name: "none", obstacle: "cooling for 8 s", freeInMs: 8000, inFlight: 1 }],
        },
      ],
      probes: new Map([
        ["a", { spentUsd: 0, sent: 1, exhausted: false }],
        ["b", { spentUsd: 0, sent: 0, exhausted: false }],
      ]),
    });
  });

  it("holds to the last probe that said something, when a later one only showed a bad key", () => {
    const health = steadyHealth();
    const state = health.probe("a/m", 0);
    state.end(up, 0, 100);
    state.end({ up: null, firstTokenMs: null, failure: failure("auth").class }, 0, 200);
    expect(healthView(health, [deployment("a")], 300, 0).deployments[0]).toMatchObject({
      up: true,
      probe: { up: null, failure: "auth", agoMs: 100 },
    });
  });
});
