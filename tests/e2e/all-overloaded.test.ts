import { answersError, type Script } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import { model } from "../harness.ts";
import { breakerOf, caught, post, question, setScene } from "../scene.ts";

describe("when every deployment is overloaded", () => {
  const busy: Script = answersError(503, null, "Busy.");

  test("a request costs one call each and no more than its attempts, and the SDK sends it once", async () => {
    const { a, b, c, d, gateway } = await setScene({ a: busy, b: busy, c: busy, d: busy });
    const error = await caught(gateway.client({ maxRetries: 2 }).chat.completions.create(question));
    expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    expect(error.status).toBe(503);
    expect(error.headers?.get("x-should-retry")).toBe("false");
    expect(error.headers?.get("retry-after")).toBeNull();
    expect([a, b, c, d].map(({ requests }) => requests.length)).toEqual([1, 1, 1, 0]);
    const trace = await gateway.lastTrace();
    expect(await gateway.traces()).toHaveLength(1);
    expect(trace).toMatchObject({ outcome: "failed", status: 503 });
    expect(error.error).toMatchObject({
      metadata: {
        trace_id: trace.id,
        attempts: ["a", "b", "c"].map((provider) => ({ provider, model, failure: "overloaded", status: 503 })),
      },
    });
  });

  test("with every breaker open a request costs one call, and the SDK still sends it once", async () => {
    const { a, b, gateway } = await setScene(
      { a: busy, b: busy },
      { failover: "breaker: { failures: 1, open: 20s, open_max: 20s }" },
    );
    await post(gateway);
    for (const name of ["a", "b"]) expect(breakerOf(gateway, name).view(performance.now()).state).toBe("open");
    const error = await caught(gateway.client({ maxRetries: 2 }).chat.completions.create(question));
    expect(error.status).toBe(503);
    expect(error.headers?.get("x-should-retry")).toBe("false");
    expect(a.requests.length + b.requests.length).toBe(3);
    await gateway.lastTrace(2);
    expect(await gateway.traces()).toHaveLength(2);
  });
});
