import { deployment } from "@tuloy/testkit";
import { describe, expect, it } from "vitest";

import { callOf, course, failure, open, spendRetries, steadyHealth } from "./fixtures.test-data.ts";
import { failoverPreset } from "./presets.ts";

const a = deployment("a");
const b = deployment("b");
const c = deployment("c");
const balanced = failoverPreset("balanced");
const noLimits = { rpm: null, tpm: null, concurrency: null };

describe("twins", () => {
  it.each([
    "refused",
    "reset",
    "overloaded",
    "server_error",
    "model_missing",
    "garbled",
    "first_token_timeout",
  ] as const)("take over at once after %s", (failureClass) => {
    const way = course(steadyHealth(), [a, b]);
    const first = callOf(way.next(0));
    expect([first.deployment.id, first.kind]).toEqual(["a/m", "first"]);
    way.failed(first, failure(failureClass), 100);
    const second = callOf(way.next(100));
    expect([second.deployment.id, second.kind]).toEqual(["b/m", "twin"]);
  });

  it("that can't be told the request are passed over without an attempt, with the reason once", () => {
    const way = course(steadyHealth(), [a, b, c], { obstacle: ({ id }) => (id === "b/m" ? "no words for it" : null) });
    const first = callOf(way.next(0));
    expect(way.canMoveOn(0)).toBe(true);
    way.failed(first, failure("overloaded"), 100);
    const second = callOf(way.next(100));
    expect(second.deployment.id).toBe("c/m");
    expect(way.canMoveOn(100)).toBe(false);
    expect(way.exclusions).toEqual([{ deployment: "b/m", reason: "capability", detail: "no words for it" }]);
  });

  it("are used up after the allowed attempts", () => {
    const health = steadyHealth();
    open(health, "other", 0);
    const way = course(health, [a, b, c, deployment("d")]);
    for (let i = 0; i < 3; i++) way.failed(callOf(way.next(0)), failure("overloaded"), 0);
    expect(way.next(0)).toMatchObject({ do: "stop", stop: { because: "surface", failure: { class: "overloaded" } } });
  });

  it("with a closed breaker are tried even when the retry budget is spent; others are not", () => {
    const health = steadyHealth();
    const way = course(health, [a, b, c]);
    const first = callOf(way.next(0));
    spendRetries(health, 0);
    way.failed(first, failure("overloaded"), 0);
    expect(way.canMoveOn(0)).toBe(true);
    way.failed(callOf(way.next(0)), failure("overloaded"), 0);
    expect(way.canMoveOn(0)).toBe(false);
    expect(way.next(0)).toMatchObject({ stop: { detail: expect.stringContaining("retry budget") } });
  });

  it("go before a trial when it is the last attempt", () => {
    const health = steadyHealth();
    open(health, "b/m", 0);
    const way = course(health, [a, b, c], { startedAt: 5000, settings: { ...balanced, attempts: 2 } });
    way.failed(callOf(way.next(5000)), failure("overloaded"), 5000);
    expect(callOf(way.next(5000)).deployment.id).toBe("c/m");
  });
});

describe("keys", () => {
  function twoKeys() {
    const health = steadyHealth();
    health
      .keyPool("a")
      .reconcile(["one", "two"].map((name) => ({ name, identity: name, weight: 1, limits: noLimits })));
    return health;
  }

  it.each(["rate_limited", "quota_exhausted", "auth"] as const)(
    "of the same deployment come before the twin after %s, once, outside the attempts",
    (failureClass) => {
      const way = course(twoKeys(), [a, b, c], { settings: { ...balanced, attempts: 2 } });
      const calls = [0, 0, 0].map(() => {
        const call = callOf(way.next(0));
        way.failed(call, failure(failureClass), 0);
        return call;
      });
      expect(calls.map(({ deployment, kind }) => `${deployment.id} ${kind}`)).toEqual([
        "a/m first",
        "a/m sibling_key",
        "b/m twin",
      ]);
      expect(new Set(calls.map(({ key }) => key.name)).size).toBe(3);
      expect(way.next(0).do).toBe("stop");
    },
  );

  it("that are rejected are never the client's business", () => {
    const way = course(steadyHealth(), [a]);
    way.failed(callOf(way.next(0)), failure("auth"), 0);
    expect(way.next(0)).toMatchObject({ stop: { because: "upstream_failed", failure: null, retryAfterMs: null } });
  });

  it("that are all at rest make a new request wait if that is soon, or tell how long", () => {
    const health = steadyHealth();
    const first = course(health, [a]);
    first.failed(callOf(first.next(0)), failure("rate_limited", { retryAfterMs: 10_000 }), 0);

    const later = course(health, [a]);
    expect(later.next(8000)).toEqual({ do: "wait", ms: 2000 });
    expect(callOf(later.next(10_000)).kind).toBe("first");
    const sooner = course(health, [a]).next(1000);
    expect(sooner).toMatchObject({ stop: { because: "no_healthy_deployment", retryAfterMs: 9000 } });
  });

  it("of a passed-over deployment are named on the trace", () => {
    const health = steadyHealth();
    const pool = health.keyPool("a");
    const lease = pool.acquire("a/m", 0);
    if (lease !== null) pool.report(lease, "throttle", 0, 20_000);
    const way = course(health, [a, b]);
    expect(callOf(way.next(0)).deployment.id).toBe("b/m");
    expect(way.exclusions).toEqual([
      { deployment: "a/m", reason: "no_usable_key", detail: "key none is cooling for 20 s" },
    ]);
  });
});

