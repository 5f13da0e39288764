import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { answersChat, answersError, eventually, FakeClock } from "@tuloy/testkit";
import { failoverPreset, healthView } from "@tuloy/routing";
import { createLog, launch } from "tuloy";
import { describe, expect, onTestFinished, test } from "vitest";

import { model } from "../harness.ts";
import type { TestGateway } from "../harness.ts";
import { breakerOf, post, setScene } from "../scene.ts";

const minute = 60_000;
const often = "every: 1m, jitter: 0";

/** What a provider's probes did today. */
function probesOf(gateway: TestGateway, provider: string, clock: FakeClock) {
  return gateway.launched.health.probeBudget(provider).view(clock.wall());
}

function health(gateway: TestGateway, provider: string, clock: FakeClock) {
  const { config, health } = gateway.launched;
  const deployments = config.current.models.get(model)?.deployments ?? [];
  const found = healthView(health, deployments, clock.now(), clock.wall());
  return found.deployments.find((each) => each.provider === provider);
}

/** Lets time pass, and waits until the probe that fell due in it has been answered. */
async function passUntilProbed(gateway: TestGateway, provider: string, clock: FakeClock, ms = minute): Promise<void> {
  clock.advance(ms);
  await eventually(() => (health(gateway, provider, clock)?.probe?.agoMs ?? Infinity) <= 500, "the probe's end");
}

describe("a probe of an idle deployment", () => {
  test("is the smallest real request, and keeps what is known of a backup fresh", async () => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene(
      { a: answersChat("From A."), b: answersChat("ok", { usage: [8, 1] }) },
      { clock, providers: { b: { probes: often } } },
    );
    expect(health(gateway, "b", clock)).toMatchObject({ up: null, probe: null });
    clock.advance(minute - 1);
    expect(b.requests).toHaveLength(0);
    await passUntilProbed(gateway, "b", clock, 501);
    expect(b.requests[0]?.json()).toEqual({
      model: `b-${model}`,
      messages: [{ role: "user", content: "Hi" }],
      max_tokens: 1,
    });
    expect(b.requests[0]?.headers["authorization"]).toBe("Bearer sk-b-secret-key");
    expect(health(gateway, "b", clock)).toMatchObject({ up: true, probe: { up: true, failure: null } });
    // What the strategy `latency` goes by is fresh too.
    expect(gateway.launched.health.pace("b/model-x").firstToken.ms).not.toBeNull();
    // 8 tokens in for 1 USD a million, and 1 out for 2.
    expect(probesOf(gateway, "b", clock)).toEqual({ spentUsd: expect.closeTo(10e-6, 9), sent: 1, exhausted: false });
    expect(await gateway.traces()).toEqual([]);
    expect(a.requests).toHaveLength(0);
  });

  test("finds a dead backup before a user does: its breaker opens, and closes again when it is back", async () => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene(
      { a: answersChat("From A."), b: answersError(500, null, "Down.") },
      { clock, providers: { b: { probes: often } } },
    );
    await passUntilProbed(gateway, "b", clock);
    for (let probe = 2; probe <= 5; probe++) await passUntilProbed(gateway, "b", clock, 6000);
    expect(b.requests).toHaveLength(5);
    expect(breakerOf(gateway, "b").view(clock.now())).toMatchObject({ state: "open", cause: "fast" });
    // Once: with each further step the next probe would come nearer, and find B down again.
    clock.advance(100);
    const alerts = await eventually(async () => {
      const found = await gateway.alerts();
      return found.length > 0 ? found : null;
    }, "an alert");
    expect(alerts).toMatchObject([{ kind: "breaker_opened", subject: "b/model-x" }]);
    b.script(answersChat("ok"));
    for (let probe = 0; probe < 3; probe++) await passUntilProbed(gateway, "b", clock, 7000);
    expect(breakerOf(gateway, "b").view(clock.now()).state).toBe("closed");
    expect(health(gateway, "b", clock)).toMatchObject({ up: true });
    expect(a.requests).toHaveLength(0);
  });

  test("is not sent where traffic goes", async () => {
    const clock = new FakeClock();
    const { a, gateway } = await setScene(
      { a: answersChat("From A.") },
      { clock, providers: { a: { probes: often } } },
    );
    for (let half = 0; half < 6; half++) {
      clock.advance(minute / 2);
      expect((await post(gateway)).status).toBe(200);
    }
    expect(a.requests).toHaveLength(6);
    expect(probesOf(gateway, "a", clock).sent).toBe(0);
  });

  test("runs alone: while one is under way no other is sent, and it ends with the gateway", async () => {
    const clock = new FakeClock();
    const { a, gateway } = await setScene(
      { a: (reply) => reply.silence() },
      { clock, providers: { a: { probes: "every: 1s, jitter: 0" } }, failover: "first_token: 30s" },
    );
    clock.advance(1000);
    await a.received(0);
    for (let second = 0; second < 20; second++) clock.advance(1000);
    expect(a.requests).toHaveLength(1);
    await gateway.launched.close(0);
    await a.closed(0);
    clock.advance(10 * minute);
    expect(a.requests).toHaveLength(1);
  });

  test("with a revoked key quarantines that key as a request would, and says nothing of the deployment", async () => {
    const clock = new FakeClock();
    const { gateway } = await setScene(
      { a: answersError(401, "invalid_api_key", "Incorrect API key provided.") },
      { clock, providers: { a: { probes: often } } },
    );
    await passUntilProbed(gateway, "a", clock);
    expect(health(gateway, "a", clock)).toMatchObject({
      up: null,
      probe: { up: null, failure: "auth" },
      breaker: { state: "closed", consecutiveFailures: 0 },
      keys: [{ name: "key-1", obstacle: "quarantined for 60 s" }],
    });
    clock.advance(59_000);
    expect(probesOf(gateway, "a", clock).sent).toBe(1);
  });

  test("is for a server that answers the question with a fault of the question a sign of life", async () => {
    const clock = new FakeClock();
    const { gateway } = await setScene(
      { a: answersError(400, null, "max_tokens is too small.") },
      { clock, providers: { a: { probes: often } } },
    );
    await passUntilProbed(gateway, "a", clock);
    expect(health(gateway, "a", clock)).toMatchObject({ up: true, breaker: { consecutiveFailures: 0 } });
  });
});

