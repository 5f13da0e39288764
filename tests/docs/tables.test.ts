import { globSync, readFileSync } from "node:fs";

import { alertKinds, controlErrors, errorCodes, failureClasses, parseDuration } from "@tuloy/contract";
import type { BreakerSettings, FailoverSettings, FailureClass } from "@tuloy/contract";
import { describe, expect, test } from "vitest";

import { faultNames, parseFault, sandboxFaults } from "../../apps/gateway/src/sandbox/faults.ts";
import { layingOf } from "../../apps/gateway/src/upstream/drills/laying.ts";
import { failoverPreset, failureEffects, keyEffect } from "../../packages/routing/src/index.ts";
import type { BreakerEffect, KeyEffect, NextStep } from "../../packages/routing/src/index.ts";
import { checkout, codeOf, page, prose, table } from "./markdown.ts";

const failover = page("docs/failover.md");
const http = page("docs/http.md");
const operations = page("docs/operations.md");

describe("the failure classes of docs/failover.md", () => {
  /** What the page calls each step, each count and each effect. */
  const steps: Readonly<Record<NextStep, string>> = {
    next: "**next**",
    next_or_retry: "**next, or again**",
    larger_window: "**larger window**",
    surface_if_primary: "**primary decides**",
    once_elsewhere: "**once elsewhere**",
    stop: "**stop**",
  };
  const counts: Readonly<Record<BreakerEffect, string>> = {
    failure: "failure",
    slow_failure: "slow failure",
    soft: "half a failure",
    none: "–",
  };
  const effects: Readonly<Record<KeyEffect, string>> = {
    none: "–",
    cool: "cools",
    wait: "cools for the Retry-After",
    throttle: "cools, takes fewer calls at a time",
    quarantine: "quarantine",
    disable: "disabled for this deployment",
  };
  /** It comes only after the commit, where no step is left. */
  const afterTheCommit: ReadonlySet<FailureClass> = new Set(["stall"]);
  const rows = new Map(
    table(failover, "class", "what was seen").map(([name = "", ...row]) => [codeOf(name)[0] ?? "", row]),
  );

  test("are those of the code, in its order", () => {
    expect([...rows.keys()]).toEqual(failureClasses);
  });

  test.each(failureClasses)("%s does what the page says", (failureClass) => {
    const [, step = "", count, effect] = rows.get(failureClass) ?? [];
    const { next, breaker, siblingFirst } = failureEffects[failureClass];
    expect(step).toContain(afterTheCommit.has(failureClass) ? "error event" : steps[next]);
    expect(step.startsWith("another key, then")).toBe(siblingFirst);
    expect(count).toBe(counts[breaker]);
    const failure = { class: failureClass, reason: "", status: null, code: null, retryAfterMs: null } as const;
    expect(effect).toBe(
      failureClass === "auth"
        ? `401: ${effects[keyEffect({ ...failure, auth: "rejected" })]}; 403: ${effects[keyEffect({ ...failure, auth: "forbidden" })]}`
        : effects[keyEffect(failure)],
    );
  });

  test("every step that the table names is explained", () => {
    for (const step of Object.values(steps)) expect(prose(failover).split(step).length).toBeGreaterThan(2);
  });
});

