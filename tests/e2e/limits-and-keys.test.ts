import { LLMock } from "@copilotkit/aimock";
import {
  answersChat,
  answersError,
  eventually,
  FakeClock,
  openaiError,
  runLoad,
  type ReceivedRequest,
  type Script,
} from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, onTestFinished, test } from "vitest";

import { model, startTuloy } from "../harness.ts";
import { breakerOf, post, question, setScene } from "../scene.ts";

const untouched = { state: "closed", consecutiveFailures: 0, lastFailureAt: null };

/** Which provider keys the requests came with, in their order. */
function keysOf(requests: readonly ReceivedRequest[]): string[] {
  return requests.map(({ headers }) => String(headers["authorization"]).replace("Bearer ", ""));
}

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

const anthropicError = (message: string, type = "invalid_request_error"): unknown => ({
  type: "error",
  error: { type, message },
});

/** Every way in which a provider says that the money is used up. */
const billing: readonly (readonly [name: string, status: number, body: unknown])[] = [
  ...[
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "project_usage_limit_exceeded",
  ].map(
    (code) => [`429 ${code}`, 429, openaiError(429, code, "You cannot spend more.", "insufficient_quota")] as const,
  ),
  ["402 from Anthropic", 402, anthropicError("Your account has a payment issue.", "billing_error")],
  ["a bare 402", 402, {}],
  [
    "Anthropic's 400 about usage limits",
    400,
    anthropicError(
      "You have reached your specified API usage limits. You will regain access on 2027-01-01 at 00:00 UTC.",
    ),
  ],
  [
    "Anthropic's 400 about the credit balance",
    400,
    anthropicError(
      "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
    ),
  ],
];

describe("money that is used up", () => {
  test.each(billing)(
    "%s: the twin serves, the key is quarantined, and an alert says so",
    async (_name, status, body) => {
      const { a, b, gateway } = await setScene({
        a: (reply) => reply.json(status, body),
        b: answersChat("From the twin."),
      });
      const { data, response } = await gateway.client().chat.completions.create(question).withResponse();
      expect(data.choices[0]?.message.content).toBe("From the twin.");
      expect(response.headers.get("x-tuloy-failover")).toBe("quota_exhausted");
      const alert = await eventually(async () => (await gateway.alerts())[0], "an alert");
      expect(alert).toMatchObject({ kind: "provider_key_quarantined", subject: "a/key-1" });

      const next = await gateway.client().chat.completions.create(question).withResponse();
      const trace = await gateway.trace(next.response.headers.get("x-tuloy-trace-id"));
      expect(trace.attempts).toMatchObject([{ deployment: "b/model-x", kind: "first", failure: null }]);
      expect(trace.exclusions).toMatchObject([{ deployment: "a/model-x", reason: "no_usable_key" }]);
      expect(trace.exclusions[0]?.detail).toContain("key-1 is quarantined");
      expect([a.requests.length, b.requests.length]).toEqual([1, 2]);
      expect(breakerOf(gateway, "a").view(0)).toEqual(untouched);
    },
  );

  test("of one key makes the other key serve, now and next time", async () => {
    const { a, b, gateway } = await setScene(
      {
        a: (reply, request) =>
          keysOf([request])[0] === "sk-that-is-broke"
            ? answersError(429, "insufficient_quota", "Nothing left.")(reply, request)
            : answersChat("Other key.")(reply, request),
        b: answersChat("B."),
      },
      // Nearly always chosen first, as long as it can be.
      { providers: { a: { keys: [{ value: "sk-that-is-broke", weight: 1_000_000 }, "sk-that-pays"] } } },
    );
    for (let request = 0; request < 5; request++) expect((await post(gateway)).status).toBe(200);
    expect(keysOf(a.requests)).toEqual(["sk-that-is-broke", ...Array<string>(5).fill("sk-that-pays")]);
    expect(b.requests).toHaveLength(0);
  });

  test("is not read out of a plain rate limit", async () => {
    const { gateway } = await setScene({
      a: answersError(429, "rate_limit_exceeded", "Rate limit reached for requests.", { "retry-after-ms": "1" }),
      b: answersChat("From the twin."),
    });
    const answer = await post(gateway);
    expect(answer.headers["x-tuloy-failover"]).toBe("rate_limited");
    await gateway.lastTrace();
    expect(await gateway.alerts()).toEqual([]);
  });

  test("comes back by exactly one trial after a minute, which is told too", async () => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene(
      { a: [answersError(429, "insufficient_quota", "Nothing left.")], b: answersChat("From the twin.") },
      { clock },
    );
    await post(gateway);
    clock.advance(59_999);
    await post(gateway);
    expect([a.requests.length, b.requests.length]).toEqual([1, 2]);

    const release = Promise.withResolvers<void>();
    a.script((reply, request) => answersChat("Paid again.")(reply.wait(release.promise), request));
    clock.advance(1);
    const trial = post(gateway);
    await a.received(1);
    const meanwhile = await Promise.all(Array.from({ length: 5 }, () => post(gateway)));
    expect(meanwhile.map(({ headers }) => headers["x-tuloy-provider"])).toEqual(Array(5).fill("b"));
    release.resolve();
    expect((await trial).headers["x-tuloy-provider"]).toBe("a");
    expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("a");
    expect(a.requests).toHaveLength(3);
    clock.advance(1000);
    const kinds = await eventually(async () => {
      const alerts = await gateway.alerts();
      return alerts.length === 2 ? alerts.map(({ kind }) => kind).sort() : null;
    }, "two alerts");
    expect(kinds).toEqual(["provider_key_quarantined", "provider_key_restored"]);
  });

  test("is understood from an independent mock too", async () => {
    const [broke, good] = [new LLMock({ port: 0 }), new LLMock({ port: 0 })];
    const error = {
      message: "You exceeded your current quota.",
      type: "insufficient_quota",
      code: "insufficient_quota",
    };
    broke.onMessage(/.*/, { error, status: 429 });
    good.onMessage(/.*/, { content: "The mock's answer, from the twin." });
    await Promise.all([broke.start(), good.start()]);
    onTestFinished(async () => void (await Promise.all([broke.stop(), good.stop()])));
    const gateway = await startTuloy({ providers: { a: { url: broke.url }, b: { url: good.url } } });
    onTestFinished(() => gateway.close());

    for (const failover of ["quota_exhausted", null]) {
      const { data, response } = await gateway.client().chat.completions.create(question).withResponse();
      expect(data.choices[0]?.message.content).toBe("The mock's answer, from the twin.");
      expect(response.headers.get("x-tuloy-failover")).toBe(failover);
    }
    expect([broke.getRequests().length, good.getRequests().length]).toEqual([1, 2]);
  });
});

