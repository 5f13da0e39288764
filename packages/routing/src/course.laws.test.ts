import { failureClasses } from "@tuloy/contract";
import type { Deployment, FailureClass } from "@tuloy/contract";
import { deployment } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Call, Stop } from "./attempt.ts";
import type { Course } from "./course.ts";
import { failureEffects } from "./effects.ts";
import { callOf, course, failure, open, spendRetries, steadyHealth } from "./fixtures.test-data.ts";
import type { Health } from "./health.ts";
import { failoverPreset } from "./presets.ts";

/** What one call comes to, and how long it takes. */
interface Fate {
  readonly failureClass: FailureClass | "answer";
  readonly takesMs: number;
  readonly retryAfterMs: number | null;
}

interface Walked {
  readonly calls: readonly { readonly call: Call; readonly at: number; readonly fate: Fate }[];
  readonly stop: Stop | null;
}

/** Drives a course to its end as the relay does, with given fates. */
function walk(way: Course, fates: readonly Fate[], start: number): Walked {
  const calls: { call: Call; at: number; fate: Fate }[] = [];
  let now = start;
  for (let steps = 0; steps < 200; steps++) {
    const step = way.next(now);
    if (step.do === "stop") return { calls, stop: step.stop };
    if (step.do === "wait") {
      now += step.ms;
      continue;
    }
    const fate = fates[calls.length % fates.length] ?? { failureClass: "answer", takesMs: 0, retryAfterMs: null };
    calls.push({ call: step.call, at: now, fate });
    now += fate.takesMs;
    if (fate.failureClass === "answer") {
      way.finished(step.call, now, 10);
      return { calls, stop: null };
    }
    way.failed(step.call, failure(fate.failureClass, { retryAfterMs: fate.retryAfterMs }), now);
  }
  throw new Error("the course never ended");
}

const fate: fc.Arbitrary<Fate> = fc.record({
  failureClass: fc.constantFrom<FailureClass | "answer">(...failureClasses, "answer"),
  takesMs: fc.oneof(fc.constant(0), fc.nat(20_000)),
  retryAfterMs: fc.option(fc.nat(5000)),
});

