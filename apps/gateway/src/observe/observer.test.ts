import type { Alert, Trace } from "@tuloy/contract";
import type { Ledger } from "@tuloy/store";
import { FakeClock } from "@tuloy/testkit";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";

import { createLog, type LogLevel } from "./log.ts";
import { createObserver } from "./observer.ts";
import { aFailover, aLoss, anAttempt, aTrace } from "./sample-traces.ts";

const now = 1_763_870_000_000;

/** A stream that keeps what is written to it, as text. */
function recorder(isTTY: boolean) {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return { stdout: Object.assign(stream, { isTTY }), lines };
}

function observed(level: LogLevel = "info", ledger: Partial<Ledger> = {}) {
  const clock = new FakeClock(now);
  const { stdout, lines } = recorder(false);
  const traces: Trace[] = [];
  const alerts: Alert[] = [];
  const observer = createObserver({
    clock,
    log: createLog({ stdout, environment: {} }, level, clock),
    ledger: {
      append: (trace) => void traces.push(trace),
      alert: (alert) => void alerts.push(alert),
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
      stats: { accepted: 0, written: 0, dropped: 0, pending: 0, failing: false },
      ...ledger,
    },
  });
  const logged = (): unknown[] => lines.map((line): unknown => JSON.parse(line));
  return { observer, traces, alerts, lines, logged };
}

describe("a finished request", () => {
  it("is recorded, and not worth a line when it is an ordinary success", () => {
    const { observer, traces, lines } = observed();
    observer.finished(aTrace());
    expect(traces).toEqual([aTrace()]);
    expect(lines).toEqual([]);
  });

  it("gets a line when someone is debugging", () => {
    const { observer, logged } = observed("debug");
    observer.finished(aTrace());
    expect(logged()).toMatchObject([
      { level: "debug", event: "request_succeeded", msg: "gpt-4.1 succeeded in 921 ms" },
    ]);
  });

  it("gets one line when it failed over: from where, to where, why, and the time that it cost", () => {
    const { observer, logged } = observed();
    observer.finished(aFailover());
    expect(logged()).toEqual([
      {
        level: "warn",
        time: "2025-11-23T03:53:20.000Z",
        event: "failed_over",
        trace: "019ab0123456789abcdef0123456789a",
        route: "default",
        model: "gpt-4.1",
        from: "openai/gpt-4.1",
        to: "azure-eu/gpt-4.1@eu",
        class: "overloaded",
        code: null,
        status: 200,
        attempts: 2,
        added_ms: 241,
        duration_ms: 1000,
        msg: "gpt-4.1 failed over from openai/gpt-4.1 to azure-eu/gpt-4.1@eu (overloaded), 241 ms added",
      },
    ]);
  });

  it("gets one line when nobody answered, or the answer broke off", () => {
    const { observer, logged } = observed();
    observer.finished(aLoss());
    observer.finished(
      aTrace({ outcome: "broken", code: "stream_broken", attempts: [anAttempt({ failure: "reset" })] }),
    );
    expect(logged()).toMatchObject([
      {
        level: "warn",
        event: "request_failed",
        class: "overloaded",
        code: "upstream_failed",
        to: null,
        msg: "gpt-4.1 failed with upstream_failed, after 2 attempts",
      },
      {
        level: "warn",
        event: "request_broken",
        class: "reset",
        msg: "gpt-4.1 broke off with stream_broken, after 1 attempt",
      },
    ]);
  });

  it("is no warning when only the client was at fault", () => {
    const { observer, logged } = observed();
    observer.finished(aTrace({ outcome: "failed", status: 404, code: "model_not_found", attempts: [], model: null }));
    expect(logged()).toMatchObject([
      { level: "info", msg: "gpt-4.1 failed with model_not_found, no attempt was made" },
    ]);
  });

  it("says so of one that named no model", () => {
    const { observer, logged } = observed();
    const unread = { outcome: "failed", status: 400, code: "invalid_json", attempts: [] } as const;
    observer.finished(aTrace({ ...unread, model: null, requested_model: "" }));
    expect(logged()).toMatchObject([{ msg: "a request failed with invalid_json, no attempt was made" }]);
  });

  it("puts no provider's words into the log, since they may quote the prompt", () => {
    const { observer, lines } = observed("debug");
    const [first, second] = aLoss().attempts;
    if (first === undefined || second === undefined) throw new Error("the sample has two attempts");
    observer.finished(
      aLoss({ attempts: [{ ...first, reason: "canary" }, second], notes: ["canary"], tags: { canary: "canary" } }),
    );
    expect(lines).toHaveLength(1);
    expect(lines.join("")).not.toContain("canary");
  });

  it("is served whatever the ledger does", () => {
    const { observer, logged } = observed("info", {
      append: () => {
        throw new Error("no ledger");
      },
    });
    expect(() => observer.finished(aTrace())).not.toThrow();
    expect(logged()).toMatchObject([{ level: "error", event: "observer_failed", err: { message: "no ledger" } }]);
  });
});