const revoked = answersError(401, "invalid_api_key", "Incorrect API key provided: sk-a-s*********-key.");

describe("a revoked key", () => {
  test("of A is B's chance, and never seen by the client", async () => {
    const { a, b, gateway } = await setScene({ a: revoked, b: answersChat("From the twin.") });
    const { data, response } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("From the twin.");
    expect(response.headers.get("x-tuloy-failover")).toBe("auth");
    const alert = await eventually(async () => (await gateway.alerts())[0], "an alert");
    expect(alert).toMatchObject({ kind: "provider_key_quarantined", subject: "a/key-1" });
    await post(gateway);
    expect([a.requests.length, b.requests.length]).toEqual([1, 2]);
    // Twenty dead keys are no sign of a sick deployment.
    expect(breakerOf(gateway, "a").view(0)).toEqual(untouched);
  });

  test("of every provider is a neutral 502: the client's own key is fine", async () => {
    const { a, b, gateway } = await setScene({ a: revoked, b: revoked });
    const answer = await post(gateway);
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ error: { code: "upstream_failed", type: "server_error" } });
    expect(answer.text()).not.toMatch(/api key|sk-/i);
    expect(answer.headers["www-authenticate"]).toBeUndefined();
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
    for (const name of ["a", "b"]) expect(breakerOf(gateway, name).view(0)).toEqual(untouched);

    const later = await post(gateway);
    expect(later.status).toBe(503);
    expect(later.json()).toMatchObject({ error: { code: "no_healthy_deployment" } });
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
  });

  test("beside a good one of the same provider is replaced by it", async () => {
    const { a, b, gateway } = await setScene(
      {
        a: (reply, request) =>
          (keysOf([request])[0] === "sk-revoked" ? revoked : answersChat("Other key."))(reply, request),
        b: answersChat("B."),
      },
      { providers: { a: { keys: [{ value: "sk-revoked", weight: 1_000_000 }, "sk-valid"] } } },
    );
    for (let request = 0; request < 3; request++) expect((await post(gateway)).status).toBe(200);
    expect(keysOf(a.requests)).toEqual(["sk-revoked", "sk-valid", "sk-valid", "sk-valid"]);
    expect(b.requests).toHaveLength(0);
  });

  test("differs from one that may not use this model, which is fine elsewhere and only rests here", async () => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene(
      { a: answersError(403, null, "You may not use this model."), b: answersChat("From the twin.") },
      { clock },
    );
    for (let request = 0; request < 3; request++) {
      expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("b");
    }
    expect([a.requests.length, b.requests.length]).toEqual([1, 3]);
    clock.advance(60_000);
    await post(gateway);
    expect(a.requests).toHaveLength(2);
    clock.advance(1000);
    await gateway.lastTrace(4);
    expect(await gateway.alerts()).toEqual([]);
  });
});

