import type { FailoverSettings } from "@tuloy/contract";
import { deployment } from "@tuloy/testkit";
import { describe, expect, it } from "vitest";

import type { Call, CourseInput } from "./attempt.ts";
import type { Course } from "./course.ts";
import { callOf, course, failure, open, spendRetries, steadyHealth } from "./fixtures.test-data.ts";
import type { Health } from "./health.ts";
import { failoverPreset } from "./presets.ts";
import type { Race } from "./race.ts";

const a = deployment("a");
const b = deployment("b");
const c = deployment("c");
const d = deployment("d");
const balanced = failoverPreset("balanced");
const eager: FailoverSettings = { ...failoverPreset("eager"), hedge: null };

function hedged(hedge: FailoverSettings["hedge"], health = steadyHealth(), fields: Partial<CourseInput> = {}): Course {
  return course(health, [a, b, c], { settings: { ...balanced, hedge }, ...fields });
}

function raceOf(way: Course): Race {
  if (way.race === null) throw new Error("expected a request that may race");
  return way.race;
}

function besideOf(way: Course, now: number): Call {
  const step = raceOf(way).beside(now);
  if (step.do !== "call") throw new Error(`expected a call: ${JSON.stringify(step)}`);
  return step.call;
}

function known(health: Health, id: string, ms: number, times = 40): void {
  for (let i = 0; i < times; i++) health.latency(id).record(ms, 0);
}

const waits = { do: "await", ms: null };

