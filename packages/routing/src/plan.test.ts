import type { Capability, Deployment, Quantization } from "@tuloy/contract";
import { deployment } from "@tuloy/testkit";
import { describe, expect, it } from "vitest";

import { makePlan, primaryOf } from "./plan.ts";
import { context, offer, overrides, planInput } from "./plan.test-data.ts";
import type { Plan, PlanInput } from "./plan/shapes.ts";

const a = deployment("a");
const b = deployment("b");
const c = deployment("c");

const plan = (...given: Parameters<typeof planInput>): Plan => makePlan(planInput(...given), context());
const ids = ({ candidates }: Plan): string[] => candidates.map(({ id }) => id);
const reasons = ({ exclusions }: Plan): string[] => exclusions.map((row) => `${row.deployment}: ${row.reason}`);

describe("a plan", () => {
  it("is the model's own list, not a copy, when nothing stands against any of it", () => {
    const deployments = [a, b, c];
    const input = planInput(deployments);
    expect(makePlan(input, context()).candidates).toBe(deployments);
    expect(makePlan(input, context())).toBe(makePlan(input, context()));
  });

  it("follows the route's providers and says who is not among them", () => {
    const made = plan([a, b, c], { providers: ["c", "a"] });
    expect(ids(made)).toEqual(["c/m", "a/m"]);
    expect(reasons(made)).toEqual(["b/m: not_in_route"]);
  });

  it("keeps a lock", () => {
    const made = plan([a, b, c], {}, { lock: "b" });
    expect(ids(made)).toEqual(["b/m"]);
    expect(reasons(made)).toEqual(["a/m: locked_elsewhere", "c/m: locked_elsewhere"]);
    expect(reasons(plan([a, b], { providers: ["a"] }, { lock: "b" }))).toEqual([
      "a/m: locked_elsewhere",
      "b/m: not_in_route",
    ]);
  });

  it("keeps only the first that fits when the request asked for no failover", () => {
    const small = deployment("a", { contextTokens: 10 });
    for (const asked of [{ noFailover: true }, { overrides: overrides({ allowFallbacks: false }) }]) {
      const made = plan([small, b, c], {}, asked);
      expect(ids(made)).toEqual(["b/m"]);
      expect(reasons(made)).toEqual(["a/m: context", "c/m: no_failover"]);
    }
  });

  it("leaves out what lacks an ability or room, and keeps what is unknown", () => {
    const text = deployment("a", { capabilities: new Set() });
    const able = deployment("b", { capabilities: new Set<Capability>(["tools"]), contextTokens: 200 });
    const tight = deployment("d", { contextTokens: 199 });
    const made = plan([text, able, tight, c], {}, { capabilities: ["tools"] });
    expect(ids(made)).toEqual(["b/m", "c/m"]);
    expect(made.exclusions).toEqual([
      {
        deployment: "a/m",
        reason: "capability",
        detail: "the request uses tools, which this deployment does not offer",
      },
      { deployment: "d/m", reason: "context", detail: "the request needs about 200 tokens, the window holds 199" },
    ]);
  });
});

describe("a deployment that can't be told the request", () => {
  it("is left out with the reason, and an equivalent too", () => {
    const other = deployment("b", { id: "b/other", model: "other" });
    const obstacle = ({ id }: Deployment): string | null => (id === "a/m" ? null : `it has no words for it: ${id}`);
    const made = plan([a, b], { equivalents: "listed" }, { obstacle, equivalents: [offer([other])] });
    expect(ids(made)).toEqual(["a/m"]);
    expect(made.equivalents).toBeUndefined();
    expect(made.exclusions).toMatchObject([
      { deployment: "b/m", reason: "capability", detail: "it has no words for it: b/m" },
      { deployment: "b/other", reason: "capability" },
    ]);
  });
});