describe("the presets of docs/failover.md", () => {
  const names = ["patient", "balanced", "eager"] as const;
  const values: Readonly<Record<string, (settings: FailoverSettings) => number | string>> = {
    attempts: ({ attempts }) => attempts,
    first_token: ({ firstTokenMs }) => firstTokenMs,
    stall: ({ stallMs }) => stallMs,
    patience: ({ patienceMs }) => patienceMs,
    deadline: ({ deadlineMs }) => deadlineMs,
    connect: ({ connectMs }) => connectMs,
    answer: ({ answerMs }) => answerMs,
    progress: ({ progressMs }) => progressMs,
    hedge: ({ hedge }) => hedge ?? "off",
    ...breakerValues({
      "breaker.failures": ({ failures }) => failures,
      "breaker.rate": ({ rate }) => rate,
      "breaker.of": ({ of }) => of,
      "breaker.window": ({ windowMs }) => windowMs,
      "breaker.open": ({ openMs }) => openMs,
      "breaker.open_max": ({ openMaxMs }) => openMaxMs,
    }),
  };
  const rows = new Map(table(failover, "field", ...names).map(([name = "", ...row]) => [codeOf(name)[0] ?? "", row]));

  test("are all there, each with a reason", () => {
    expect([...rows.keys()]).toEqual(Object.keys(values));
    for (const row of rows.values()) expect(row[names.length]).toMatch(/\w/);
  });

  test.each(Object.entries(values))("%s is what the code sets", (field, valueOf) => {
    const written = (rows.get(field) ?? [])
      .slice(0, names.length)
      .map((cell) => parseDuration(cell) ?? (/^\d/.test(cell) ? Number(cell) : cell));
    expect(written).toEqual(names.map((name) => valueOf(failoverPreset(name))));
  });

  test("only eager races, as the page says", () => {
    expect(names.filter((name) => failoverPreset(name).onLimit === "race")).toEqual(["eager"]);
    expect(prose(failover)).toContain("`eager` **races**");
  });
});

function breakerValues(
  values: Readonly<Record<string, (settings: BreakerSettings) => number>>,
): Record<string, (settings: FailoverSettings) => number> {
  return Object.fromEntries(
    Object.entries(values).map(([name, valueOf]) => [name, ({ breaker }: FailoverSettings) => valueOf(breaker)]),
  );
}

test("the headers of docs/http.md are those that the code reads and sends", () => {
  const named = (text: string): string[] => [...new Set(text.match(/\bx-(?:tuloy|should)-[a-z-]+/g))].sort();
  const sources = globSync("apps/gateway/src/{relay,http,idempotency}/*.ts", { cwd: checkout });
  const code = sources
    .filter((name) => !name.endsWith(".test.ts"))
    .map((name) => readFileSync(`${checkout}${name}`, "utf8"));
  expect(named(http.text)).toEqual(named(code.join("\n")));
});

test("the error codes of docs/http.md are those of the code, with status and type", () => {
  const written = table(http, "code", "status", "type").map(([code = "", status, type = ""]) => [
    codeOf(code)[0],
    { status: Number(status), type: codeOf(type)[0] },
  ]);
  expect(written).toEqual(Object.entries(errorCodes));
});

test("the control plane's errors in docs/http.md are those of the code, with status", () => {
  const written = table(http, "control code", "status").map(([code = "", status]) => [codeOf(code)[0], Number(status)]);
  expect(written).toEqual(Object.entries(controlErrors));
});

test("the faults of docs/drills.md are all there are, and say truly whether the provider is called", () => {
  const written = table(page("docs/drills.md"), "fault").flatMap(([faults = "", called]) =>
    codeOf(faults).map((text) => ({ text, called: called === "yes" })),
  );
  const faults = written.map(({ text }) => parseFault(text));
  expect(faults.map((fault) => String(fault?.name)).sort()).toEqual([...faultNames].sort());
  for (const [index, fault] of faults.entries()) {
    expect(fault && "disturbs" in layingOf(fault)).toBe(written[index]?.called);
  }
});

test("the alerts of docs/operations.md are those of the code", () => {
  expect(table(operations, "alert").map(([alert = ""]) => codeOf(alert)[0])).toEqual(alertKinds);
});

test("the faults of docs/operations.md are those that a prompt can ask for", () => {
  const [sentence = ""] = /^Faults: [^]*?\.$/m.exec(operations.text) ?? [];
  // One request cannot have the absence of a server.
  const askable = Object.keys(sandboxFaults).filter((name) => name !== "refuse");
  expect(codeOf(sentence).sort()).toEqual(askable.sort());
});
