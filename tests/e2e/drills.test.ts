import type { DrillView, Trace } from "@tuloy/contract";
import { answersChat, answersError, eventually, FakeClock } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { faultNames } from "../../apps/gateway/src/sandbox/faults.ts";
import { control, refusal, startDrill } from "../control.ts";
import { apiKey, model, type TestGateway } from "../harness.ts";
import { breakerOf, hearStream, post, question, setScene } from "../scene.ts";

const stagingKey = "staging-key-of-sixteen-characters-and-more";
const keys = [`{ name: stage, value: ${stagingKey}, environment: staging, workspace: search }`];
const asStaging = { headers: { authorization: `Bearer ${stagingKey}` } };
const fromA = "From A, in several words.";
const fromB = "From B.";

async function drillsOf(gateway: TestGateway): Promise<readonly DrillView[]> {
  return ((await control(gateway, "GET", "/drills")).json() as { drills: DrillView[] }).drills;
}

/** The text that the official SDK gets. */
async function hear(gateway: TestGateway, key: string, headers: Record<string, string> = {}): Promise<string> {
  const { text, error } = await hearStream(gateway.client({ apiKey: key, headers }));
  if (error !== null) throw error;
  return text;
}

describe("a drill", () => {
  test("lets a provider fail for staging, while production is served by it and learns nothing of it", async () => {
    const { a, b, gateway } = await setScene({ a: answersChat(fromA), b: answersChat(fromB) }, { keys });
    const drill = await startDrill(gateway, { provider: "a", fault: "503", scope: { environment: "staging" } });
    for (let round = 0; round < 8; round++) {
      const answers = await Promise.all([hear(gateway, stagingKey), hear(gateway, apiKey)]);
      expect(answers).toEqual([fromB, fromA]);
    }
    expect(a.requests).toHaveLength(8);
    expect(b.requests).toHaveLength(8);
    // The drill shows what an outage would do: its own breaker opens, and spares the provider from then on.
    expect(await drillsOf(gateway)).toMatchObject([{ id: drill.id, requests: 8, calls: 5, ended_at: null }]);
    const shared = breakerOf(gateway, "a").view(performance.now());
    expect(shared).toMatchObject({ state: "closed", consecutiveFailures: 0, lastFailureAt: null });

    await gateway.lastTrace(16);
    const traces = await gateway.traces();
    const staged = traces.filter(({ environment }) => environment === "staging");
    expect(staged.map((trace) => trace.drill)).toEqual(Array(8).fill(drill.id));
    expect(traces.filter(({ environment }) => environment === "production").map((trace) => trace.drill)).toEqual(
      Array(8).fill(null),
    );
    const first = staged.at(-1);
    expect(first?.attempts.map(({ deployment, failure, drill: by }) => [deployment, failure, by])).toEqual([
      [`a/${model}`, "overloaded", drill.id],
      [`b/${model}`, null, null],
    ]);
    expect(staged[0]?.exclusions).toMatchObject([{ deployment: `a/${model}`, reason: "breaker_open" }]);
    expect((await gateway.alerts()).map(({ kind }) => kind)).toEqual(["drill_started"]);
  });

  test("ends by itself, and lets go what it holds up then", async () => {
    const clock = new FakeClock();
    const { a, gateway } = await setScene({ a: answersChat(fromA), b: answersChat(fromB) }, { keys, clock });
    const drill = await startDrill(gateway, { provider: "a", fault: "hang", for: "5s" });
    const held = hear(gateway, stagingKey);
    await eventually(async () => (await drillsOf(gateway))[0]?.calls === 1, "a call that hangs");
    clock.advance(4999);
    expect(a.requests).toHaveLength(0);
    clock.advance(1);
    expect(await held).toBe(fromB);
    expect(await hear(gateway, stagingKey)).toBe(fromA);
    expect(await drillsOf(gateway)).toMatchObject([{ id: drill.id, ended_because: "time", requests: 1 }]);
    await clock.pass(200);
    const trace = await gateway.lastTrace(2);
    expect(trace.drill).toBeNull();
    expect((await gateway.traces())[1]?.attempts[0]).toMatchObject({ failure: "reset", drill: drill.id });
  });

  test("is over when it is stopped, and with it what it would still do to a stream", async () => {
    const { gateway } = await setScene({ a: answersChat(fromA), b: answersChat(fromB) }, { keys });
    const { id } = await startDrill(gateway, { provider: "a", fault: "refuse" });
    expect(await hear(gateway, stagingKey)).toBe(fromB);
    const stopped = await control(gateway, "DELETE", `/drills/${id}`);
    expect(stopped.json()).toMatchObject({ id, ended_because: "stopped", requests: 1, calls: 1 });
    expect(await hear(gateway, stagingKey)).toBe(fromA);
    // Stopping twice is no mistake: whoever stops it wants it over.
    expect((await control(gateway, "DELETE", `/drills/${id}`)).json()).toEqual(stopped.json());
  });

  test("does not touch production unless that is said as such, whatever its scope is", async () => {
    const { a, gateway } = await setScene({ a: answersChat(fromA), b: answersChat(fromB) }, { keys });
    const order = { provider: "a", fault: "503" };
    for (const scope of [{}, { key: "app" }, { workspace: "default" }, { tags: { team: "x" } }]) {
      const { id } = await startDrill(gateway, { ...order, scope });
      expect(await hear(gateway, apiKey, { "x-tuloy-tags": "team=x" })).toBe(fromA);
      await control(gateway, "DELETE", `/drills/${id}`);
    }
    expect(a.requests).toHaveLength(4);
    const refused = await control(gateway, "POST", "/drills", { ...order, scope: { environment: "production" } });
    expect(refusal(refused)).toMatchObject({ status: 400, code: "production_excluded" });
    expect(refusal(refused).message).toContain("--include-production");

    const scope = { environment: "production" };
    await startDrill(gateway, { ...order, scope, include_production: true });
    expect(await hear(gateway, apiKey)).toBe(fromB);
    expect(await hear(gateway, stagingKey)).toBe(fromA);
  });

  test("touches only requests for which all its conditions hold", async () => {
    const { gateway } = await setScene({ a: answersChat(fromA), b: answersChat(fromB) }, { keys });
    const scope = { workspace: "search", key: "stage", tags: { team: "x", tier: "1" } };
    await startDrill(gateway, { provider: "a", model, fault: "503", scope });
    expect(await hear(gateway, stagingKey)).toBe(fromA);
    expect(await hear(gateway, stagingKey, { "x-tuloy-tags": "team=x" })).toBe(fromA);
    expect(await hear(gateway, stagingKey, { "x-tuloy-tags": "team=x,tier=2" })).toBe(fromA);
    expect(await hear(gateway, stagingKey, { "x-tuloy-tags": "tier=1,more=1,team=x" })).toBe(fromB);
  });

  test("goes with others: each strikes its target, and a request runs with the state of the first", async () => {
    const { a, b, gateway } = await setScene(
      { a: answersChat(fromA), b: answersChat(fromB), c: answersChat("From C.") },
      { keys },
    );
    const first = await startDrill(gateway, { provider: "a", fault: "503" });
    const second = await startDrill(gateway, { provider: "b", fault: "500", scope: { environment: "staging" } });
    const third = await startDrill(gateway, { provider: "a", fault: "429" });
    expect(await hear(gateway, stagingKey)).toBe("From C.");
    expect([a.requests.length, b.requests.length]).toEqual([0, 0]);
    const trace = await gateway.lastTrace();
    expect(trace.drill).toBe(first.id);
    expect(trace.attempts.map(({ failure, drill }) => [failure, drill])).toEqual([
      ["overloaded", first.id],
      ["server_error", second.id],
      [null, null],
    ]);
    expect((await drillsOf(gateway)).map(({ id, calls }) => [id, calls])).toEqual([
      [first.id, 1],
      [second.id, 1],
      [third.id, 0],
    ]);
  });

  test("leaves a key alone that its fault would have put into quarantine", async () => {
    const { a, gateway } = await setScene({ a: answersChat(fromA), b: answersChat(fromB) }, { keys });
    await startDrill(gateway, { provider: "a", fault: "401" });
    expect(await hear(gateway, stagingKey)).toBe(fromB);
    expect(gateway.launched.health.keyPool("a").why(`a/${model}`, performance.now())).toBe("");
    expect(await hear(gateway, apiKey)).toBe(fromA);
    expect(a.requests).toHaveLength(1);
    expect((await gateway.alerts()).filter(({ kind }) => kind === "provider_key_quarantined")).toEqual([]);
  });

  test("takes an isolated deployment for what it is", async () => {
    const { gateway } = await setScene(
      { a: answersChat(fromA), b: answersChat(fromB), c: answersChat("From C.") },
      { keys },
    );
    await startDrill(gateway, { provider: "a", fault: "503" });
    await control(gateway, "POST", "/deployments/isolate", { target: "b" });
    expect(await hear(gateway, stagingKey)).toBe("From C.");
    expect((await gateway.lastTrace()).exclusions).toMatchObject([{ deployment: `b/${model}`, reason: "isolated" }]);
  });

  test("leaves what a provider really says in error as it is", async () => {
    const { gateway } = await setScene({ a: answersError(503, null, "busy"), b: answersChat(fromB) }, { keys });
    await startDrill(gateway, { provider: "a", fault: "cut:2" });
    expect(await hear(gateway, stagingKey)).toBe(fromB);
    expect((await gateway.lastTrace()).attempts[0]).toMatchObject({ failure: "overloaded", status: 503 });
  });
});

