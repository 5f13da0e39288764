import type { Capability, Deployment } from "@tuloy/contract";
import { quantizations, servedQuantizations, strategies } from "@tuloy/contract";
import { deployment } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { open, steadyHealth } from "./fixtures.test-data.ts";
import { refusedParameter } from "./parameters.ts";
import { makePlan } from "./plan.ts";
import { context, offer, overrides, planInput, seeded } from "./plan.test-data.ts";
import { estimatedUsd } from "./plan/estimate.ts";
import { fidelityClass } from "./plan/fidelity.ts";
import { isWithin } from "./plan/regions.ts";
import type { PlanPolicy } from "./plan/policy.ts";
import type { Plan, PlanInput } from "./plan/shapes.ts";

const names = ["a", "b", "c", "d", "e"] as const;
const region = fc.constantFrom(null, "eu", "eu-west-1", "us", "global");
const usd = fc.constantFrom(0, 0.5, 1, 1.1, 2, 40);
const maxPrice = fc.record({
  input: fc.option(usd),
  output: fc.option(usd),
  request: fc.option(fc.constantFrom(0, 0.0001, 0.001, 1)),
});

const deployments: fc.Arbitrary<Deployment[]> = fc
  .uniqueArray(
    fc.record({
      provider: fc.constantFrom(...names),
      region,
      price: fc.option(fc.record({ input: usd, output: usd })),
      contextTokens: fc.option(fc.constantFrom(100, 1000)),
      capabilities: fc.option(fc.constantFrom(new Set<Capability>(), new Set<Capability>(["tools"]))),
      quantization: fc.option(fc.constantFrom(...servedQuantizations)),
      owner: fc.constantFrom(null, null, "ours", "theirs"),
      retains: fc.option(fc.boolean()),
      trains: fc.option(fc.boolean()),
      parameters: fc.option(
        fc.record({
          takes: fc.option(fc.constantFrom(new Set<string>(), new Set(["top_k"]))),
          refuses: fc.constantFrom(new Set<string>(), new Set(["min_p"])),
          modelRefuses: fc.constant(new Set<string>()),
          maxStops: fc.option(fc.nat(2)),
        }),
      ),
    }),
    { minLength: 1, selector: ({ provider }) => provider },
  )
  .map((rows) => rows.map(({ provider, ...fields }) => deployment(provider, fields)));

const route = fc.record({
  strategy: fc.constantFrom(...strategies),
  providers: fc.option(fc.subarray([...names], { minLength: 1 })),
  weights: fc.option(
    fc.constantFrom(
      new Map([["a", 9]]),
      new Map([
        ["a", 1],
        ["b", 0],
      ]),
    ),
  ),
  regions: fc.option(fc.constantFrom(["eu"], ["us", "eu-west-1"])),
  fidelity: fc.constantFrom("same", "strict"),
  quantizations: fc.option(fc.subarray([...servedQuantizations], { minLength: 1 })),
  maxPrice: fc.option(maxPrice),
  maxCostMultiplier: fc.option(fc.constantFrom(0.5, 1, 1.2, 10)),
});

const wishes = fc
  .record({
    order: fc.option(fc.subarray([...names, "x"])),
    only: fc.option(fc.subarray([...names])),
    ignore: fc.option(fc.subarray([...names])),
    allowFallbacks: fc.boolean(),
    sort: fc.constantFrom(null, "price", "latency", "throughput"),
    maxPrice: fc.option(maxPrice),
    zdr: fc.boolean(),
    dataCollection: fc.constantFrom(null, "allow", "deny"),
    requireParameters: fc.boolean(),
    quantizations: fc.option(fc.subarray([...quantizations], { minLength: 1 })),
  } as const)
  .map(overrides);

const request = fc.record({
  lock: fc.option(fc.constantFrom(...names, "x"), { freq: 5 }),
  noFailover: fc.boolean(),
  capabilities: fc.subarray(["tools", "images"] as const),
  tokens: fc.constantFrom(10, 500, 5000),
  inputTokens: fc.constantFrom(10, 500),
  maxOutputTokens: fc.option(fc.constantFrom(0, 50)),
  session: fc.option(fc.constantFrom("s", "t")),
  overrides: fc.option(wishes),
  parameterUse: fc.record({ parameters: fc.subarray(["top_k", "min_p", "tools"]), stops: fc.constant(0) }),
});

const others = fc
  .option(deployments)
  .map((rows) => (rows ?? []).map((each) => Object.assign({}, each, { id: `${each.provider}/other`, model: "other" })));

interface Given {
  readonly served: readonly Deployment[];
  readonly policy: Partial<PlanPolicy>;
  readonly input: PlanInput;
}