describe("the daily cost of probes", () => {
  test("stops them when it is spent, says so once, and lets them go on the next day", async () => {
    const clock = new FakeClock(20 * 24 * 60 * minute - 5 * minute);
    const { a, gateway } = await setScene(
      { a: answersChat("ok", { usage: [20, 10] }) },
      // 32 tokens in for 1 USD a million and 16 out for 2 are reckoned with, 40 millionths come of it: two fit.
      { clock, providers: { a: { probes: `${often}, daily_cost: 0.00011` } } },
    );
    for (let probe = 0; probe < 2; probe++) await passUntilProbed(gateway, "a", clock);
    clock.advance(3 * minute - 500);
    expect(a.requests).toHaveLength(2);
    const { spentUsd, sent, exhausted } = probesOf(gateway, "a", clock);
    expect([sent, exhausted, spentUsd <= 0.00011]).toEqual([2, true, true]);
    const alerts = await eventually(async () => {
      const found = await gateway.alerts();
      return found.length > 0 ? found : null;
    }, "an alert");
    expect(alerts).toMatchObject([{ kind: "probe_budget_spent", subject: "a" }]);
    await passUntilProbed(gateway, "a", clock, 500);
    expect(a.requests).toHaveLength(3);
  });

  test("does not concern what costs nothing", async () => {
    const clock = new FakeClock();
    const { a, gateway } = await setScene(
      { a: answersChat("ok") },
      { clock, providers: { a: { probes: `${often}, daily_cost: 0`, price: "{ input: 0, output: 0 }" } } },
    );
    for (let probe = 0; probe < 3; probe++) await passUntilProbed(gateway, "a", clock);
    expect(a.requests).toHaveLength(3);
  });
});

