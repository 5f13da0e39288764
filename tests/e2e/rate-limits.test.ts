import { answersChat, answersError, FakeClock, runLoad } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import { breakerOf, caught, keysOf, post, question, setScene, untouched } from "../scene.ts";

describe("a rate limit", () => {
  test("without a twin is waited out once, and the same deployment answers", async () => {
    const { a, gateway } = await setScene({
      a: [
        answersError(429, "rate_limit_exceeded", "Slow down.", { "retry-after-ms": "80" }),
        answersChat("Here I am."),
      ],
    });
    const { data, response } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("Here I am.");
    const [first, second] = a.requests;
    expect((second?.receivedAt ?? 0) - (first?.receivedAt ?? 0)).toBeGreaterThanOrEqual(79);
    expect(a.requests).toHaveLength(2);
    const trace = await gateway.trace(response.headers.get("x-tuloy-trace-id"));
    expect(trace.attempts).toMatchObject([
      { deployment: "a/model-x", kind: "first", failure: "rate_limited", status: 429 },
      { deployment: "a/model-x", kind: "same_deployment", failure: null },
    ]);
  });

  test("is waited out no more than once: the second one goes to the client, with the time it names", async () => {
    const { a, gateway } = await setScene({
      a: answersError(429, "rate_limit_exceeded", "Slow down.", { "retry-after-ms": "50" }),
    });
    const error = await caught(gateway.client().chat.completions.create(question));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded" });
    expect(Number(error.headers?.get("retry-after-ms"))).toBeGreaterThan(0);
    expect(error.headers?.get("x-should-retry")).toBeNull();
    expect(a.requests).toHaveLength(2);
  });

  test("with a twin is not waited for: the twin answers at once", async () => {
    // Time stands still: an answer that had to wait for any of it would never come.
    const { a, b, gateway } = await setScene(
      {
        a: answersError(429, "rate_limit_exceeded", "Slow down.", { "retry-after": "2" }),
        b: answersChat("From the twin."),
      },
      { clock: new FakeClock() },
    );
    const { data, response } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("From the twin.");
    expect(response.headers.get("x-tuloy-failover")).toBe("rate_limited");
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
  });

  test("of 20 s leaves that key and model untouched for 20 s, and its breaker closed", async () => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene(
      {
        a: [answersError(429, "rate_limit_exceeded", "Slow down.", { "retry-after": "20" }), answersChat("A again.")],
        b: answersChat("From the twin."),
      },
      { clock },
    );
    await post(gateway);
    for (let second = 0; second < 19; second++) {
      clock.advance(1000);
      expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("b");
    }
    clock.advance(999);
    expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("b");
    expect([a.requests.length, b.requests.length]).toEqual([1, 21]);
    expect(breakerOf(gateway, "a").view(clock.now())).toEqual(untouched);

    clock.advance(1);
    expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("a");
    expect(a.requests).toHaveLength(2);
  });

  test("of one key makes another key of the same deployment serve, before any twin", async () => {
    const { a, b, gateway } = await setScene(
      { a: [answersError(429, "rate_limit_exceeded", "Slow down."), answersChat("Other key.")], b: answersChat("B.") },
      { providers: { a: { keys: ["sk-first-of-two", "sk-second-of-two"] } } },
    );
    const { data, response } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("Other key.");
    expect(keysOf(a.requests).sort()).toEqual(["sk-first-of-two", "sk-second-of-two"]);
    expect(b.requests).toHaveLength(0);
    const trace = await gateway.trace(response.headers.get("x-tuloy-trace-id"));
    expect(trace.attempts.map(({ kind }) => kind)).toEqual(["first", "sibling_key"]);
    expect(new Set(trace.attempts.map(({ key }) => key))).toEqual(new Set(["key-1", "key-2"]));
  });

  test("of two keys moves on to the twin: one sibling key a deployment is enough", async () => {
    const { a, b, gateway } = await setScene(
      { a: answersError(429, "slow_down", "Slow down."), b: answersChat("B.") },
      { providers: { a: { keys: ["sk-first-of-three", "sk-second-of-three", "sk-third-of-three"] } } },
    );
    const answer = await post(gateway);
    expect(answer.headers["x-tuloy-provider"]).toBe("b");
    expect([a.requests.length, b.requests.length]).toEqual([2, 1]);
    expect(new Set(keysOf(a.requests)).size).toBe(2);
  });

  test("does not come about where keys share the traffic by their weights", async () => {
    const { a, gateway } = await setScene(
      { a: answersChat("ok") },
      {
        providers: {
          a: {
            keys: [
              { value: "sk-the-heavy-one", weight: 3 },
              { value: "sk-the-light-one", weight: 1 },
            ],
          },
        },
      },
    );
    const jobs = 400;
    await runLoad({ jobs, concurrency: 20, job: () => post(gateway) });
    const light = keysOf(a.requests).filter((key) => key === "sk-the-light-one").length;
    expect(a.requests).toHaveLength(jobs);
    // 100 are expected; the bounds are 5 standard deviations away.
    expect(light).toBeGreaterThan(56);
    expect(light).toBeLessThan(144);
  });
});
