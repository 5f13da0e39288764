import { answersChat, answersError } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { answersFromB, shapeOfA, words } from "../a-and-b.ts";
import { breakerOf, post, problemsOf, setScene } from "../scene.ts";

describe("an empty answer", () => {
  const silent = answersChat("", { ...shapeOfA, usage: [5, 0] });

  test.each([true, false])("is asked for once elsewhere (stream: %s)", async (stream) => {
    const { a, b, c, gateway } = await setScene({ a: silent, b: answersFromB, c: answersChat("never") });
    const answer = await post(gateway, { stream });
    expect(problemsOf(answer, words)).toEqual([]);
    expect([a.requests.length, b.requests.length, c.requests.length]).toEqual([1, 1, 0]);
    expect(answer.headers).toMatchObject({ "x-tuloy-provider": "b", "x-tuloy-failover": "empty" });
  });

  test.each([true, false])(
    "is passed on when the next is empty too, and nobody else is asked (stream: %s)",
    async (stream) => {
      const { a, b, c, gateway } = await setScene({
        a: silent,
        b: answersChat("", { id: "chatcmpl-b", usage: [5, 0] }),
        c: answersChat("never"),
      });
      const answer = await post(gateway, { stream });
      expect(problemsOf(answer, "")).toEqual([]);
      expect(answer.status).toBe(200);
      expect(answer.text()).toContain("chatcmpl-a");
      expect(answer.text()).not.toContain("chatcmpl-b");
      expect([a.requests.length, b.requests.length, c.requests.length]).toEqual([1, 1, 0]);
      expect(answer.headers["x-tuloy-provider"]).toBe("a");
      const trace = await gateway.trace(String(answer.headers["x-tuloy-trace-id"]));
      expect(trace).toMatchObject({ outcome: "succeeded", status: 200, provider: "a" });
      expect(trace.attempts.map(({ failure }) => failure)).toEqual(["empty", "empty"]);
      expect(trace.notes).toEqual([expect.stringContaining("empty")]);
      expect(breakerOf(gateway, "a").isClosed).toBe(true);
    },
  );

  test.each([true, false])(
    "is passed on when the next one fails, and nothing is said to have failed over (stream: %s)",
    async (stream) => {
      const { a, b, gateway } = await setScene({ a: silent, b: answersError(503, null, "busy") });
      const answer = await post(gateway, { stream });
      expect(answer.status).toBe(200);
      expect(problemsOf(answer, "")).toEqual([]);
      expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
      expect(answer.headers).toMatchObject({ "x-tuloy-provider": "a" });
      expect(answer.headers).not.toHaveProperty("x-tuloy-failover");
      const trace = await gateway.trace(String(answer.headers["x-tuloy-trace-id"]));
      expect(trace).toMatchObject({ outcome: "succeeded", provider: "a", failover: null });
      expect(trace.attempts.map(({ failure }) => failure)).toEqual(["empty", "overloaded"]);
    },
  );

  test.each([true, false])("that used tokens, for hidden reasoning, is an answer (stream: %s)", async (stream) => {
    const { b, gateway } = await setScene({ a: answersChat("", { ...shapeOfA, usage: [5, 900] }), b: answersFromB });
    const answer = await post(gateway, { stream });
    expect([answer.headers["x-tuloy-provider"], answer.headers["x-tuloy-attempts"]]).toEqual(["a", "1"]);
    expect(problemsOf(answer, "")).toEqual([]);
    expect(b.requests).toHaveLength(0);
  });
});