describe("with no twin left", () => {
  it("a server error is worth one more call after a backoff", () => {
    const way = course(steadyHealth(), [a]);
    way.failed(callOf(way.next(0)), failure("server_error"), 0);
    expect(way.next(0)).toEqual({ do: "wait", ms: 125 });
    expect(way.next(100)).toEqual({ do: "wait", ms: 25 });
    const again = callOf(way.next(125));
    expect(again.kind).toBe("same_deployment");
    way.failed(again, failure("server_error"), 200);
    expect(way.next(200)).toMatchObject({ stop: { because: "surface", failure: { class: "server_error" } } });
  });

  it("a Retry-After within patience is waited for, once", () => {
    const way = course(steadyHealth(), [a]);
    way.failed(callOf(way.next(0)), failure("rate_limited", { retryAfterMs: 2000 }), 0);
    expect(way.next(0)).toEqual({ do: "wait", ms: 2000 });
    const again = callOf(way.next(2000));
    expect(again.kind).toBe("same_deployment");
    way.failed(again, failure("rate_limited", { retryAfterMs: 2000 }), 2000);
    expect(way.next(2000)).toMatchObject({ stop: { because: "surface", retryAfterMs: 2000 } });
  });

  it("a longer Retry-After is passed on", () => {
    const way = course(steadyHealth(), [a]);
    way.failed(callOf(way.next(0)), failure("rate_limited", { retryAfterMs: 20_000 }), 0);
    expect(way.next(0)).toMatchObject({ stop: { because: "surface", retryAfterMs: 20_000 } });
  });

  it("a deployment that timed out is never called again", () => {
    const way = course(steadyHealth(), [a]);
    way.failed(callOf(way.next(0)), failure("first_token_timeout", { retryAfterMs: 0 }), 10_000);
    expect(way.next(10_000)).toMatchObject({ stop: { because: "upstream_failed" } });
  });

  it("no wait outlives the deadline", () => {
    const way = course(steadyHealth(), [a], { deadlineAt: 1000 });
    way.failed(callOf(way.next(0)), failure("rate_limited", { retryAfterMs: 1000 }), 0);
    expect(way.next(0).do).toBe("stop");
  });
});

describe("what is the request's own fault", () => {
  it("is surfaced after exactly one call when the primary says so", () => {
    const way = course(steadyHealth(), [a, b]);
    const word = failure("invalid_request");
    way.failed(callOf(way.next(0)), word, 0);
    expect(way.next(0)).toMatchObject({ stop: { because: "surface", failure: word } });
  });

  it("is a backup's quirk when a backup says so: the earlier failure is what is surfaced", () => {
    const way = course(steadyHealth(), [a, b, c]);
    way.failed(callOf(way.next(0)), failure("overloaded"), 0);
    way.failed(callOf(way.next(0)), failure("invalid_request"), 0);
    way.failed(callOf(way.next(0)), failure("refused"), 0);
    expect(way.next(0)).toMatchObject({ stop: { because: "surface", failure: { class: "overloaded" } } });
  });

  it("stops at a content filter wherever it comes from", () => {
    const way = course(steadyHealth(), [a, b, c]);
    way.failed(callOf(way.next(0)), failure("overloaded"), 0);
    way.failed(callOf(way.next(0)), failure("content_filter"), 0);
    expect(way.next(0)).toMatchObject({ stop: { because: "surface", failure: { class: "content_filter" } } });
  });

  it("goes only to a larger known window when it was too long", () => {
    const windows = [8000, 8000, null, 32_000].map((contextTokens, i) => deployment(`p${i}`, { contextTokens }));
    const way = course(steadyHealth(), windows);
    way.failed(callOf(way.next(0)), failure("context_length"), 0);
    const larger = callOf(way.next(0));
    expect(larger.deployment.id).toBe("p3/m");
    way.failed(larger, failure("refused"), 0);
    expect(way.next(0)).toMatchObject({ stop: { because: "surface", failure: { class: "context_length" } } });
  });

  it("an empty answer gets one second opinion, then stands", () => {
    const way = course(steadyHealth(), [a, b, c]);
    way.failed(callOf(way.next(0)), failure("empty"), 0);
    way.failed(callOf(way.next(0)), failure("overloaded"), 0);
    expect(way.next(0)).toMatchObject({ stop: { because: "empty_answer" } });
  });
});