function laws(check: (given: Given, plan: Plan) => void): void {
  fc.assert(
    fc.property(deployments, route, request, others, fc.integer(), fc.subarray([...names]), (...drawn) => {
      const [served, policy, asked, offered, seed, broken] = drawn;
      const health = steadyHealth();
      for (const provider of broken) open(health, `${provider}/m`, 0);
      const equivalents = offered.length === 0 ? [] : [offer(offered, policy)];
      const input = planInput(served, policy, { ...asked, equivalents });
      check({ served, policy, input }, makePlan(input, context({ health, random: seeded(seed), now: 1 })));
    }),
    { numRuns: 2000 },
  );
}

const planned = ({ candidates, equivalents = [] }: Plan): Deployment[] => [
  ...candidates,
  ...equivalents.map((each) => each.deployment),
];

describe("for any deployments, route and request, a plan", () => {
  it("places every deployment of the model once: as a candidate, or as an exclusion with words", () => {
    laws(({ served }, { candidates, exclusions }) => {
      const own = exclusions.filter((row) => !row.deployment.endsWith("/other"));
      const hidden = own.filter(({ reason }) => reason === "visibility").length;
      const named = own.filter(({ reason }) => reason !== "visibility").map((row) => row.deployment);
      const placed = [...candidates.map(({ id }) => id), ...named];
      expect(new Set(placed).size).toBe(placed.length);
      expect(placed.every((id) => served.some((each) => each.id === id))).toBe(true);
      // An equivalent may be hidden, too.
      expect(placed.length + hidden).toBeGreaterThanOrEqual(served.length);
      expect(exclusions.every(({ detail }) => detail !== "")).toBe(true);
    });
  });

  it("holds nothing outside the lock, the route's providers and the pinned regions", () => {
    laws(({ policy, input }, plan) => {
      for (const { provider, region: where, model } of planned(plan)) {
        expect(policy.providers?.includes(provider) ?? true).toBe(true);
        expect(policy.regions === null || isWithin(policy.regions ?? [], where)).toBe(true);
        expect(input.lock === null || provider === input.lock || model === "other").toBe(true);
      }
    });
  });

  it("holds nothing that the request cannot use or forbids", () => {
    laws(({ input }, plan) => {
      const { overrides: asked, capabilities, tokens, parameterUse } = input;
      for (const each of planned(plan)) {
        expect(each.owner === null || each.owner === "ours").toBe(true);
        expect(capabilities.every((used) => each.capabilities?.has(used) ?? true)).toBe(true);
        expect(tokens).toBeLessThanOrEqual(each.contextTokens ?? Infinity);
        if (asked === null) continue;
        expect(asked.only?.includes(each.provider) ?? true).toBe(true);
        expect(asked.ignore?.includes(each.provider) ?? false).toBe(false);
        expect(!asked.zdr || each.retains === false).toBe(true);
        expect(asked.dataCollection !== "deny" || each.trains === false).toBe(true);
        expect(refusedParameter(each.parameters, parameterUse, asked.requireParameters)).toBeNull();
      }
    });
  });

  it("never names another organization's deployments", () => {
    laws(({ served }, plan) => {
      const text = JSON.stringify(plan.exclusions);
      expect(served.some(({ id, owner }) => owner === "theirs" && text.includes(id))).toBe(false);
    });
  });

  it("never holds a backup above a cap", () => {
    laws(({ policy, input }, plan) => {
      const { estimate } = context();
      const [primary, ...backups] = planned(plan);
      for (const cap of [policy.maxPrice, input.overrides?.maxPrice]) {
        if (cap === null || cap === undefined) continue;
        for (const each of planned(plan)) {
          expect(each.price?.input ?? 0).toBeLessThanOrEqual(cap.input ?? Infinity);
          expect(each.price?.output ?? 0).toBeLessThanOrEqual(cap.output ?? Infinity);
          expect(estimatedUsd(each, input, estimate) ?? 0).toBeLessThanOrEqual(cap.request ?? Infinity);
        }
      }
      if (primary === undefined || policy.maxCostMultiplier === null || policy.maxCostMultiplier === undefined) return;
      const most = estimatedUsd(primary, input, estimate);
      if (most === 0) return;
      for (const backup of backups) {
        const price = estimatedUsd(backup, input, estimate);
        expect(price !== null && most !== null && price <= policy.maxCostMultiplier * most).toBe(true);
      }
    });
  });

  it("never holds a twin below the fidelity of the first listed, unless a list says otherwise", () => {
    laws(({ policy, input }, { candidates }) => {
      const strict = policy.fidelity === "strict";
      expect(candidates.every(({ quantization }) => quantization !== null || !strict)).toBe(true);
      const [first] = input.base.plan.candidates;
      if (policy.quantizations !== null || input.lock !== null || first === undefined) return;
      const least = fidelityClass(first.quantization);
      expect(candidates.every(({ quantization }) => fidelityClass(quantization) >= least)).toBe(true);
    });
  });

  it("holds one deployment at most when there is to be no failover", () => {
    laws(({ input }, plan) => {
      const alone = input.noFailover || input.overrides?.allowFallbacks === false;
      expect(planned(plan).length <= 1 || !alone).toBe(true);
    });
  });
});