describe("a hedge", () => {
  it("is called after the delay, and not before", () => {
    const way = hedged(200);
    const first = callOf(way.next(0));
    expect(raceOf(way).beside(0)).toEqual({ do: "await", ms: 200 });
    expect(raceOf(way).beside(150)).toEqual({ do: "await", ms: 50 });
    const second = besideOf(way, 200);
    expect([first.kind, second.kind, second.deployment.id]).toEqual(["first", "hedge", "b/m"]);
    expect(raceOf(way).beside(200)).toEqual(waits);
  });

  it("is called after the deployment's own 95th percentile, once that is known", () => {
    const health = steadyHealth();
    known(health, "a/m", 100, 19);
    expect(callOf(hedged("p95", health).next(0)).deployment.id).toBe("a/m");
    const unknown = hedged("p95", health);
    callOf(unknown.next(0));
    expect(raceOf(unknown).beside(0)).toEqual(waits);
    known(health, "a/m", 100, 1);
    const way = hedged("p95", health);
    callOf(way.next(0));
    expect(raceOf(way).beside(0)).toEqual({ do: "await", ms: health.latency("a/m").p95(0) });
  });

  it("of an answer that is not streamed goes by the time that whole answers took", () => {
    const health = steadyHealth();
    for (let i = 0; i < 20; i++) {
      const way = hedged("p95", health, { stream: false });
      way.finished(callOf(way.next(0)), 800, 10);
    }
    const way = hedged("p95", health, { stream: false });
    callOf(way.next(0));
    expect(raceOf(way).beside(0)).toEqual({ do: "await", ms: health.answerTime("a/m").p95(0) });
    expect(health.answerTime("a/m").p95(0)).toBeGreaterThanOrEqual(800);
  });

  it("is not called beside a call whose answer is being held, and a later one does not cut it", () => {
    const way = hedged(200, steadyHealth(), { settings: { ...eager, hedge: 200 } });
    const first = callOf(way.next(0));
    raceOf(way).answers(first);
    expect(raceOf(way).beside(200)).toEqual(waits);
    expect(raceOf(way).notes).toEqual([]);

    const late = hedged(null, steadyHealth(), { settings: eager });
    const older = callOf(late.next(0));
    expect(raceOf(late).limitPassed(older, 4000)).toBeNull();
    const newer = besideOf(late, 4000);
    raceOf(late).answers(older);
    expect(raceOf(late).limitPassed(newer, 8000)).toBeNull();
    late.failed(newer, failure("reset"), 8100);
    expect(raceOf(late).beside(8100)).toEqual(waits);
  });

  it("that lost while it was writing is no measure of a first content", () => {
    const health = steadyHealth();
    const way = hedged(200, health);
    const first = callOf(way.next(0));
    const second = besideOf(way, 200);
    raceOf(way).answers(first);
    raceOf(way).won(second, 60_000);
    expect(health.pace("a/m").firstToken.ms).toBeNull();
  });

  it("costs a retry, also the first one, and is left out with a note when there is none", () => {
    const health = steadyHealth();
    const way = hedged(50, health);
    callOf(way.next(0));
    spendRetries(health, 0);
    expect(raceOf(way).beside(50)).toEqual(waits);
    expect(raceOf(way).notes).toEqual(["no hedge beside a/m: the process's retry budget is spent"]);
    // The first move to a twin is exempt, as it always is.
    expect(way.canMoveOn(50)).toBe(true);
  });

  it("goes to a closed breaker and a free key, or nowhere, with a note", () => {
    const health = steadyHealth();
    open(health, "b/m", 0);
    health.breaker("c/m").isolate();
    const way = hedged(100, health, { startedAt: 8000 });
    expect(callOf(way.next(8000)).deployment.id).toBe("a/m");
    expect(raceOf(way).beside(8100)).toEqual(waits);
    expect(raceOf(way).notes).toEqual([
      "no hedge beside a/m: no other deployment with a closed breaker has a key with room",
    ]);
  });

  it("is not for a trial", () => {
    const health = steadyHealth();
    open(health, "a/m", 0);
    const way = hedged(100, health, { startedAt: 8000 });
    expect(callOf(way.next(8000))).toMatchObject({ trial: true, deployment: { id: "a/m" } });
    expect(raceOf(way).beside(8000)).toEqual(waits);
    expect(raceOf(way).beside(9000)).toEqual(waits);
  });

  it("never goes to another model, and there is none for a locked request, one attempt or one deployment", () => {
    const way = course(steadyHealth(), [a, deployment("b", { model: "other" })], {
      settings: { ...balanced, hedge: 100 },
    });
    callOf(way.next(0));
    expect(raceOf(way).beside(100)).toEqual(waits);
    expect(hedged(100, steadyHealth(), { locked: true }).race).toBeNull();
    expect(course(steadyHealth(), [a], { settings: { ...balanced, hedge: 100 } }).race).toBeNull();
    expect(course(steadyHealth(), [a, b], { settings: { ...balanced, hedge: 100, attempts: 1 } }).race).toBeNull();
    expect(course(steadyHealth(), [a, b], { settings: balanced }).race).toBeNull();
  });

  it("is called once beside a call, and never when it would begin after the deadline", () => {
    const way = hedged(100);
    callOf(way.next(0));
    way.failed(besideOf(way, 100), failure("overloaded"), 150);
    expect(raceOf(way).beside(150)).toEqual(waits);
    const short = hedged(1000, steadyHealth(), { deadlineAt: 1000 });
    callOf(short.next(0));
    expect(raceOf(short).beside(0)).toEqual(waits);
  });

  it("is waited for when the first call fails; when it fails too, the course goes on", () => {
    const way = hedged(100);
    const first = callOf(way.next(0));
    const second = besideOf(way, 100);
    way.failed(first, failure("overloaded"), 150);
    expect(raceOf(way).beside(150)).toEqual({ do: "await", ms: 50 });
    way.failed(second, failure("overloaded"), 160);
    expect(callOf(way.next(160))).toMatchObject({ kind: "twin", deployment: { id: "c/m" } });
  });

  it("that answers first wins; the other's key and permit are free, and nothing counts against it", () => {
    const health = steadyHealth();
    health
      .keyPool("a")
      .reconcile([{ name: "k", identity: "k", weight: 1, limits: { rpm: null, tpm: null, concurrency: 1 } }]);
    const way = hedged(100, health);
    const first = callOf(way.next(0));
    const second = besideOf(way, 100);
    expect(health.keyPool("a").usable("a/m", 150)).toBe(false);
    raceOf(way).won(second, 150);
    way.committed(second, 150, 50);
    expect(health.keyPool("a").usable("a/m", 150)).toBe(true);
    expect(health.breaker("a/m").view(150)).toEqual({ state: "closed", consecutiveFailures: 0, lastFailureAt: null });
    expect(raceOf(way).notes).toEqual([
      "hedge: b/m was called 100 ms after a/m; b/m won, had its first content 50 ms after its start",
    ]);
    // What the loser says afterwards is nobody's business.
    way.failed(first, failure("server_error"), 200);
    expect(health.breaker("a/m").lastFailureAt).toBeNull();
  });

  it("keeps the 95th percentile where it is: who loses after it has taken at least that long", () => {
    const health = steadyHealth();
    known(health, "a/m", 100, 1000);
    const before = health.latency("a/m").p95(0) ?? 0;
    // Every hedge wins: if the slow ones went unseen, the percentile would come down with each.
    for (let i = 0; i < 500; i++) {
      const way = hedged("p95", health, { startedAt: 0 });
      const first = callOf(way.next(0));
      if (i % 20 === 0) raceOf(way).won(besideOf(way, before), before + 400);
      else way.committed(first, 60, 60);
      way.cancelled(first, 1000);
    }
    expect(health.latency("a/m").p99(0)).toBeGreaterThan(400);
    expect(health.latency("a/m").p95(0)).toBe(before);
  });
});