describe("a region pin", () => {
  const inRegion = (region: string | null) => [deployment("a", { region })];

  it.each(["eu", "EU", "eu-west-1", "eu-central"])("of eu holds %s", (region) => {
    expect(ids(plan(inRegion(region), { regions: ["eu"] }))).toEqual(["a/m"]);
  });

  it.each([null, "global", "Global", "us", "europe", "eus", "e"])("of eu does not hold %s", (region) => {
    expect(reasons(plan(inRegion(region), { regions: ["eu"] }))).toEqual(["a/m: region"]);
  });

  it("may name several regions, and is not wider than what it names", () => {
    expect(ids(plan(inRegion("ph"), { regions: ["eu", "ph"] }))).toEqual(["a/m"]);
    expect(reasons(plan(inRegion("eu"), { regions: ["eu-west-1"] }))).toEqual(["a/m: region"]);
  });

  it("holds for a locked request too", () => {
    expect(reasons(plan(inRegion("us"), { regions: ["eu"] }, { lock: "a" }))).toEqual(["a/m: region"]);
  });
});

describe("a private provider", () => {
  const ours = deployment("rack", { owner: "ours" });

  it("is there for its own organization", () => {
    expect(ids(plan([a, ours]))).toEqual(["a/m", "rack/m"]);
  });

  it("has no name for another organization, whatever excludes it", () => {
    for (const made of [
      plan([a, ours], {}, {}, "other"),
      plan([a, ours], { providers: ["a"] }, {}, "other"),
      plan([a, ours], {}, { lock: "a" }, "other"),
    ]) {
      expect(ids(made)).toEqual(["a/m"]);
      expect(reasons(made)).toEqual(["a private deployment: visibility"]);
      expect(JSON.stringify(made.exclusions)).not.toContain("rack");
    }
  });

  it("is nobody else's measure", () => {
    const first = deployment("rack", { owner: "ours", quantization: "bf16" });
    const made = plan([first, deployment("a", { quantization: "fp8" })], {}, {}, "other");
    expect(ids(made)).toEqual(["a/m"]);
  });
});

describe("fidelity", () => {
  const served = (provider: string, quantization: Quantization | null) => deployment(provider, { quantization });

  it("leaves out a backup below the first listed deployment, and keeps one above it", () => {
    expect(reasons(plan([served("a", "bf16"), served("b", "fp8"), served("c", "fp32")]))).toEqual(["b/m: fidelity"]);
    expect(ids(plan([served("a", "fp8"), served("b", "bf16"), served("c", "int8"), served("d", "int4")]))).toEqual([
      "a/m",
      "b/m",
      "c/m",
    ]);
  });

  it("counts unknown as full, unless the route is strict", () => {
    const deployments = [served("a", null), served("b", "bf16"), served("c", "fp8")];
    expect(reasons(plan(deployments))).toEqual(["c/m: fidelity"]);
    expect(reasons(plan(deployments, { fidelity: "strict" }))).toEqual(["a/m: fidelity", "c/m: fidelity"]);
  });

  it("is what a route's list says where there is one", () => {
    const deployments = [served("a", "full"), served("b", "fp8"), served("c", "int8"), served("d", null)];
    expect(ids(plan(deployments, { quantizations: ["bf16", "fp8"] }))).toEqual(["a/m", "b/m", "d/m"]);
    expect(ids(plan(deployments, { quantizations: ["fp8"], fidelity: "strict" }))).toEqual(["b/m"]);
  });

  it("is narrowed by a request's list", () => {
    const deployments = [served("a", "fp8"), served("b", "bf16"), served("c", null)];
    const asked = (quantizations: string[]) => plan(deployments, {}, { overrides: overrides({ quantizations }) });
    expect(ids(asked(["fp8"]))).toEqual(["a/m"]);
    expect(ids(asked(["fp16"]))).toEqual(["b/m", "c/m"]);
    expect(ids(asked(["unknown"]))).toEqual(["c/m"]);
    expect(ids(asked(["constructor"]))).toEqual([]);
  });

  it("is not compared for a locked deployment, which is nobody's twin", () => {
    expect(ids(plan([served("a", "bf16"), served("b", "int4")], {}, { lock: "b" }))).toEqual(["b/m"]);
    expect(ids(plan([served("a", "bf16"), served("b", "int4")], { quantizations: ["bf16"] }, { lock: "b" }))).toEqual(
      [],
    );
  });
});