/** What each fault of the simulated provider is taken for, as a stream and as JSON; null: the answer is good. */
const takenFor: Readonly<Record<string, readonly [stream: string | null, json: string | null]>> = {
  refuse: ["refused", "refused"],
  reset: ["reset", "reset"],
  hang: ["first_token_timeout", "first_token_timeout"],
  "headers-then-silence": ["first_token_timeout", "first_token_timeout"],
  comments: ["first_token_timeout", "first_token_timeout"],
  "slow-first-token": ["first_token_timeout", "first_token_timeout"],
  stall: ["stall", "first_token_timeout"],
  cut: ["truncated", "reset"],
  truncate: ["truncated", "garbled"],
  malformed: [null, "garbled"],
  "no-done": [null, null],
  empty: ["empty", "empty"],
  html: ["garbled", "garbled"],
  "error-event": ["server_error", "server_error"],
  "500": ["server_error", "server_error"],
  "503": ["overloaded", "overloaded"],
  "529": ["overloaded", "overloaded"],
  "429": ["rate_limited", "rate_limited"],
  quota: ["quota_exhausted", "quota_exhausted"],
  "401": ["auth", "auth"],
  "403": ["auth", "auth"],
  "404": ["model_missing", "model_missing"],
};
/** These let the real answer begin; for the others nothing is sent to the provider. */
const disturbing = new Set(["slow-first-token", "stall", "cut", "truncate", "malformed", "no-done"]);

