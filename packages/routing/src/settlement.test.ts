import { describe, expect, it } from "vitest";

import type { Call } from "./attempt.ts";
import type { Course } from "./course.ts";
import { callOf, course, deployment, failure, steadyHealth } from "./fixtures.test-data.ts";
import type { Health } from "./health.ts";

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
