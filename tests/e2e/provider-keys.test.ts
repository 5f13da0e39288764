import { LLMock } from "@copilotkit/aimock";
import { answersChat, answersError, eventually, FakeClock, openaiError } from "@tuloy/testkit";
import { describe, expect, onTestFinished, test } from "vitest";

import { startTuloy } from "../harness.ts";
import { breakerOf, keysOf, post, question, setScene, untouched } from "../scene.ts";

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
