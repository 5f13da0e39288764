import type { Capability } from "@tuloy/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { deployment } from "./fixtures.test-data.ts";
import { makePlan } from "./plan.ts";
import type { PlanInput } from "./plan.ts";

const a = deployment("a");
const b = deployment("b");
const c = deployment("c");

function input(fields: Partial<PlanInput> = {}): PlanInput {
  return {
    deployments: [a, b, c],
    providers: null,
    lock: null,
    noFailover: false,
    capabilities: [],
    tokens: 100,
    parameterUse: { parameters: [], stops: 0 },
    requireParameters: false,
    ...fields,
  };
}

const ids = (fields: Partial<PlanInput>) => makePlan(input(fields)).candidates.map(({ id }) => id);
const reasons = (fields: Partial<PlanInput>) =>
  makePlan(input(fields)).exclusions.map(({ deployment, reason }) => `${deployment}: ${reason}`);

describe("a plan", () => {
  it("is the model's own list, not a copy, when nothing stands against any of it", () => {
    const deployments = [a, b, c];
    expect(makePlan(input({ deployments })).candidates).toBe(deployments);
  });

  it("follows the route's providers and says who is not among them", () => {
    expect(ids({ providers: ["c", "a"] })).toEqual(["c/m", "a/m"]);
    expect(reasons({ providers: ["c", "a"] })).toEqual(["b/m: not_in_route"]);
  });

  it("keeps a lock", () => {
    expect(ids({ lock: "b" })).toEqual(["b/m"]);
    expect(reasons({ lock: "b" })).toEqual(["a/m: locked_elsewhere", "c/m: locked_elsewhere"]);
  });

  it("keeps only the first that fits when the request asked for no failover", () => {
    const small = deployment("a", { contextTokens: 10 });
    expect(ids({ deployments: [small, b, c], noFailover: true })).toEqual(["b/m"]);
    expect(reasons({ deployments: [small, b, c], noFailover: true })).toEqual(["a/m: context", "c/m: no_failover"]);
  });

  it("leaves out what lacks an ability or room, and keeps what is unknown", () => {
    const text = deployment("a", { capabilities: new Set() });
    const able = deployment("b", { capabilities: new Set<Capability>(["tools"]), contextTokens: 100 });
    const tight = deployment("d", { contextTokens: 99 });
    const fields = { deployments: [text, able, tight, c], capabilities: ["tools"] as const };
    expect(ids(fields)).toEqual(["b/m", "c/m"]);
    expect(makePlan(input(fields)).exclusions).toEqual([
      {
        deployment: "a/m",
        reason: "capability",
        detail: "the request uses tools, which this deployment does not offer",
      },
      { deployment: "d/m", reason: "context", detail: "the request needs about 100 tokens, the window holds 99" },
    ]);
  });

  it("for any input places every deployment exactly once, as a candidate or as an exclusion", () => {
    const providers = fc.subarray(["a", "b", "c", "d", "x"]);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 1 }),
        fc.option(providers),
        fc.option(fc.constantFrom("a", "b", "x")),
        fc.boolean(),
        fc.option(fc.nat(200)),
        (names, route, lock, noFailover, contextTokens) => {
          const deployments = names.map((name, index) => deployment(name, index === 1 ? { contextTokens } : {}));
          const plan = makePlan(input({ deployments, providers: route, lock, noFailover }));
          const placed = [...plan.candidates.map(({ id }) => id), ...plan.exclusions.map((row) => row.deployment)];
          expect(placed.toSorted()).toEqual(deployments.map(({ id }) => id).toSorted());
          expect(plan.candidates.every(({ provider }) => lock === null || provider === lock)).toBe(true);
          expect(plan.candidates.every(({ provider }) => route === null || route.includes(provider))).toBe(true);
          expect(plan.candidates.length <= 1 || !noFailover).toBe(true);
        },
      ),
    );
  });
});