describe("every fault of the simulated provider can be laid over a real one's traffic:", () => {
  test("all of them are here", () => {
    expect(Object.keys(takenFor).sort()).toEqual([...faultNames].sort());
  });

  const failover = "first_token: 300ms, answer: 300ms, stall: 300ms, on_partial: error";

  test.each(Object.entries(takenFor))("%s", async (fault, [stream, json]) => {
    const { a, gateway } = await setScene({ a: answersChat(fromA), b: answersChat(fromB) }, { keys, failover });
    const text = "tokens" === parameterOf(fault) ? `${fault}:2` : fault;
    const drill = await startDrill(gateway, { provider: "a", fault: text });

    const heard = await hearStream(gateway.client({ apiKey: stagingKey }));
    check(await gateway.lastTrace(1), stream, drill.id);
    expect([fromB, ...(disturbing.has(fault) ? ["From A,", fromA] : [])]).toContain(heard.text);

    // The state of the one before (a key in quarantine) is the drill's: another drill begins anew.
    await control(gateway, "DELETE", `/drills/${drill.id}`);
    const again = await startDrill(gateway, { provider: "a", fault: text });
    const answer = await post(gateway, { ...question }, asStaging);
    expect(answer.status).toBe(200);
    check(await gateway.lastTrace(2), json, again.id);
    expect(a.requests).toHaveLength(disturbing.has(fault) ? 2 : 0);
  });

  function check(trace: Trace, failure: string | null, drill: string): void {
    expect(trace.attempts[0]).toMatchObject({ provider: "a", failure, drill });
  }
});

function parameterOf(fault: string): "tokens" | null {
  return ["stall", "cut", "truncate", "malformed"].includes(fault) ? "tokens" : null;
}

describe("a spoiled stream", () => {
  const spoken = "one two three four";

  test("breaks after so many events with content of the real answer", async () => {
    const { gateway } = await setScene({ a: answersChat(spoken) }, { keys, failover: "on_partial: error" });
    await startDrill(gateway, { provider: "a", fault: "cut:3" });
    const { text, error } = await hearStream(gateway.client({ apiKey: stagingKey }));
    expect(text).toBe("one two three");
    expect(error).toBeInstanceOf(Error);
  });

  test("breaks before its end when it has fewer", async () => {
    const { gateway } = await setScene({ a: answersChat(spoken) }, { keys, failover: "on_partial: error" });
    await startDrill(gateway, { provider: "a", fault: "truncate:99" });
    const { text, error } = await hearStream(gateway.client({ apiKey: stagingKey }));
    expect(text).toBe(spoken);
    expect(error).toBeInstanceOf(Error);
  });

  test("loses no content to a malformed event", async () => {
    const { gateway } = await setScene({ a: answersChat(spoken) }, { keys });
    await startDrill(gateway, { provider: "a", fault: "malformed:2" });
    expect(await hear(gateway, stagingKey)).toBe(spoken);
    expect((await gateway.lastTrace()).notes.join()).toMatch(/event/);
  });

  test("comes late, and whole, when only its first token is slow", async () => {
    const { gateway } = await setScene({ a: answersChat(spoken), b: answersChat(fromB) }, { keys });
    await startDrill(gateway, { provider: "a", fault: "slow-first-token:200" });
    expect(await hear(gateway, stagingKey)).toBe(spoken);
    expect((await gateway.lastTrace()).first_token_ms).toBeGreaterThanOrEqual(200);
  });
});
