import { deployment } from "@tuloy/testkit";
import { describe, expect, it } from "vitest";

import type { CourseInput, Step } from "./attempt.ts";
import type { Course } from "./course.ts";
import { callOf, course, failure, open, spendRetries, steadyHealth } from "./fixtures.test-data.ts";
import type { Health } from "./health.ts";
import type { PlannedEquivalent } from "./plan/shapes.ts";
import { failoverPreset } from "./presets.ts";

const a = deployment("a");
const b = deployment("b");

function equivalent(
  provider: string,
  fields: Parameters<typeof deployment>[1] = {},
  listed = false,
): PlannedEquivalent {
  const other = deployment(provider, { id: `${provider}/other`, model: "other", ...fields });
  return { deployment: other, listed, score: listed ? null : 0.9, why: "near" };
}

function start(
  health: Health,
  equivalents: readonly PlannedEquivalent[],
  fields: Partial<CourseInput> & { readonly candidates?: readonly (typeof a)[] } = {},
): Course {
  const { candidates = [a], ...rest } = fields;
  return course(health, candidates, { plan: { candidates, exclusions: [], equivalents }, ...rest });
}

/** What a step comes to, in short. */
function told(step: Step): string {
  if (step.do === "call") return `${step.call.kind} ${step.call.deployment.id}`;
  return step.do === "wait" ? `wait ${step.ms}` : `stop ${step.stop.because}`;
}

describe("leaving the model", () => {
  it("comes after every twin, at once when nothing else is worth a call", () => {
    const way = start(steadyHealth(), [equivalent("x")], { candidates: [a, b] });
    const calls: string[] = [];
    for (const failureClass of ["overloaded", "refused"] as const) {
      const step = way.next(0);
      calls.push(told(step));
      way.failed(callOf(step), failure(failureClass), 0);
    }
    expect([...calls, told(way.next(0))]).toEqual(["first a/m", "twin b/m", "equivalent x/other"]);
  });

  it.each(["server_error", "reset"] as const)("comes after one more call to what failed with %s", (failureClass) => {
    const way = start(steadyHealth(), [equivalent("x")]);
    way.failed(callOf(way.next(0)), failure(failureClass), 0);
    // Full jitter over 250 ms, with no chance.
    expect(told(way.next(0))).toBe("wait 125");
    const again = way.next(125);
    expect(told(again)).toBe("same_deployment a/m");
    way.failed(callOf(again), failure(failureClass), 125);
    expect(told(way.next(125))).toBe("equivalent x/other");
  });

  it("comes after a wait for a Retry-After within patience, and before a longer one", () => {
    const limited = (retryAfterMs: number) => {
      const way = start(steadyHealth(), [equivalent("x")]);
      way.failed(callOf(way.next(0)), failure("rate_limited", { retryAfterMs }), 0);
      return way;
    };
    const patient = limited(2000);
    expect(told(patient.next(0))).toBe("wait 2000");
    const again = patient.next(2000);
    expect(told(again)).toBe("same_deployment a/m");
    patient.failed(callOf(again), failure("rate_limited", { retryAfterMs: 2000 }), 2000);
    expect(told(patient.next(2000))).toBe("equivalent x/other");
    expect(told(limited(4000).next(0))).toBe("equivalent x/other");
  });

  it("takes the last allowed call from one more try of what failed, when a closed one is there", () => {
    const settings = { ...failoverPreset("balanced"), attempts: 2 };
    const closed = start(steadyHealth(), [equivalent("x")], { settings });
    closed.failed(callOf(closed.next(0)), failure("server_error"), 0);
    expect(told(closed.next(0))).toBe("equivalent x/other");
    const health = steadyHealth();
    open(health, "x/other", 0);
    const opened = start(health, [equivalent("x")], { settings, startedAt: 1 });
    opened.failed(callOf(opened.next(1)), failure("server_error"), 1);
    expect(told(opened.next(1))).toBe("wait 125");
  });

  it("comes before a call past an open breaker, and is no retry when nothing was called", () => {
    const health = steadyHealth();
    open(health, "a/m", 0);
    spendRetries(health, 1);
    const way = start(health, [equivalent("x")], { startedAt: 1 });
    expect(told(way.next(1))).toBe("equivalent x/other");
    expect(way.exclusions).toMatchObject([{ deployment: "a/m", reason: "breaker_open" }]);
  });

  it("takes from the retry budget once something was called", () => {
    const health = steadyHealth();
    spendRetries(health, 0);
    const way = start(health, [equivalent("x")]);
    way.failed(callOf(way.next(0)), failure("overloaded"), 0);
    const stop = way.next(0);
    expect(stop).toMatchObject({ do: "stop", stop: { detail: expect.stringContaining("retry budget is spent") } });
  });

  it("goes past an open breaker of the model itself before that of another model", () => {
    const health = steadyHealth();
    open(health, "x/other", 0);
    open(health, "a/m", 1);
    expect(told(start(health, [equivalent("x")], { startedAt: 2 }).next(2))).toBe("last_resort a/m");
    expect(told(start(health, [equivalent("x")], { startedAt: 2, candidates: [] }).next(2))).toBe(
      "last_resort x/other",
    );
  });

  it("never happens for an empty answer, a filter's word, or the request's own fault", () => {
    for (const failureClass of ["empty", "content_filter", "invalid_request"] as const) {
      const way = start(steadyHealth(), [equivalent("x", {}, true)]);
      way.failed(callOf(way.next(0)), failure(failureClass), 0);
      expect(way.next(0).do).toBe("stop");
    }
  });

  it("after context_length goes only to a window known to be larger, or to one that somebody listed", () => {
    const at = (window: number | null, offered: PlannedEquivalent): string => {
      const way = start(steadyHealth(), [offered], { candidates: [deployment("a", { contextTokens: window })] });
      way.failed(callOf(way.next(0)), failure("context_length"), 0);
      return told(way.next(0));
    };
    expect(at(1000, equivalent("x", { contextTokens: 2000 }))).toBe("equivalent x/other");
    expect(at(1000, equivalent("x", { contextTokens: 1000 }, true))).toBe("stop surface");
    expect(at(1000, equivalent("x"))).toBe("stop surface");
    expect(at(1000, equivalent("x", {}, true))).toBe("equivalent x/other");
    expect(at(null, equivalent("x", { contextTokens: 9000 }))).toBe("stop surface");
    expect(at(null, equivalent("x", { contextTokens: 9000 }, true))).toBe("equivalent x/other");
  });

  it("is somewhere to go, so that a slow call is cut for it", () => {
    const way = start(steadyHealth(), [equivalent("x")]);
    callOf(way.next(0));
    expect(way.canMoveOn(10_000)).toBe(true);
    const alone = start(steadyHealth(), []);
    callOf(alone.next(0));
    expect(alone.canMoveOn(10_000)).toBe(false);
  });

  it("makes no more calls than are allowed", () => {
    const way = start(
      steadyHealth(),
      ["w", "x", "y", "z"].map((provider) => equivalent(provider)),
    );
    let calls = 0;
    for (let step = way.next(0); step.do === "call"; step = way.next(0)) {
      calls += 1;
      way.failed(step.call, failure("overloaded"), 0);
    }
    expect(calls).toBe(3);
  });
});