describe("a prompt that crashes servers", () => {
  it("is stopped after two deployments failed alike, and counts against neither", () => {
    const health = steadyHealth();
    const way = course(health, [a, b, c]);
    way.failed(callOf(way.next(0)), failure("server_error"), 0);
    way.failed(callOf(way.next(0)), failure("server_error"), 0);
    expect(way.next(0)).toMatchObject({ stop: { because: "surface", retryAfterMs: null } });
    expect(health.breaker("a/m").view(0)).toMatchObject({ consecutiveFailures: 0 });
    expect(health.breaker("b/m").view(0)).toMatchObject({ consecutiveFailures: 0 });
  });

  it("goes on when another request failed there too: that is an outage", () => {
    const health = steadyHealth();
    const other = course(health, [a], { fingerprint: () => "another" });
    other.failed(callOf(other.next(0)), failure("reset"), 0);
    const way = course(health, [a, b, c]);
    way.failed(callOf(way.next(1000)), failure("server_error"), 1000);
    way.failed(callOf(way.next(1000)), failure("server_error"), 1000);
    expect(callOf(way.next(1000)).deployment.id).toBe("c/m");
    expect(health.breaker("b/m").view(1000)).toMatchObject({ consecutiveFailures: 1 });
  });

  it("goes on when the two failed differently", () => {
    const way = course(steadyHealth(), [a, b, c]);
    way.failed(callOf(way.next(0)), failure("server_error"), 0);
    way.failed(callOf(way.next(0)), failure("reset"), 0);
    expect(callOf(way.next(0)).deployment.id).toBe("c/m");
  });
});

describe("a Retry-After longer than patience", () => {
  it("keeps requests away from an overloaded deployment for that long, though its breaker is closed", () => {
    const health = steadyHealth();
    const first = course(health, [a, b]);
    first.failed(callOf(first.next(0)), { ...failure("overloaded"), retryAfterMs: 20_000 }, 0);
    expect(callOf(course(health, [a, b], { startedAt: 19_999 }).next(19_999)).deployment.id).toBe("b/m");
    expect(callOf(course(health, [a, b], { startedAt: 20_000 }).next(20_000)).deployment.id).toBe("a/m");
  });

  it("within patience cools nothing", () => {
    const health = steadyHealth();
    const first = course(health, [a, b]);
    first.failed(callOf(first.next(0)), { ...failure("overloaded"), retryAfterMs: 3000 }, 0);
    expect(callOf(course(health, [a, b]).next(0)).deployment.id).toBe("a/m");
  });
});

