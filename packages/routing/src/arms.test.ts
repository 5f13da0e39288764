import type { AttemptRecord, FailureClass } from "@tuloy/contract";
import { describe, expect, it } from "vitest";

import { ArmComparison, isClear, type Comparison } from "./arms.ts";

function attempt(provider: string, changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    deployment: `${provider}/m`,
    provider,
    model: "m",
    upstream_model: "m",
    region: null,
    key: "key-1",
    kind: "first",
    trial: false,
    started_ms: 10,
    connected_ms: 11,
    first_token_ms: 110,
    ended_ms: 1110,
    status: 200,
    failure: null,
    reason: null,
    usage: { input_tokens: 10, cached_input_tokens: 0, output_tokens: 50, reasoning_tokens: 0, source: "provider" },
    cost_usd: 0.01,
    drill: null,
    ...changes,
  };
}

function planned(first: string, ...attempts: AttemptRecord[]): { candidates: string[]; attempts: AttemptRecord[] } {
  return { candidates: [`${first}/m`, "backup/m"], attempts };
}

function compareArms(traces: readonly Parameters<ArmComparison["add"]>[0][]): Comparison {
  const comparison = new ArmComparison();
  for (const trace of traces) comparison.add(trace);
  return comparison.result();
}

function failed(provider: string, failure: FailureClass): AttemptRecord {
  return attempt(provider, { failure, first_token_ms: null, usage: null, cost_usd: null });
}

describe("the arms of a route", () => {
  it("are what requests were sent to first, the one with most of them first", () => {
    const { arms, differences } = compareArms([
      planned("b", attempt("b")),
      planned("a", attempt("a")),
      planned("b", failed("b", "overloaded"), attempt("backup")),
    ]);
    expect(arms.map(({ arm, requests, errors }) => [arm, requests, errors])).toEqual([
      ["b/m", 2, 1],
      ["a/m", 1, 0],
    ]);
    expect(differences.map(({ arm, against }) => [arm, against])).toEqual([["a/m", "b/m"]]);
  });

  it("have times from the attempt's own start, tokens a second from the first content on, and the cost of an answer", () => {
    const { arms } = compareArms([planned("a", attempt("a")), planned("a", attempt("a"))]);
    expect(arms[0]).toMatchObject({
      firstTokenMs: { value: 100 },
      totalMs: { value: 1100 },
      tokensPerSecond: { value: 50 },
      costUsd: { value: 0.01 },
      totalCostUsd: 0.02,
    });
  });

  it("do not answer for a request's own fault, nor for a client that left", () => {
    const own = (["invalid_request", "context_length", "content_filter", "cancelled"] as const).map((failure) =>
      planned("a", failed("a", failure)),
    );
    const { arms } = compareArms([...own, planned("a", failed("a", "auth")), planned("a", attempt("a"))]);
    expect(arms[0]).toMatchObject({ requests: 6, setAside: 4, errors: 1, errorShare: { value: 0.5 } });
  });

  it("are not given the traffic of another arm's outage", () => {
    const { arms } = compareArms([planned("a", attempt("b")), planned("b", attempt("b"))]);
    expect(arms).toMatchObject([
      { arm: "b/m", requests: 1, passedOver: 0 },
      { arm: "a/m", requests: 0, passedOver: 1, errorShare: null, totalMs: null },
    ]);
  });

  it("include no request that was never sent", () => {
    expect(compareArms([{ candidates: [], attempts: [] }, planned("a")])).toEqual({ arms: [], differences: [] });
  });

  it("differ clearly only where the interval leaves out zero", () => {
    const slow = Array.from({ length: 40 }, (_, i) =>
      planned("b", attempt("b", { first_token_ms: 300 + (i % 7), ended_ms: 1110 + (i % 5) })),
    );
    const quick = Array.from({ length: 60 }, (_, i) =>
      planned("a", attempt("a", { first_token_ms: 110 + (i % 7), ended_ms: 1110 + (i % 5) })),
    );
    const [difference] = compareArms([...slow, ...quick]).differences;
    expect(difference).toMatchObject({ arm: "b/m", against: "a/m" });
    expect(difference?.firstTokenMs?.value).toBeCloseTo(190, -1);
    expect(difference?.firstTokenMs && isClear(difference.firstTokenMs)).toBe(true);
    expect(difference?.totalMs && isClear(difference.totalMs)).toBe(false);
    expect(difference?.errorShare && isClear(difference.errorShare)).toBe(false);
  });

  it("of a provider without a price have no cost", () => {
    const { arms } = compareArms([planned("a", attempt("a", { cost_usd: null }))]);
    expect(arms[0]).toMatchObject({ costUsd: null, totalCostUsd: null });
  });
});