describe("what an operator should know", () => {
  it("is an alert and a line: a failing deployment, and its recovery", () => {
    const { observer, alerts, logged } = observed();
    observer.breakerChanged("openai/gpt-4.1", { state: "open", openedAt: 0, until: 5, cause: "slow", reopened: 0 });
    observer.breakerChanged("openai/gpt-4.1", {
      state: "half_open",
      since: 5,
      cause: "slow",
      trialInFlight: false,
      trialSuccesses: 0,
    });
    observer.breakerChanged("openai/gpt-4.1", { state: "closed", consecutiveFailures: 0, lastFailureAt: null });
    expect(alerts).toEqual([
      {
        at: now,
        kind: "breaker_opened",
        subject: "openai/gpt-4.1",
        message: "openai/gpt-4.1 is failing (timeouts or stalls): requests go to its twins until it recovers.",
      },
      {
        at: now,
        kind: "breaker_closed",
        subject: "openai/gpt-4.1",
        message: "openai/gpt-4.1 has recovered: requests go to it again.",
      },
    ]);
    expect(logged()).toMatchObject([
      { level: "warn", event: "breaker_opened" },
      { level: "info", event: "breaker_closed" },
    ]);
  });

  it("is an alert and a line: a key that its provider refuses, and its return", () => {
    const { observer, alerts } = observed();
    observer.keyQuarantined("openai", "b");
    observer.keyRestored("openai", "b");
    expect(alerts.map(({ kind, subject }) => [kind, subject])).toEqual([
      ["provider_key_quarantined", "openai/b"],
      ["provider_key_restored", "openai/b"],
    ]);
  });

  it("is an alert when a changed configuration does not hold, and a line when it does", () => {
    const { observer, alerts, logged } = observed();
    const warnings = [{ file: "f", line: 2, column: 3, path: "providers.a.region", message: "is uk" }];
    observer.configEvent({ kind: "applied", version: "abc", needRestart: ["server.port"], warnings });
    expect(alerts).toEqual([]);
    observer.configEvent({ kind: "failed", message: "tuloy.yaml does not exist" });
    expect(alerts).toMatchObject([
      { kind: "config_rejected", message: expect.stringContaining("tuloy.yaml does not exist") },
    ]);
    expect(logged()).toMatchObject([
      { level: "info", msg: "the new configuration holds; a restart is needed for server.port" },
      { level: "warn", event: "config_warning", msg: "f:2:3 providers.a.region is uk" },
      { level: "warn", event: "config_rejected" },
    ]);
  });

  it("is a bug's stack under the trace id that the client was told", () => {
    const { observer, logged } = observed();
    observer.fault("abc", new Error("a bug"));
    expect(logged()).toMatchObject([
      { level: "error", trace: "abc", err: { message: "a bug", stack: expect.stringContaining("observer.test.ts") } },
    ]);
  });
});

describe("the log at a terminal", () => {
  const clock = new FakeClock(now);

  it("is one readable line each", () => {
    const { stdout, lines } = recorder(true);
    createLog({ stdout, environment: { NO_COLOR: "1" } }, "info", clock).warn(
      { event: "x", trace: "abc", to: null, attempts: 2 },
      "it failed over",
    );
    expect(lines).toEqual(["03:53:20 WARN  it failed over  trace=abc attempts=2\n"]);
  });

  it("has colours unless NO_COLOR is set", () => {
    const { stdout, lines } = recorder(true);
    createLog({ stdout, environment: {} }, "info", clock).warn("it failed over");
    expect(lines.join("")).toContain("\u001b[33mWARN \u001b[39m");
  });

  it("lets no name move the cursor or begin a line", () => {
    const { stdout, lines } = recorder(true);
    createLog({ stdout, environment: { NO_COLOR: "1" } }, "info", clock).warn({ model: "\u001b[2J\nx" }, "a\nb");
    expect(lines).toEqual(["03:53:20 WARN  a b  model= [2J x\n"]);
  });

  it("listens to TULOY_LOG_LEVEL when no level is given", () => {
    const { stdout, lines } = recorder(true);
    createLog({ stdout, environment: { TULOY_LOG_LEVEL: "error" } }, undefined, clock).warn("quiet");
    createLog({ stdout, environment: { TULOY_LOG_LEVEL: "nonsense" } }, undefined, clock).warn("heard");
    expect(lines).toHaveLength(1);
  });
});

describe("a probe", () => {
  const up = { up: true, firstTokenMs: 80.4, failure: null } as const;
  const down = { up: false, firstTokenMs: null, failure: "refused" } as const;

  it("gets a line when its deployment goes down or comes back, and no record", () => {
    const { observer, alerts, traces, logged } = observed();
    observer.probed("b/m", up, false);
    observer.probed("b/m", down, true);
    observer.probed("b/m", down, false);
    observer.probed("b/m", up, true);
    expect(logged()).toMatchObject([
      { level: "warn", event: "probe_failed", deployment: "b/m", class: "refused" },
      { level: "info", event: "probe_answered", deployment: "b/m", ms: 80 },
    ]);
    expect([...alerts, ...traces]).toEqual([]);
  });

  it("always gets one when someone is debugging", () => {
    const { observer, logged } = observed("debug");
    observer.probed("b/m", up, false);
    expect(logged()).toMatchObject([{ level: "debug", msg: "b/m was probed" }]);
  });
});