describe("a fault of the request itself", () => {
  test("is surfaced to the byte after exactly one call", async () => {
    const body =
      '{"error": {"message":"\'messages\' must not be empty – ñ", "type":"invalid_request_error","param":"messages","code":null}}\n';
    const { a, b, gateway } = await setScene({
      a: (reply) =>
        reply
          .status(400)
          .headers({ "content-type": "application/json; charset=utf-8" }, Buffer.byteLength(body))
          .chunk(body),
      b: answersChat("never asked"),
    });
    const answer = await post(gateway);
    expect([answer.status, answer.text()]).toEqual([400, body]);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "x-should-retry": "false",
      "x-tuloy-attempts": "1",
    });
    const error = await caught(gateway.client({ maxRetries: 2 }).chat.completions.create(question));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect([a.requests.length, b.requests.length]).toEqual([2, 0]);
    expect(breakerOf(gateway, "a").view(0)).toEqual(untouched);
  });

  test("that only a backup finds is that backup's quirk: the next one answers", async () => {
    const { a, b, c, gateway } = await setScene({
      a: answersError(503, null, "Busy."),
      b: answersError(400, null, "Unknown parameter."),
      c: answersChat("From C."),
    });
    const { data } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("From C.");
    expect([a, b, c].map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  test.each([
    ["Azure's content_filter", "content_filter"],
    ["OpenAI's content_policy_violation", "content_policy_violation"],
  ])("%s is surfaced, and no other provider receives the prompt", async (_name, code) => {
    const { a, b, gateway } = await setScene({
      a: answersError(400, code, "The response was filtered."),
      b: answersChat("never asked"),
    });
    const error = await caught(gateway.client({ maxRetries: 2 }).chat.completions.create(question));
    expect(error).toMatchObject({ status: 400, code });
    expect([a.requests.length, b.requests.length]).toEqual([1, 0]);
    expect(b.acceptedSockets).toBe(0);
    expect((await gateway.lastTrace()).attempts).toMatchObject([{ failure: "content_filter" }]);
  });
});

const tooLong = answersError(
  400,
  "context_length_exceeded",
  "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
);

describe("a prompt that is too long", () => {
  test.each([
    ["the twin's window is the same", "context: 8192", "context: 8192"],
    ["the twin's window is smaller", "context: 8192", "context: 4096"],
    ["nobody knows the windows", "", ""],
    ["nobody knows the twin's window", "context: 8192", ""],
  ])("is never sent again when %s", async (_name, ofA, ofB) => {
    const { a, b, gateway } = await setScene(
      { a: tooLong, b: answersChat("never asked") },
      { providers: { a: { model: ofA }, b: { model: ofB } } },
    );
    const error = await caught(gateway.client({ maxRetries: 2 }).chat.completions.create(question));
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded" });
    expect([a.requests.length, b.requests.length]).toEqual([1, 0]);
    expect(breakerOf(gateway, "a").view(0)).toEqual(untouched);
  });

  test("goes to a twin with a window that is known to be larger, past one of the same size", async () => {
    const { a, b, c, gateway } = await setScene(
      { a: tooLong, b: answersChat("never asked"), c: answersChat("It fits here.") },
      { providers: { a: { model: "context: 8192" }, b: { model: "context: 8192" }, c: { model: "context: 32768" } } },
    );
    const { data } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("It fits here.");
    expect([a, b, c].map(({ requests }) => requests.length)).toEqual([1, 0, 1]);
  });
});

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

/** The SDK's error for a call that must fail. */
async function caught(call: PromiseLike<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  try {
    await call;
  } catch (error) {
    if (error instanceof OpenAI.APIError) return error;
    throw error;
  }
  throw new Error("the call succeeded");
}