describe("a request's own wishes", () => {
  const asked = (fields: Parameters<typeof overrides>[0], more: Partial<PlanInput> = {}) =>
    plan([a, b, c], {}, { overrides: overrides(fields), ...more });

  it("put providers first, allow only some, and leave some out", () => {
    expect(ids(asked({ order: ["c", "x", "b"] }))).toEqual(["c/m", "b/m", "a/m"]);
    expect(ids(asked({ only: ["c", "a"] }))).toEqual(["a/m", "c/m"]);
    expect(ids(asked({ ignore: ["a"] }))).toEqual(["b/m", "c/m"]);
    expect(reasons(asked({ only: ["c"], ignore: ["a"] }))).toEqual([
      "a/m: ignored_by_request",
      "b/m: ignored_by_request",
    ]);
  });

  it("never bring in what the route leaves out", () => {
    const made = plan([a, b], { providers: ["a"] }, { overrides: overrides({ only: ["b"], order: ["b"] }) });
    expect(ids(made)).toEqual([]);
  });

  it("take only what is known where they ask for privacy", () => {
    const deployments = [
      deployment("a", { retains: true, trains: true }),
      deployment("b", { retains: false, trains: null }),
      deployment("c", { retains: null, trains: false }),
    ];
    const privately = (fields: Parameters<typeof overrides>[0]) =>
      plan(deployments, {}, { overrides: overrides(fields) });
    expect(ids(privately({ zdr: true }))).toEqual(["b/m"]);
    expect(reasons(privately({ zdr: true }))).toEqual(["a/m: retention", "c/m: retention"]);
    expect(ids(privately({ dataCollection: "deny" }))).toEqual(["c/m"]);
    expect(ids(privately({ dataCollection: "allow" }))).toEqual(["a/m", "b/m", "c/m"]);
  });

  it("take only what understands their parameters, when they require it", () => {
    const refuses = { takes: null, refuses: new Set(["top_k"]), modelRefuses: new Set<string>(), maxStops: null };
    const deployments = [deployment("a", { parameters: refuses }), b];
    const more = { parameterUse: { parameters: ["top_k"], stops: 0 } };
    const required = plan(deployments, {}, { overrides: overrides({ requireParameters: true }), ...more });
    expect(reasons(required)).toEqual(["a/m: parameters"]);
    expect(ids(plan(deployments, {}, { overrides: overrides({}), ...more }))).toEqual(["a/m", "b/m"]);
    expect(ids(plan(deployments, {}, more))).toEqual(["a/m", "b/m"]);
  });
});

describe("a price cap", () => {
  const priced = (provider: string, usd: number | null) =>
    deployment(provider, { price: usd === null ? null : { input: usd, output: usd } });
  const deployments = [priced("a", 10), priced("b", 13), priced("c", 11), priced("d", null)];

  it("in times the primary's leaves out what is dearer, and what nobody can price", () => {
    const made = plan(deployments, { maxCostMultiplier: 1.2 });
    expect(ids(made)).toEqual(["a/m", "c/m"]);
    expect(made.exclusions).toEqual([
      {
        deployment: "b/m",
        reason: "price_cap",
        detail: "it costs 1.30 × the primary a/m for this request, above 1.2 ×",
      },
      {
        deployment: "d/m",
        reason: "no_price",
        detail: "its price is unknown, and a backup may cost 1.2 × the primary",
      },
    ]);
  });

  it("compares with the first in the order of the request, whatever that is", () => {
    const made = plan(deployments, { maxCostMultiplier: 1.2 }, { overrides: overrides({ order: ["b"] }) });
    expect(ids(made)).toEqual(["b/m", "a/m", "c/m"]);
  });

  it("means nothing against a primary that costs nothing, which is noted", () => {
    const made = plan([priced("free", 0), ...deployments], { maxCostMultiplier: 1.2 });
    expect(made.candidates).toHaveLength(5);
    expect(made.notes).toEqual(["the primary costs nothing, so that max_cost_multiplier does not apply"]);
  });

  it("still takes an absolute cap then", () => {
    const maxPrice = { input: null, output: 11, request: null };
    const made = plan([priced("free", 0), ...deployments], { maxCostMultiplier: 1.2, maxPrice });
    expect(ids(made)).toEqual(["free/m", "a/m", "c/m"]);
    expect(reasons(made)).toEqual(["b/m: price_cap", "d/m: no_price"]);
  });

  it("cannot be held against a primary whose price is unknown", () => {
    expect(reasons(plan([priced("d", null), priced("a", 10)], { maxCostMultiplier: 1.2 }))).toEqual(["a/m: no_price"]);
  });

  it("of a request holds beside the route's, and never widens it", () => {
    const route = { maxPrice: { input: 11, output: null, request: null } };
    const asked = (fields: { input?: number; output?: number; request?: number }) =>
      ids(
        plan(deployments, route, {
          overrides: overrides({ maxPrice: { input: null, output: null, request: null, ...fields } }),
        }),
      );
    expect(asked({ input: 100 })).toEqual(["a/m", "c/m"]);
    expect(asked({ output: 10 })).toEqual(["a/m"]);
    // 100 tokens in and 100 out at $10 and $11 per million.
    expect(asked({ request: 0.002 })).toEqual(["a/m"]);
    expect(asked({ request: 0.0022 })).toEqual(["a/m", "c/m"]);
  });
});