describe("what one of two calls says of the request", () => {
  it("is final when the older one says it: a primary's word is passed on unchanged", () => {
    const way = hedged(100);
    const first = callOf(way.next(0));
    besideOf(way, 100);
    way.failed(first, failure("invalid_request"), 150);
    expect(raceOf(way).beside(150)).toEqual({ do: "stop" });
    raceOf(way).abandon(150);
    expect(way.next(150)).toMatchObject({ stop: { because: "surface", failure: { class: "invalid_request" } } });
  });

  it.each(["invalid_request", "content_filter", "internal"] as const)(
    "does not end the older one: after a hedge's %s it is waited for",
    (failureClass) => {
      const way = hedged(100);
      const first = callOf(way.next(0));
      const second = besideOf(way, 100);
      way.failed(second, failure(failureClass), 150);
      expect(raceOf(way).beside(150)).toEqual(waits);
      raceOf(way).won(first, 200);
      way.finished(first, 300, 10);
      expect(raceOf(way).notes).toEqual([]);
    },
  );

  it("still holds when the older one fails: a filter's verdict is not evaded", () => {
    const way = hedged(100);
    const first = callOf(way.next(0));
    way.failed(besideOf(way, 100), failure("content_filter"), 150);
    way.failed(first, failure("overloaded"), 200);
    expect(way.next(200)).toMatchObject({ stop: { because: "surface", failure: { class: "content_filter" } } });
  });

  it("an empty answer leaves the other as the second opinion, and brings no third", () => {
    const way = hedged(100);
    const first = callOf(way.next(0));
    const second = besideOf(way, 100);
    way.failed(first, failure("empty"), 150);
    expect(raceOf(way).beside(400)).toEqual(waits);
    way.failed(second, failure("overloaded"), 500);
    expect(way.next(500)).toMatchObject({ stop: { because: "empty_answer" } });
  });

  it("the primary's error is what is surfaced, though the hedge failed before it", () => {
    const way = hedged(100);
    const first = callOf(way.next(0));
    way.failed(besideOf(way, 100), failure("rate_limited", { reason: "of b" }), 150);
    way.failed(first, failure("overloaded", { reason: "of a" }), 200);
    way.failed(callOf(way.next(200)), failure("overloaded", { reason: "of c" }), 250);
    expect(way.next(250)).toMatchObject({ stop: { because: "surface", failure: { reason: "of a" } } });
  });
});