describe("with every breaker open", () => {
  it("the one that failed least recently is tried, and its success counts as a trial's", () => {
    const health = steadyHealth();
    open(health, "a/m", 2000);
    open(health, "b/m", 1000);
    const way = course(health, [a, b], { startedAt: 3000 });
    const call = callOf(way.next(3000));
    expect([call.deployment.id, call.kind, call.trial]).toEqual(["b/m", "last_resort", false]);
    way.committed(call, 3100, 100);
    expect(health.breaker("b/m").view(7000)).toMatchObject({ state: "half_open", trialSuccesses: 1 });
    expect(way.exclusions.map(({ reason }) => reason)).toEqual(["breaker_open", "breaker_open"]);
  });

  it("one that is only slow is tried before one that answers with errors, though that failed longer ago", () => {
    const health = steadyHealth();
    open(health, "a/m", 1000);
    for (let slow = 0; slow < 5; slow++) health.breaker("b/m").fail(balanced.breaker, 2000, { slow: true });
    const call = callOf(course(health, [a, b], { startedAt: 3000 }).next(3000));
    expect([call.deployment.id, call.kind]).toEqual(["b/m", "last_resort"]);
  });

  it("a failed last resort promises the client nothing for when the breakers are due", () => {
    const health = steadyHealth();
    open(health, "a/m", 0);
    const way = course(health, [a]);
    way.failed(callOf(way.next(0)), failure("overloaded"), 0);
    expect(way.next(0)).toMatchObject({ stop: { because: "surface", retryAfterMs: null } });
  });

  it("neither isolation nor a dead key is passed", () => {
    const health = steadyHealth();
    for (const id of ["a/m", "b/m"]) open(health, id, 0);
    health.breaker("a/m").isolate();
    const lease = health.keyPool("b").acquire("b/m", 0);
    if (lease !== null) health.keyPool("b").report(lease, "quarantine", 0, null);
    const way = course(health, [a, b]);
    expect(way.next(0)).toMatchObject({ stop: { because: "no_healthy_deployment", retryAfterMs: 60_000 } });
    expect(way.exclusions.map(({ reason }) => reason)).toEqual(["isolated", "breaker_open"]);
  });
});

describe("the first-token limit", () => {
  it("is halved for a trial, which succeeds at its commit", () => {
    const health = steadyHealth();
    open(health, "a/m", 0);
    const way = course(health, [a, b], { startedAt: 5000 });
    const call = callOf(way.next(5000));
    expect([call.trial, call.firstTokenMs]).toEqual([true, 5000]);
    way.committed(call, 6000, 1000);
    expect(health.breaker("a/m").view(6000)).toMatchObject({ state: "half_open", trialSuccesses: 1 });
    way.broke(call, failure("truncated"), 7000);
    expect(health.breaker("a/m").view(7000)).toMatchObject({ state: "open", reopened: 1 });
  });

  it("is the answer limit for a JSON answer", () => {
    expect(callOf(course(steadyHealth(), [a], { stream: false }).next(0)).firstTokenMs).toBe(120_000);
  });

  it("does not cut a call with nowhere to go, which still counts as slow, once", () => {
    const health = steadyHealth();
    const way = course(health, [a]);
    const call = callOf(way.next(0));
    expect(way.canMoveOn(10_000)).toBe(false);
    way.slow(call, 10_000);
    way.committed(call, 20_000, 20_000);
    way.finished(call, 21_000, 100);
    expect(health.breaker("a/m").view(21_000)).toMatchObject({ consecutiveFailures: 1 });
  });

  it("that the client shortened counts against nobody", () => {
    const health = steadyHealth();
    const way = course(health, [a], { deadlineAt: 8000, clientShortened: true });
    way.failed(callOf(way.next(0)), failure("first_token_timeout"), 8000);
    expect(health.breaker("a/m").view(8000)).toMatchObject({ consecutiveFailures: 0 });
    expect(way.next(8000)).toMatchObject({ stop: { because: "deadline_exceeded" } });
  });
});

it("lets a client leave at any moment without blame, and frees the key and the trial", () => {
  const health = steadyHealth();
  open(health, "a/m", 0);
  const way = course(health, [a], { startedAt: 5000 });
  way.cancelled(callOf(way.next(5000)), 5100);
  expect(health.breaker("a/m").view(5100)).toMatchObject({ state: "half_open", trialInFlight: false });
  expect(way.next(5100)).toMatchObject({ stop: { because: "cancelled" } });
});

it("tells our own fault apart", () => {
  const way = course(steadyHealth(), [a, b]);
  way.failed(callOf(way.next(0)), failure("internal"), 0);
  expect(way.next(0)).toMatchObject({ stop: { because: "internal", failure: { class: "internal" } } });
});

it("tells the owner of the process when a key or a breaker changes", () => {
  const seen: string[] = [];
  const health = steadyHealth({
    onBreakerChange: (id, view) => seen.push(`${id} ${view.state}`),
    onKeyQuarantined: (provider, key) => seen.push(`${provider}/${key} quarantined`),
    onKeyRestored: (provider, key) => seen.push(`${provider}/${key} restored`),
  });
  open(health, "a/m", 0);
  const way = course(health, [b]);
  way.failed(callOf(way.next(0)), failure("auth"), 0);
  const trial = course(health, [b], { startedAt: 60_000, deadlineAt: 120_000 });
  trial.finished(callOf(trial.next(60_000)), 61_000, 5);
  expect(seen).toEqual(["a/m open", "b/none quarantined", "b/none restored"]);
});
