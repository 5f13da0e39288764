import { deployment } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Affinity } from "./affinity.ts";
import { callOf, course, failure, steadyHealth } from "./fixtures.test-data.ts";
import { Pace, PeakEwma } from "./pace.ts";
import { failoverPreset } from "./presets.ts";
import { Settlement } from "./settlement.ts";

const a = deployment("a");

const input = {
  settings: failoverPreset("balanced"),
  startedAt: 0,
  deadlineAt: 570_000,
  stream: true,
  inputTokens: 0,
  highEffort: false,
  fingerprint: () => "this request",
  clientShortened: false,
};

describe("a peak-EWMA", () => {
  it("believes a worse value at once and a better one by time", () => {
    const mean = new PeakEwma();
    expect(mean.ms).toBeNull();
    mean.record(100, 0);
    mean.record(900, 1);
    expect(mean.ms).toBe(900);
    mean.record(100, 1);
    expect(mean.ms).toBe(900);
    mean.record(100, 10_001);
    expect(mean.ms).toBeCloseTo(100 + 800 / Math.E);
    mean.record(100, 200_000);
    expect(mean.ms).toBeCloseTo(100);
  });

  it("is never outside what was recorded", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(10_000), fc.nat(60_000)), { minLength: 1 }), (records) => {
        const mean = new PeakEwma();
        let now = 0;
        for (const [ms, later] of records) mean.record(ms, (now += later));
        const all = records.map(([ms]) => ms);
        expect(mean.ms).toBeGreaterThanOrEqual(Math.min(...all) - 1e-9);
        expect(mean.ms).toBeLessThanOrEqual(Math.max(...all) + 1e-9);
      }),
    );
  });
});

describe("a deployment's pace", () => {
  it("takes streams and whole answers apart, and one for want of the other", () => {
    const pace = new Pace();
    expect(pace.expectedMs(true)).toBeNull();
    pace.answer.record(4000, 0);
    expect(pace.expectedMs(true)).toBe(4000);
    pace.firstToken.record(200, 0);
    expect([pace.expectedMs(true), pace.expectedMs(false)]).toEqual([200, 4000]);
  });

  it("is learned from calls: time to the first content, speed of the output, and calls that have not ended", () => {
    const health = steadyHealth();
    const way = course(health, [a], { inputTokens: 50 });
    const call = callOf(way.next(0));
    const pace = health.pace("a/m");
    expect(pace.inFlight).toBe(1);
    way.committed(call, 300, 300);
    expect(pace.firstToken.ms).toBe(300);
    way.finished(call, 1300, 150);
    expect([pace.inFlight, pace.msPerToken, pace.answer.ms]).toEqual([0, 10, null]);
    way.finished(call, 9999, 150);
    expect(pace.inFlight).toBe(0);
  });

  it("of answers that are not streamed is the time to the whole", () => {
    const health = steadyHealth();
    const way = course(health, [a], { stream: false });
    way.finished(callOf(way.next(0)), 700, null);
    expect([health.pace("a/m").answer.ms, health.pace("a/m").firstToken.ms]).toEqual([700, null]);
  });

  it.each(["refused", "overloaded", "rate_limited", "garbled"] as const)(
    "counts a fast %s as a call that took its whole limit",
    (failureClass) => {
      const health = steadyHealth();
      const way = course(health, [a]);
      way.failed(callOf(way.next(0)), failure(failureClass), 3);
      expect([health.pace("a/m").firstToken.ms, health.pace("a/m").inFlight]).toEqual([10_000, 0]);
    },
  );

  it("counts no fault of the request or the client", () => {
    const health = steadyHealth();
    const refused = course(health, [a]);
    refused.failed(callOf(refused.next(0)), failure("invalid_request"), 3);
    const left = course(health, [a]);
    left.cancelled(callOf(left.next(0)), 5);
    expect([health.pace("a/m").firstToken.ms, health.pace("a/m").inFlight]).toEqual([null, 0]);
  });

  it("learns from a call that lost to a quicker one that it takes at least as long, and nothing better", () => {
    const health = steadyHealth();
    const settlement = new Settlement({ ...input, plan: { candidates: [a], exclusions: [] } }, health);
    const lose = (ran: number) => settlement.lost(callOf(course(health, [a]).next(0)), ran);
    lose(800);
    lose(500);
    expect([health.pace("a/m").firstToken.ms, health.pace("a/m").inFlight]).toEqual([800, 0]);
  });

  it("counts a call that passed its limit and went on as that slow, at once", () => {
    const health = steadyHealth();
    const way = course(health, [a]);
    const call = callOf(way.next(0));
    way.slow(call, 10_500);
    expect(health.pace("a/m").firstToken.ms).toBe(10_500);
  });
});

describe("a session's deployment", () => {
  it("is the one that answered last: at the commit of a stream, or with the whole answer", () => {
    const health = steadyHealth();
    const failing = course(health, [a, deployment("b")], { affinity: "s" });
    failing.failed(callOf(failing.next(0)), failure("overloaded"), 1);
    expect(health.affinity.deploymentOf("s")).toBeNull();
    failing.committed(callOf(failing.next(1)), 2, 1);
    expect(health.affinity.deploymentOf("s")).toBe("b/m");
    const whole = course(health, [a], { affinity: "s", stream: false });
    whole.finished(callOf(whole.next(3)), 4, null);
    expect(health.affinity.deploymentOf("s")).toBe("a/m");
  });

  it("is not remembered where sessions do not matter", () => {
    const health = steadyHealth();
    const way = course(health, [a], { affinity: null });
    way.committed(callOf(way.next(0)), 2, 1);
    expect(health.affinity.size).toBe(0);
  });

  it("is remembered for at least as many of the sessions used last as is said, and for no more than twice as many", () => {
    const affinity = new Affinity(3);
    for (const session of ["one", "two", "three"]) affinity.remember(session, "a/m");
    affinity.remember("one", "b/m");
    affinity.remember("four", "a/m");
    affinity.remember("one", "c/m");
    expect(["one", "two", "three", "four"].map((name) => affinity.deploymentOf(name))).toEqual([
      "c/m",
      "a/m",
      "a/m",
      "a/m",
    ]);
    affinity.remember("five", "a/m");
    expect(["one", "two", "three", "four", "five"].map((name) => affinity.deploymentOf(name))).toEqual([
      "c/m",
      null,
      null,
      "a/m",
      "a/m",
    ]);
    for (let index = 0; index < 1000; index++) {
      affinity.remember(`__proto__${index}`, "a/m");
      expect(affinity.size).toBeLessThanOrEqual(6);
    }
  });
});