describe("equivalents", () => {
  const other = (provider: string, fields: Parameters<typeof deployment>[1] = {}) =>
    deployment(provider, { id: `${provider}/other`, model: "other", ...fields });
  const planned = ({ equivalents = [] }: Plan) => equivalents.map(({ deployment: { id }, why }) => `${id}: ${why}`);

  it("come after all candidates, each with why", () => {
    const made = plan([a, b], {}, { equivalents: [offer([other("a"), other("b")]), offer([c], {}, { why: "far" })] });
    expect(ids(made)).toEqual(["a/m", "b/m"]);
    expect(planned(made)).toEqual(["a/other: it is near", "b/other: it is near", "c/m: far"]);
    expect(primaryOf(made)).toBe(a);
  });

  it("are alone when no candidate is left, and the first of them is then the primary", () => {
    const text = deployment("a", { capabilities: new Set() });
    const made = plan([text], {}, { capabilities: ["tools"], equivalents: [offer([other("b")])] });
    expect(ids(made)).toEqual([]);
    expect(primaryOf(made)?.id).toBe("b/other");
  });

  it("pass the same filters and caps as twins", () => {
    const price = { input: 10, output: 10 };
    const first = deployment("a", { price, region: "eu" });
    const route = { maxCostMultiplier: 1.2, regions: ["eu"] };
    const offered = [
      other("dear", { region: "eu", price: { input: 20, output: 20 } }),
      other("away", { region: "us", price }),
      other("text", { region: "eu", price, capabilities: new Set() }),
      other("fits", { region: "eu", price }),
    ];
    const asked = { capabilities: ["tools"] as const, equivalents: [offer(offered, route, { listed: true })] };
    const made = plan([first], route, asked);
    expect(planned(made)).toEqual(["fits/other: it is near"]);
    expect(reasons(made)).toEqual(["away/other: region", "text/other: capability", "dear/other: price_cap"]);
  });

  it("are capped by the first of them when nothing of the model is left", () => {
    const route = { maxCostMultiplier: 1.2 };
    const near = offer([other("a", { price: { input: 1, output: 1 } })], route);
    const dear = offer([other("b", { price: { input: 2, output: 2 } })], route);
    const made = plan([deployment("x", { contextTokens: 1 })], route, { equivalents: [near, dear] });
    expect(planned(made)).toEqual(["a/other: it is near"]);
    expect(reasons(made)).toEqual(["x/m: context", "b/other: price_cap"]);
  });

  it("are none with no failover, and only at the provider that was named", () => {
    const offered = { equivalents: [offer([other("a"), other("b")], {}, { provider: "b" })] };
    expect(planned(plan([a], {}, offered))).toEqual(["b/other: it is near"]);
    const alone = plan([a], {}, { ...offered, noFailover: true });
    expect(planned(alone)).toEqual([]);
    expect(reasons(alone)).toEqual(["b/other: no_failover"]);
  });
});