/** A world: deployments, some with two keys, some with an open breaker. */
const world = fc.record({
  size: fc.integer({ min: 1, max: 5 }),
  windows: fc.array(fc.option(fc.constantFrom(1000, 2000)), { minLength: 5, maxLength: 5 }),
  twoKeys: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  opened: fc.array(fc.constantFrom("no", "fast", "slow"), { minLength: 5, maxLength: 5 }),
  attempts: fc.integer({ min: 1, max: 5 }),
  startedAt: fc.constantFrom(100, 5500, 30_000),
  lastsMs: fc.constantFrom(1000, 20_000, 570_000),
  spent: fc.boolean(),
  fates: fc.array(fate, { minLength: 1, maxLength: 8 }),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function build(given: World): { health: Health; way: Course; candidates: readonly Deployment[] } {
  const health = steadyHealth();
  const candidates = Array.from({ length: given.size }, (_, i) =>
    deployment(`p${i}`, { contextTokens: given.windows[i] ?? null }),
  );
  for (const [i, { id, provider }] of candidates.entries()) {
    const names = given.twoKeys[i] === true ? ["one", "two"] : ["one"];
    const limits = { rpm: null, tpm: null, concurrency: null };
    health.keyPool(provider).reconcile(names.map((name) => ({ name, identity: name, weight: 1, limits })));
    if (given.opened[i] !== "no") open(health, id, i, given.opened[i] === "slow");
  }
  if (given.spent) spendRetries(health, given.startedAt);
  const { attempts, startedAt, lastsMs } = given;
  const settings = { ...failoverPreset("balanced"), attempts };
  const way = course(health, candidates, { settings, startedAt, deadlineAt: startedAt + lastsMs });
  return { health, way, candidates };
}

function laws(check: (given: World, walked: Walked, health: Health) => void): void {
  fc.assert(
    fc.property(world, (given) => {
      const { health, way } = build(given);
      check(given, walk(way, given.fates, given.startedAt), health);
    }),
    { numRuns: 500 },
  );
}

describe("for any world and any failures, one request", () => {
  it("makes at most `attempts` calls, and at most one sibling's per deployment beside them", () => {
    laws(({ attempts }, { calls }) => {
      const siblings = calls.filter(({ call }) => call.kind === "sibling_key").map(({ call }) => call.deployment.id);
      expect(calls.length - siblings.length).toBeLessThanOrEqual(attempts);
      expect(new Set(siblings).size).toBe(siblings.length);
    });
  });

  it("never starts a call at or after its deadline", () => {
    laws(({ startedAt, lastsMs }, { calls }) => {
      expect(calls.every(({ at }) => at < startedAt + lastsMs)).toBe(true);
    });
  });

  it("never uses a key again where it was rejected or exhausted", () => {
    laws((_, { calls }) => {
      const spent = new Set<string>();
      for (const { call, fate } of calls) {
        const use = `${call.deployment.id} ${call.key.name}`;
        expect(spent).not.toContain(use);
        if (fate.failureClass === "auth" || fate.failureClass === "quota_exhausted") spent.add(use);
      }
    });
  });

  it("never calls a deployment again after it was too slow, or after what it would only repeat", () => {
    const final = new Set<string>(["first_token_timeout", "invalid_request", "context_length", "refused", "empty"]);
    laws((_, { calls }) => {
      const done = new Set<string>();
      for (const { call, fate } of calls) {
        expect(done).not.toContain(call.deployment.id);
        if (final.has(fate.failureClass)) done.add(call.deployment.id);
      }
    });
  });

  it("makes at most one call past open breakers, and none past isolation", () => {
    laws((_, { calls }) => {
      expect(calls.filter(({ call }) => call.permit.kind === "forced").length).toBeLessThanOrEqual(1);
    });
  });

  it("never shows the client our keys, our accounts or our plumbing", () => {
    const hidden = new Set<string | undefined>(
      failureClasses.filter((each) => failureEffects[each].surfacing === "never" && each !== "internal"),
    );
    laws((_, { stop }) => {
      expect(hidden.has(stop?.failure?.class)).toBe(false);
      expect(stop === null || stop.because !== "surface" || stop.failure !== null).toBe(true);
    });
  });

  it("gives back every key and every trial's place", () => {
    laws(({ startedAt, size }, _, health) => {
      const late = startedAt + 86_400_000;
      for (let i = 0; i < size; i++) {
        const view = health.breaker(`p${i}/m`).view(late);
        expect(view.state === "half_open" && view.trialInFlight).toBe(false);
        expect(health.keyPool(`p${i}`).usable(`p${i}/m`, late)).toBe(true);
      }
    });
  });
});

it("a healthy closed twin always gets its call when the first fails, whatever the retry budget says", () => {
  const goesOn = fc.constantFrom<FailureClass>(
    ...failureClasses.filter((each) => ["next", "next_or_retry", "once_elsewhere"].includes(failureEffects[each].next)),
  );
  fc.assert(
    fc.property(world, goesOn, fc.nat(4), (given, failureClass, at) => {
      const twin = at % given.size;
      const opened = given.opened.map((each, i) => (i === twin ? "no" : each));
      const { way } = build({ ...given, opened, attempts: Math.max(2, given.attempts), lastsMs: 570_000, spent: true });
      const reached: string[] = [];
      let step = way.next(given.startedAt);
      while (step.do === "call" && step.call.deployment.id !== `p${twin}/m` && reached.length < 2) {
        reached.push(step.call.permit.kind);
        way.failed(step.call, failure(failureClass), given.startedAt);
        step = way.next(given.startedAt);
      }
      // Another closed twin may come before it; the exemption is for the first move only.
      const firstMoveTaken = reached.slice(1).includes("closed");
      expect(firstMoveTaken || (step.do === "call" && step.call.deployment.id === `p${twin}/m`)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it("at most one trial runs at a time, however many requests come at once", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 50 }), fc.boolean(), (requests, slow) => {
      const health = steadyHealth();
      open(health, "a/m", 0, slow);
      const calls = Array.from({ length: requests }, () =>
        callOf(course(health, [deployment("a"), deployment("b")], { startedAt: 30_000 }).next(30_000)),
      );
      expect(calls.filter(({ trial }) => trial).length).toBe(1);
      expect(calls.filter(({ deployment }) => deployment.id === "b/m").length).toBe(requests - 1);
    }),
  );
});

it("caller faults and clients that leave, thousands of them, leave breakers closed", () => {
  const blameless = failureClasses.filter((each) => failureEffects[each].breaker === "none");
  const health = steadyHealth();
  const settings = { ...failoverPreset("balanced"), attempts: 1 };
  for (let i = 0; i < 4000; i++) {
    // A day apart, so that cooled and quarantined keys are back.
    const now = i * 86_400_000;
    const way = course(health, [deployment("a")], { settings, startedAt: now, deadlineAt: now + 10_000 });
    const call = callOf(way.next(now));
    const failureClass = blameless[i % blameless.length];
    if (i % 3 === 0 || failureClass === undefined) way.cancelled(call, now);
    else way.failed(call, failure(failureClass), now);
  }
  expect(health.breaker("a/m").view(0)).toEqual({ state: "closed", consecutiveFailures: 0, lastFailureAt: null });
});

it("an outage of everything is not amplified: at most 1.2 calls a request and 10 a second once breakers are open", () => {
  const health = steadyHealth();
  const candidates = ["a", "b", "c"].map((provider) => deployment(provider));
  let calls = 0;
  const requestsPerSecond = 100;
  const measured = { from: 5000, until: 65_000 };
  for (let now = 0; now < measured.until; now += 1000 / requestsPerSecond) {
    const way = course(health, candidates, {
      startedAt: now,
      deadlineAt: now + 60_000,
      fingerprint: () => String(now),
    });
    const fates: Fate[] = [{ failureClass: "overloaded", takesMs: 0, retryAfterMs: null }];
    const walked = walk(way, fates, now);
    if (now >= measured.from) calls += walked.calls.length;
  }
  const seconds = (measured.until - measured.from) / 1000;
  const oneSecond = 10 + 0.2 * requestsPerSecond;
  expect(calls).toBeLessThanOrEqual(1.2 * requestsPerSecond * seconds + 10 * seconds + oneSecond);
});

it("a recovered primary is in full use again within 30 seconds under traffic", () => {
  const health = steadyHealth();
  const candidates = [deployment("a"), deployment("b")];
  const recoversAt = 60_000;
  let last: Call | null = null;
  for (let now = 0; now <= recoversAt + 30_000; now += 20) {
    const way = course(health, candidates, {
      startedAt: now,
      deadlineAt: now + 60_000,
      fingerprint: () => String(now),
    });
    let call = callOf(way.next(now));
    if (call.deployment.id === "a/m" && now < recoversAt) {
      way.failed(call, failure("overloaded"), now);
      call = callOf(way.next(now));
    }
    way.finished(call, now, 10);
    last = call;
  }
  expect([last?.deployment.id, last?.permit.kind]).toEqual(["a/m", "closed"]);
});
