import type { FailoverSettings } from "@tuloy/contract";
import { deployment } from "@tuloy/testkit";
import { describe, expect, it } from "vitest";

import type { Call } from "./attempt.ts";
import type { Course } from "./course.ts";
import { callOf, course, failure, steadyHealth } from "./fixtures.test-data.ts";
import type { Health } from "./health.ts";
import { failoverPreset } from "./presets.ts";

const a = deployment("a");

describe("a key's tokens a minute", () => {
  const tpm = 1000;
  /** The most tokens that one more call may have. */
  function room(health: Health): number {
    let most = 0;
    for (let tokens = 0; tokens <= tpm; tokens += 100)
      if (health.keyPool("a").usable("a/m", 0, { tokens })) most = tokens;
    return most;
  }
  /** A request with a prompt of 200 tokens that asks for so many that they fill the limit. */
  function begin(): { health: Health; way: Course; call: Call } {
    const health = steadyHealth();
    health
      .keyPool("a")
      .reconcile([{ name: "one", identity: "one", weight: 1, limits: { rpm: null, tpm, concurrency: null } }]);
    const way = course(health, [a], { inputTokens: 200, tokens: 1e9 });
    const call = callOf(way.next(0));
    expect(health.keyPool("a").usable("a/m", 0, { tokens: 1 })).toBe(false);
    return { health, way, call };
  }

  it.each(["refused", "server_error", "invalid_request", "first_token_timeout"] as const)(
    "are all free again after %s before the commit: no answer came of them",
    (failureClass) => {
      const { health, way, call } = begin();
      way.failed(call, failure(failureClass), 0);
      expect(room(health)).toBe(1000);
    },
  );

  it("stay charged with the prompt when the client left before the commit", () => {
    const { health, way, call } = begin();
    way.cancelled(call, 0);
    expect(room(health)).toBe(800);
  });

  it("stay charged with the whole estimate once output came, however the stream ended", () => {
    for (const end of ["broke", "cancelled"] as const) {
      const { health, way, call } = begin();
      way.committed(call, 0, 10);
      if (end === "broke") way.broke(call, failure("truncated"), 0);
      else way.cancelled(call, 0);
      expect(room(health)).toBe(0);
    }
  });

  it("are charged with what a whole answer used", () => {
    const { health, way, call } = begin();
    way.finished(call, 0, 300);
    expect(room(health)).toBe(700);
  });
});

describe("a stream whose first content comes late", () => {
  const slow: FailoverSettings = {
    ...failoverPreset("balanced"),
    breaker: { ...failoverPreset("balanced").breaker, slowMs: 5000 },
  };
  const stream = (health: Health, settings: FailoverSettings, firstTokenMs: number): void => {
    const way = course(health, [a], { settings });
    const call = callOf(way.next(0));
    way.committed(call, 0, firstTokenMs);
    way.finished(call, 0, null);
  };

  it("opens the breaker where it is the rule, though every answer is whole", () => {
    const health = steadyHealth();
    for (let i = 0; i < 10; i++) stream(health, slow, 5001);
    expect(health.breaker("a/m").view(0)).toMatchObject({ state: "open", cause: "slow" });
  });

  it("means nothing when it came in time, or when no route says what late is", () => {
    const health = steadyHealth();
    for (let i = 0; i < 20; i++) stream(health, slow, 5000);
    for (let i = 0; i < 20; i++) stream(health, { ...slow, breaker: { ...slow.breaker, slowMs: null } }, 60_000);
    expect(health.breaker("a/m").view(0)).toEqual({ state: "closed", consecutiveFailures: 0, lastFailureAt: null });
  });
});