describe("probes that are limited to backups", () => {
  const backups: Record<string, { probes: string }> = Object.fromEntries(
    ["a", "b"].map((name) => [name, { probes: `${often}, targets: backups` }]),
  );

  test("are sent to the twin of what has traffic, and to nothing that nobody asks for", async () => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene(
      { a: answersChat("A."), b: answersChat("B.") },
      { clock, providers: backups },
    );
    clock.advance(10 * minute);
    expect([a.requests.length, b.requests.length]).toEqual([0, 0]);
    await post(gateway);
    await passUntilProbed(gateway, "b", clock, 500);
    for (let probe = 0; probe < 2; probe++) await passUntilProbed(gateway, "b", clock);
    expect([a.requests.length, b.requests.length]).toEqual([1, 3]);
  });

  test("go to the primary when its twin took over", async () => {
    const clock = new FakeClock();
    const { a, b, gateway } = await setScene(
      { a: answersError(503, null, "Busy."), b: answersChat("B.") },
      { clock, providers: backups },
    );
    await post(gateway);
    a.script(answersChat("A again."));
    await passUntilProbed(gateway, "a", clock);
    expect(health(gateway, "a", clock)).toMatchObject({ up: true, breaker: { consecutiveFailures: 0 } });
    expect(b.requests).toHaveLength(1);
  });
});

describe("probes that are switched off", () => {
  test("are never sent, not even when the breaker is half-open after slow failures", async () => {
    const clock = new FakeClock();
    const { a, gateway } = await setScene(
      { a: answersChat("A.") },
      { clock, providers: { a: { probes: "every: off" } } },
    );
    const { breaker } = failoverPreset("balanced");
    for (let times = 0; times < 5; times++) breakerOf(gateway, "a").fail(breaker, clock.now(), { slow: true });
    clock.advance(60 * minute);
    expect(breakerOf(gateway, "a").view(clock.now())).toMatchObject({ state: "half_open", cause: "slow" });
    expect(a.requests).toHaveLength(0);
    // A deployment must not stay out for ever: in the end a request is the trial.
    expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("a");
  });
});

describe("the probes of a changed configuration", () => {
  test("hold at once: switched on, and off again", async () => {
    const clock = new FakeClock();
    const { a, gateway } = await setScene(
      { a: answersChat("ok") },
      { clock, providers: { a: { probes: "every: off, jitter: 0" } } },
    );
    const { config } = gateway.launched;
    const before = config.current;
    clock.advance(10 * minute);
    const on = new Map(
      [...before.providers].map(([name, provider]) => [
        name,
        { ...provider, probes: { ...provider.probes, everyMs: minute } },
      ]),
    );
    config.replace({ ...before, providers: on });
    await passUntilProbed(gateway, "a", clock);
    expect(a.requests).toHaveLength(1);
    config.replace(before);
    clock.advance(10 * minute);
    expect(a.requests).toHaveLength(1);
  });
});

test("a simulated provider is probed like any other", async () => {
  const clock = new FakeClock();
  const dataDir = await mkdtemp(join(tmpdir(), "tuloy-test-"));
  const launched = await launch({
    source: {
      kind: "defaults",
      name: "test.yaml",
      text: `providers: { sim: { kind: sandbox, probes: { ${often} }, sandbox: { first_token: 0s } } }`,
    },
    environment: {},
    directory: dataDir,
    overrides: { port: 0, dataDir },
    clock,
    random: () => 0.5,
    log: createLog({ stdout: process.stdout, environment: {} }, "silent"),
  });
  onTestFinished(async () => {
    await launched.close(0);
    await rm(dataDir, { recursive: true, force: true });
  });
  const seen = () => {
    const deployments = [...launched.config.current.models.values()].flatMap(({ deployments }) => deployments);
    return healthView(launched.health, deployments, clock.now(), clock.wall()).deployments;
  };
  clock.advance(minute);
  await eventually(async () => {
    await clock.pass(5);
    return seen().every(({ up }) => up !== null);
  }, "all probes");
  expect(seen().map(({ up, probe }) => [up, probe?.failure])).toEqual([1, 2, 3].map(() => [true, null]));
  await launched.sandboxes.get("sim")?.setFault("503");
  clock.advance(minute);
  await eventually(async () => {
    await clock.pass(5);
    return seen().every(({ up }) => up === false);
  }, "all probes");
  expect(seen().map(({ probe }) => probe?.failure)).toEqual(Array(3).fill("overloaded"));
});
