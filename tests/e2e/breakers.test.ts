import { answersChat, answersError, chatChunks, eventually, runLoad, sse, type Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { model, type TestGateway } from "../harness.ts";
import { breakerOf, hearStream, post, question, setScene } from "../scene.ts";

const busy = answersError(503, null, "Busy.");
const crash = answersError(500, null, "The server had an error.");
const hang: Script = (reply) => reply.silence();

function stateOf(gateway: TestGateway, provider: string): string {
  return breakerOf(gateway, provider).view(performance.now()).state;
}

/** A request that is like no other. */
let asked = 0;
function another(): { readonly messages: readonly unknown[] } {
  asked += 1;
  return { messages: [{ role: "user", content: `Question ${asked}.` }] };
}

/** How many calls an upstream has open at once, at most, between `enter` and `leave`. */
class Crowd {
  #now = 0;
  most = 0;
  enter(): void {
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
  }
  leave(): void {
    this.#now -= 1;
  }
}

describe("a breaker", () => {
  test("opens after five failures in a row, tells the operator, and spares the deployment from then on", async () => {
    const { a, b, gateway } = await setScene({ a: busy, b: answersChat("From the twin.") });
    for (let request = 0; request < 10; request++) {
      expect((await post(gateway, another())).headers["x-tuloy-provider"]).toBe("b");
    }
    expect([a.requests.length, b.requests.length]).toEqual([5, 10]);
    const trace = await gateway.lastTrace(10);
    expect(trace.attempts).toMatchObject([{ deployment: "b/model-x", kind: "first" }]);
    expect(trace.exclusions).toMatchObject([{ deployment: "a/model-x", reason: "breaker_open" }]);
    const alert = await eventually(async () => (await gateway.alerts())[0], "an alert");
    expect(alert).toMatchObject({ kind: "breaker_opened", subject: "a/model-x" });
  });

  test("lets exactly one trial through at a time, and closes after three that succeed", async () => {
    const trial = new Crowd();
    const { a, b, gateway } = await setScene(
      { a: busy, b: answersChat("From the twin.") },
      { failover: "breaker: { failures: 2, open: 200ms, open_max: 200ms }" },
    );
    await Promise.all([post(gateway, another()), post(gateway, another())]);
    expect(stateOf(gateway, "a")).toBe("open");
    const failed = a.requests.length;

    let release = Promise.withResolvers<void>();
    a.script(async (reply, request) => {
      trial.enter();
      await release.promise;
      trial.leave();
      answersChat("A again.")(reply, request);
    });
    await eventually(() => stateOf(gateway, "a") === "half_open", "half-open");
    for (let success = 0; success < 3; success++) {
      const answers = runLoad({ jobs: 10, job: () => post(gateway, another()) });
      await a.received(failed + success);
      // The other nine go elsewhere while the trial is under way.
      await eventually(() => b.requests.length === failed + 9 * (success + 1), "nine requests at B");
      expect(a.requests).toHaveLength(failed + success + 1);
      release.resolve();
      await answers;
      release = Promise.withResolvers();
    }
    expect(trial.most).toBe(1);
    expect(stateOf(gateway, "a")).toBe("closed");
    release.resolve();
    const back = await post(gateway, another());
    expect([back.headers["x-tuloy-provider"], back.headers["x-tuloy-failover"]]).toEqual(["a", undefined]);
    const kinds = (
      await eventually(async () => {
        const alerts = await gateway.alerts();
        return alerts.length === 2 ? alerts : null;
      }, "two alerts")
    ).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(["breaker_closed", "breaker_opened"]);
  });

  test("that opened on timeouts is tried by a probe, and by no user's request", async () => {
    const { a, b, gateway } = await setScene(
      { a: hang, b: answersChat("From the twin.") },
      { failover: "first_token: 300ms, breaker: { failures: 2, open: 2s, open_max: 2s }" },
    );
    const heard = await Promise.all([hearStream(gateway.client()), hearStream(gateway.client())]);
    expect(heard.map(({ text }) => text)).toEqual(["From the twin.", "From the twin."]);
    expect(breakerOf(gateway, "a").view(performance.now())).toMatchObject({ state: "open", cause: "slow" });
    await a.closed(0);
    await a.closed(1);
    a.script(answersChat("ok"));

    // Users ask all the time while the breaker is half-open, and none of them is the guinea pig.
    const before = b.requests.length;
    while (stateOf(gateway, "a") !== "closed") await post(gateway, another());
    expect(b.requests.length).toBeGreaterThan(before);
    expect((await post(gateway, another())).headers["x-tuloy-provider"]).toBe("a");
    const trials = a.requests.slice(2, 5);
    expect(trials.map(({ body }) => body.includes("Question"))).toEqual([false, false, false]);
    for (const probe of trials) expect(probe.json()).toMatchObject({ model: `a-${model}` });
    expect(a.requests.slice(5).every(({ body }) => body.includes("Question"))).toBe(true);
  });

  test("with all breakers open, the one that failed least recently is tried, and may close by that", async () => {
    const { a, b, c, gateway } = await setScene(
      { a: busy, b: busy, c: busy },
      { failover: "attempts: 1, breaker: { failures: 1, open: 20s, open_max: 20s }" },
    );
    // One attempt each opens one after the other: a, then b, then c.
    for (const name of ["a", "b", "c"]) {
      await post(gateway, another());
      expect(stateOf(gateway, name)).toBe("open");
    }
    for (const upstream of [a, b, c]) upstream.script(answersChat("Well again."));
    for (let request = 0; request < 3; request++) {
      const answer = await gateway.client().chat.completions.create(question).withResponse();
      expect(answer.data.choices[0]?.message.content).toBe("Well again.");
      const trace = await gateway.trace(answer.response.headers.get("x-tuloy-trace-id"));
      expect(trace.attempts).toMatchObject([{ deployment: "a/model-x", kind: "last_resort", failure: null }]);
    }
    expect(stateOf(gateway, "a")).toBe("closed");
    expect([a, b, c].map(({ requests }) => requests.length)).toEqual([4, 1, 1]);
  });

  test("with all breakers open, a deployment whose key is dead is not the last resort", async () => {
    const { a, b, gateway } = await setScene(
      { a: busy, b: busy },
      { failover: "breaker: { failures: 1, open: 20s, open_max: 20s }" },
    );
    await post(gateway, another());
    for (const name of ["a", "b"]) expect(stateOf(gateway, name)).toBe("open");
    // A failed first, so it is A's turn; its key turns out to be dead.
    a.script(answersError(401, "invalid_api_key", "Incorrect API key provided."));
    b.script(answersChat("B is well again."));
    await post(gateway, another());
    expect([a.requests.length, b.requests.length]).toEqual([2, 1]);
    for (let request = 0; request < 3; request++) {
      expect((await post(gateway, another())).headers["x-tuloy-provider"]).toBe("b");
    }
    expect([a.requests.length, b.requests.length]).toEqual([2, 4]);
  });

  test("is moved neither by a thousand faults of callers nor by their leaving", async () => {
    const { a, b, gateway } = await setScene({
      a: (reply, request) => {
        const said = request.body.toString();
        if (said.includes("bad")) return answersError(400, null, "Bad request.")(reply, request);
        if (said.includes("filtered")) return answersError(400, "content_filter", "Filtered.")(reply, request);
        if (said.includes("long")) return answersError(400, "context_length_exceeded", "Too long.")(reply, request);
        if (said.includes("first")) return reply.silence();
        return reply.eventStream().chunk(chatChunks(["one ", "two "]).slice(0, 3).join(""));
      },
      b: answersChat("never asked"),
    });
    const kinds = ["bad", "filtered", "long", "leaves before the first token", "leaves in the middle"];
    const outcomes = await runLoad({
      jobs: 1000,
      concurrency: 40,
      job: (index) => {
        const kind = kinds[index % kinds.length] ?? "";
        const body = { stream: true, messages: [{ role: "user", content: kind }] };
        if (kind.endsWith("middle")) return post(gateway, body, { onData: () => false });
        return post(gateway, body, kind.startsWith("leaves") ? { timeoutMs: 40 } : {});
      },
    });
    const ends = outcomes.map(({ result }) => (result.ok ? `${result.value.status} ${result.value.ended}` : "threw"));
    const counted = Object.fromEntries([...new Set(ends)].map((end) => [end, ends.filter((e) => e === end).length]));
    expect(counted).toEqual({ "400 clean": 600, "null timeout": 200, "200 left": 200 });
    await eventually(() => a.requests.filter(({ body }) => body.includes("leaves")).every(({ closed }) => closed));
    expect(breakerOf(gateway, "a").view(performance.now())).toEqual({
      state: "closed",
      consecutiveFailures: 0,
      lastFailureAt: null,
    });
    expect(b.requests).toHaveLength(0);
  }, 20_000);
});

describe("a prompt that crashes every server", () => {
  const poison = { messages: [{ role: "user", content: "poison" }] };
  const crashesOnPoison: Script = (reply, request) =>
    (request.body.includes("poison") ? crash : answersChat("Fine."))(reply, request);

  test("is stopped after two deployments, however often it is sent, and opens no breaker", async () => {
    const { a, b, c, gateway } = await setScene(
      { a: crashesOnPoison, b: crashesOnPoison, c: crashesOnPoison },
      { failover: "breaker: { failures: 2, of: 4 }" },
    );
    for (let times = 1; times <= 8; times++) {
      const answer = await post(gateway, poison);
      expect([answer.status, answer.headers["x-should-retry"]]).toEqual([500, "false"]);
      expect([a, b, c].map(({ requests }) => requests.length)).toEqual([2 * times - 1, times, 0]);
      // Others are served by the first deployment all the while.
      expect((await post(gateway, another())).headers["x-tuloy-provider"]).toBe("a");
    }
    for (const name of ["a", "b", "c"]) {
      expect(breakerOf(gateway, name).view(0)).toMatchObject({ state: "closed", consecutiveFailures: 0 });
    }
    const alerts = await gateway.alerts();
    expect(alerts).toEqual([]);
  });

  test("is told from an outage, in which different prompts fail: that one opens breakers and reaches the third", async () => {
    const { a, b, c, gateway } = await setScene(
      { a: crash, b: crash, c: answersChat("From C.") },
      { failover: "breaker: { failures: 3 }" },
    );
    const answers = await runLoad({ jobs: 12, concurrency: 4, job: () => post(gateway, another()) });
    const lost = answers.filter(({ result }) => !result.ok || result.value.status !== 200);
    expect(lost).toEqual([]);
    expect([stateOf(gateway, "a"), stateOf(gateway, "b"), stateOf(gateway, "c")]).toEqual(["open", "open", "closed"]);
    // No more than three each, and what was in flight by then.
    expect(a.requests.length).toBeLessThanOrEqual(3 + 3);
    expect(b.requests.length).toBeLessThanOrEqual(3 + 3);
    expect(c.requests).toHaveLength(12);
  });
});

describe("a client that leaves", () => {
  test("after the fifth chunk has the upstream's connection closed within 500 ms, and is billed by an estimate", async () => {
    const chunks = chatChunks(Array.from({ length: 5 }, (_, n) => `chunk number ${n} `));
    const { a, b, gateway } = await setScene({
      a: (reply) => {
        reply.eventStream();
        for (const chunk of chunks.slice(0, 6)) reply.chunk(chunk);
        return reply.silence();
      },
      b: answersChat("never asked"),
    });
    const stream = await gateway.client().chat.completions.create({ ...question, stream: true });
    let heard = 0;
    let left = 0;
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) heard += 1;
      if (heard === 5) {
        left = performance.now();
        break;
      }
    }
    await a.closed(0);
    expect((a.requests[0]?.closed?.at ?? Infinity) - left).toBeLessThan(500);
    const trace = await gateway.lastTrace();
    expect(trace).toMatchObject({
      outcome: "cancelled",
      attempts: [{ deployment: "a/model-x", failure: "cancelled" }],
    });
    expect(trace.usage).toMatchObject({ source: "estimate" });
    // Five times "chunk number n ", 15 letters each, at four letters a token.
    expect(trace.usage?.output_tokens).toBe(19);
    expect(trace.usage?.input_tokens).toBeGreaterThan(0);
    expect(trace.cost_usd).toBeGreaterThan(0);
    expect(breakerOf(gateway, "a").view(0)).toMatchObject({
      state: "closed",
      consecutiveFailures: 0,
      lastFailureAt: null,
    });
    expect([a.requests.length, b.requests.length]).toEqual([1, 0]);
  });

  test.each([
    ["a stream has begun", true],
    ["a JSON answer has come", false],
  ])("before %s closes the upstream's connection too, and nobody else is asked", async (_name, stream) => {
    const { a, b, gateway } = await setScene({ a: hang, b: answersChat("never asked") });
    const leaving = new AbortController();
    const call = gateway.client().chat.completions.create({ ...question, stream }, { signal: leaving.signal });
    await a.received(0);
    leaving.abort();
    await expect(call).rejects.toThrow("aborted");
    await a.closed(0);
    expect(await gateway.lastTrace()).toMatchObject({ outcome: "cancelled", status: 0, provider: null });
    expect(breakerOf(gateway, "a").view(0)).toMatchObject({ state: "closed", lastFailureAt: null });
    expect(b.requests).toHaveLength(0);
  });

  test("during a wait ends the waiting: nothing is sent again", async () => {
    const { a, gateway } = await setScene({
      a: [answersError(429, "rate_limit_exceeded", "Slow down.", { "retry-after-ms": "2500" })],
    });
    const leaving = new AbortController();
    const call = gateway.client().chat.completions.create(question, { signal: leaving.signal });
    await a.received(0);
    await eventually(
      () => gateway.launched.health.keyPool("a").why(`a/${model}`, performance.now()) !== "",
      "the wait",
    );
    leaving.abort();
    await expect(call).rejects.toThrow("aborted");
    const trace = await gateway.lastTrace();
    expect(trace).toMatchObject({ outcome: "cancelled", attempts: [{ failure: "rate_limited" }] });
    expect(trace.duration_ms).toBeLessThan(2000);
    expect(a.requests).toHaveLength(1);
  });

  test("while a backup is being asked closes that one's connection", async () => {
    const { a, b, gateway } = await setScene({
      a: busy,
      b: (reply) => reply.eventStream().chunk(sse({ id: "1", object: "chat.completion.chunk", choices: [] })),
    });
    const left = post(gateway, { stream: true }, { timeoutMs: 300 });
    await b.received(0);
    expect((await left).ended).toBe("timeout");
    await b.closed(0);
    const trace = await gateway.lastTrace();
    expect(trace.attempts.map(({ failure }) => failure)).toEqual(["overloaded", "cancelled"]);
    expect(breakerOf(gateway, "b").view(0)).toMatchObject({ state: "closed", lastFailureAt: null });
    expect(a.requests).toHaveLength(1);
  });
});