describe("a race on the limit", () => {
  const limit = eager.firstTokenMs;

  it("starts a second call beside the late one, which counts as slow and goes on", () => {
    const health = steadyHealth();
    const way = course(health, [a, b], { settings: eager });
    const first = callOf(way.next(0));
    expect(raceOf(way).beside(0)).toEqual(waits);
    expect(raceOf(way).limitPassed(first, limit)).toBeNull();
    const second = besideOf(way, limit);
    expect([second.kind, second.deployment.id]).toEqual(["race", "b/m"]);
    raceOf(way).won(first, limit + 10);
    way.committed(first, limit + 10, limit + 10);
    way.finished(first, limit + 500, 10);
    expect(health.breaker("a/m").view(0)).toMatchObject({ consecutiveFailures: 1 });
    expect(health.breaker("b/m").view(0)).toMatchObject({ consecutiveFailures: 0 });
    expect(raceOf(way).notes).toEqual([
      "race: b/m was called 4 s after a/m; a/m won, had its first content 4 s after its start",
    ]);
  });

  it("lets two run; when both are late, the older makes room for a third", () => {
    const health = steadyHealth();
    const way = course(health, [a, b, c, d], { settings: eager });
    const first = callOf(way.next(0));
    raceOf(way).limitPassed(first, limit);
    const second = besideOf(way, limit);
    expect(raceOf(way).limitPassed(first, 2 * limit)).toBeNull();
    expect(raceOf(way).beside(2 * limit)).toEqual(waits);
    const cut = raceOf(way).limitPassed(second, 2 * limit);
    expect(cut).toBe(first);
    way.failed(first, failure("first_token_timeout"), 2 * limit);
    const third = besideOf(way, 2 * limit);
    expect([third.kind, third.deployment.id]).toEqual(["race", "c/m"]);
    // Late is late once: cutting it afterwards is no second failure.
    expect(health.breaker("a/m").view(0)).toMatchObject({ consecutiveFailures: 1 });
  });

  it("goes on with a third at once when the second fails, since the first is late already", () => {
    const way = course(steadyHealth(), [a, b, c], { settings: eager });
    const first = callOf(way.next(0));
    raceOf(way).limitPassed(first, limit);
    way.failed(besideOf(way, limit), failure("overloaded"), limit + 100);
    expect(besideOf(way, limit + 100)).toMatchObject({ kind: "race", deployment: { id: "c/m" } });
  });

  it("may be a request's first move to a closed twin: that is exempt from the budget", () => {
    const health = steadyHealth();
    const way = course(health, [a, b], { settings: eager });
    const first = callOf(way.next(0));
    spendRetries(health, limit);
    raceOf(way).limitPassed(first, limit);
    expect(besideOf(way, limit).deployment.id).toBe("b/m");
  });

  it("is not run against another model: then the late call is cut, as ever", () => {
    const way = course(steadyHealth(), [a, deployment("b", { model: "other" })], { settings: eager });
    const first = callOf(way.next(0));
    expect(raceOf(way).limitPassed(first, limit)).toBe(first);
  });

  it("cuts nothing and starts nothing when there is nowhere to go", () => {
    const health = steadyHealth();
    health.breaker("b/m").isolate();
    const way = course(health, [a, b], { settings: eager });
    const first = callOf(way.next(0));
    expect(raceOf(way).limitPassed(first, limit)).toBeNull();
    expect(raceOf(way).beside(limit)).toEqual(waits);
  });

  it("is not run where the route gives up late calls: alone it is cut, beside a hedge it goes on", () => {
    const way = hedged(100);
    const first = callOf(way.next(0));
    const second = besideOf(way, 100);
    expect(raceOf(way).limitPassed(first, 10_000)).toBeNull();
    expect(raceOf(way).beside(10_000)).toEqual(waits);
    expect(raceOf(way).limitPassed(second, 10_100)).toBe(first);
    way.failed(first, failure("first_token_timeout"), 10_100);
    expect(besideOf(way, 10_100)).toMatchObject({ kind: "twin", deployment: { id: "c/m" } });
    const alone = hedged(20_000);
    const only = callOf(alone.next(0));
    expect(raceOf(alone).limitPassed(only, 10_000)).toBe(only);
  });
});
