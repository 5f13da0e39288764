import type { Deployment } from "@tuloy/contract";
import { deployment } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { open, steadyHealth } from "../fixtures.test-data.ts";
import type { Health } from "../health.ts";
import { makePlan } from "../plan.ts";
import { context, overrides, planInput, seeded } from "../plan.test-data.ts";
import type { Plan } from "../plan/shapes.ts";
import { orders } from "./index.ts";
import { exploredNote } from "./latency.ts";

const a = deployment("a");
const b = deployment("b");
const c = deployment("c");
const first = ({ candidates }: Plan): string | undefined => candidates[0]?.provider;
const providers = ({ candidates }: Plan): string[] => candidates.map(({ provider }) => provider);

/** How often each provider comes first, of 1. */
function shares(draws: number, draw: (index: number) => string | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let index = 0; index < draws; index++) {
    const provider = draw(index) ?? "none";
    counts[provider] = (counts[provider] ?? 0) + 1 / draws;
  }
  return counts;
}

/** Lets a deployment's streams take so long to their first content. */
function paced(health: Health, times: Readonly<Record<string, number>>): Health {
  for (const [provider, ms] of Object.entries(times)) health.pace(`${provider}/m`).firstToken.record(ms, 0);
  return health;
}

describe("every strategy", () => {
  it("gives the same candidates in some order, whatever the numbers", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(orders)),
        fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f"), { minLength: 2 }),
        fc.array(fc.option(fc.nat(5000)), { minLength: 6, maxLength: 6 }),
        fc.option(fc.string()),
        fc.integer(),
        (order, names, times, session, seed) => {
          const health = steadyHealth();
          const candidates = names.map((name, index) => {
            const ms = times[index] ?? null;
            if (ms !== null) paced(health, { [name]: ms });
            return deployment(name, { price: ms === null ? null : { input: ms, output: 5000 - ms } });
          });
          const ordered = order(candidates, {
            inputTokens: 10,
            maxOutputTokens: 10,
            stream: true,
            session,
            weights: new Map([
              ["a", 3],
              ["b", 0],
              ["c", 1],
            ]),
            health,
            random: seeded(seed),
            estimate: context().estimate,
          });
          expect(new Set(ordered.candidates)).toEqual(new Set(candidates));
          expect(ordered.candidates).toHaveLength(candidates.length);
        },
      ),
    );
  });
});

describe("cost", () => {
  const longPrompt = deployment("reader", { price: { input: 1, output: 20 } });
  const longAnswer = deployment("writer", { price: { input: 3, output: 4 } });
  const unknown = deployment("unknown");
  const plan = (inputTokens: number, maxOutputTokens: number | null, candidates: readonly Deployment[]) =>
    providers(makePlan(planInput(candidates, { strategy: "cost" }, { inputTokens, maxOutputTokens }), context()));

  it("puts the cheapest for this very request first, and unknown prices last", () => {
    expect(plan(10_000, 100, [unknown, longAnswer, longPrompt])).toEqual(["reader", "writer", "unknown"]);
    expect(plan(100, 4000, [unknown, longPrompt, longAnswer])).toEqual(["writer", "reader", "unknown"]);
  });

  it("expects min(requested, the model's limit, 4096) tokens of answer", () => {
    // 20,000 in: the reader saves $40 per million × 20,000 = 0.04, which 2,500 tokens of answer eat up.
    const at = (maxOutputTokens: number | null, limit: number | null) =>
      plan(20_000, maxOutputTokens, [
        deployment("reader", { price: { input: 1, output: 20 }, outputTokens: limit }),
        deployment("writer", { price: { input: 3, output: 4 }, outputTokens: limit }),
      ])[0];
    expect(at(2499, null)).toBe("reader");
    expect(at(2501, null)).toBe("writer");
    expect(at(null, null)).toBe("writer");
    expect(at(null, 2499)).toBe("reader");
    expect(at(1_000_000, 2499)).toBe("reader");
    expect(plan(40_000, null, [longPrompt, longAnswer])[0]).toBe("reader");
    expect(plan(40_000, 1_000_000, [longPrompt, longAnswer])[0]).toBe("reader");
  });

  it("keeps the listed order among equals", () => {
    const price = { input: 1, output: 1 };
    expect(plan(1, 1, [deployment("y", { price }), deployment("x", { price })])).toEqual(["y", "x"]);
  });
});

describe("latency", () => {
  const plan = (health: Health, random: () => number, candidates: readonly Deployment[] = [a, b, c]) =>
    makePlan(planInput(candidates, { strategy: "latency" }), context({ health, random }));

  it("puts the better of two by chance first, and the rest by their latency", () => {
    const health = paced(steadyHealth(), { a: 300, b: 100, c: 200 });
    const random = seeded(1);
    const counts = shares(30_000, () => first(plan(health, random)));
    // b wins each pair that it is in (two of three), c the one without b, a only by exploration.
    expect(counts["b"]).toBeCloseTo(0.98 * (2 / 3) + 0.02 / 3, 1.6);
    expect(counts["c"]).toBeCloseTo(0.98 / 3 + 0.02 / 3, 1.6);
    expect(counts["a"]).toBeGreaterThan(0);
    expect(providers(plan(health, () => 0.5))).toEqual(["b", "c", "a"]);
  });

  it("explores with 2% of the requests, all candidates alike, and says so", () => {
    const health = paced(steadyHealth(), { a: 300, b: 100 });
    const random = seeded(2);
    const counts = shares(50_000, () => {
      const made = plan(health, random, [a, b]);
      return made.notes?.includes(exploredNote) === true ? first(made) : "no";
    });
    expect(1 - (counts["no"] ?? 0)).toBeCloseTo(0.02, 2.3);
    expect(counts["a"]).toBeCloseTo(0.01, 2.3);
    expect(counts["b"]).toBeCloseTo(0.01, 2.3);
  });

  it("counts what is in flight: a quick deployment with much to do gives way", () => {
    const health = paced(steadyHealth(), { a: 100, b: 150 });
    expect(providers(plan(health, () => 0.5, [a, b]))).toEqual(["a", "b"]);
    health.pace("a/m").inFlight = 1;
    expect(providers(plan(health, () => 0.5, [a, b]))).toEqual(["b", "a"]);
  });

  it("tries an idle deployment that nobody has numbers of, and one of them at a time", () => {
    const health = paced(steadyHealth(), { a: 100 });
    expect(providers(plan(health, () => 0.5, [a, b]))).toEqual(["b", "a"]);
    health.pace("b/m").inFlight = 1;
    expect(providers(plan(health, () => 0.5, [a, b]))).toEqual(["a", "b"]);
  });
});

describe("weighted", () => {
  const weights = new Map(Object.entries({ a: 70, b: 30 }));
  const route = { strategy: "weighted", weights } as const;

  it("divides requests by the weights, and those of a failed one among the rest by theirs", () => {
    const random = seeded(3);
    const three = { strategy: "weighted", weights: new Map(Object.entries({ a: 60, b: 30, c: 10 })) } as const;
    const plans = Array.from({ length: 20_000 }, () =>
      providers(makePlan(planInput([a, b, c], three), context({ random }))),
    );
    const counts = shares(plans.length, (index) => plans[index]?.[0]);
    expect(counts["a"]).toBeCloseTo(0.6, 1.7);
    expect(counts["b"]).toBeCloseTo(0.3, 1.7);
    expect(counts["c"]).toBeCloseTo(0.1, 1.7);
    const withoutA = plans.filter(([chosen]) => chosen === "a");
    expect(shares(withoutA.length, (index) => withoutA[index]?.[1])["b"]).toBeCloseTo(0.75, 1.5);
  });

  it("keeps the shares for sessions, each of which always has the same order", () => {
    const inSession = (session: string) => makePlan(planInput([a, b], route, { session }), context());
    const counts = shares(20_000, (index) => first(inSession(`session-${index}`)));
    expect(counts["a"]).toBeCloseTo(0.7, 1.7);
    for (const session of ["x", "session-7", "", "é漢字"]) {
      expect(providers(inSession(session))).toEqual(providers(inSession(session)));
    }
  });

  it("moves only the sessions of a deployment that goes", () => {
    const three = { strategy: "weighted", weights: null } as const;
    for (let index = 0; index < 500; index++) {
      const session = `session-${index}`;
      const [before, next] = providers(makePlan(planInput([a, b, c], three, { session }), context()));
      const after = first(makePlan(planInput([a, b], three, { session }), context()));
      expect(after).toBe(before === "c" ? next : before);
    }
  });

  it("keeps a provider without a share, or with 0, as a backup", () => {
    const random = seeded(4);
    const withZero = {
      strategy: "weighted",
      weights: new Map([
        ["b", 1],
        ["c", 0],
      ]),
    } as const;
    for (let draw = 0; draw < 100; draw++) {
      expect(providers(makePlan(planInput([a, b, c], withZero), context({ random })))).toEqual(["b", "a", "c"]);
    }
  });

  it("is equal shares without weights", () => {
    const random = seeded(5);
    const counts = shares(20_000, () =>
      first(makePlan(planInput([a, b], { strategy: "weighted" }), context({ random }))),
    );
    expect(counts["a"]).toBeCloseTo(0.5, 1.7);
  });

  it("divides a provider's share among its deployments", () => {
    const random = seeded(6);
    const twice = [deployment("a", { id: "a/m@eu" }), deployment("a", { id: "a/m@us" }), b];
    const counts = shares(20_000, () => makePlan(planInput(twice, route), context({ random })).candidates[0]?.id);
    expect(counts["a/m@eu"]).toBeCloseTo(0.35, 1.7);
    expect(counts["b/m"]).toBeCloseTo(0.3, 1.7);
  });
});

describe("a request's own sorting", () => {
  it("takes the place of the route's strategy", () => {
    const health = paced(steadyHealth(), { a: 300, b: 100 });
    health.pace("a/m").recordOutput(5);
    health.pace("b/m").recordOutput(20);
    const priced = [
      deployment("a", { price: { input: 2, output: 2 } }),
      deployment("b", { price: { input: 1, output: 1 } }),
      deployment("c", { price: { input: 3, output: 3 } }),
    ];
    const sorted = (sort: "price" | "latency" | "throughput") =>
      providers(makePlan(planInput(priced, {}, { overrides: overrides({ sort }) }), context({ health })));
    expect(sorted("price")).toEqual(["b", "a", "c"]);
    expect(sorted("throughput")).toEqual(["a", "b", "c"]);
    expect(sorted("latency")).toEqual(["b", "c", "a"]);
  });

  it("is the listed order when it names providers, without the strategy's chance", () => {
    const random = seeded(7);
    for (let draw = 0; draw < 50; draw++) {
      const asked = { overrides: overrides({ order: ["c"] }) };
      expect(providers(makePlan(planInput([a, b, c], { strategy: "weighted" }, asked), context({ random })))).toEqual([
        "c",
        "a",
        "b",
      ]);
    }
  });
});

describe("a session", () => {
  const asked = { session: "s", affinity: "ours/m/s" };
  const priced = [
    deployment("a", { price: { input: 1, output: 1 } }),
    deployment("b", { price: { input: 2, output: 2 } }),
    deployment("c", { price: { input: 3, output: 3 } }),
  ];
  const plan = (health: Health, now = 0) =>
    makePlan(planInput(priced, { strategy: "cost" }, asked), context({ health, now }));

  it("stays with the deployment that answered it, which is noted, while the rest keep their order", () => {
    const health = steadyHealth();
    expect(plan(health).notes).toBeUndefined();
    health.affinity.remember(asked.affinity, "c/m");
    expect(providers(plan(health))).toEqual(["c", "a", "b"]);
    expect(plan(health).notes).toEqual(["the session stays with the deployment that answered it last"]);
  });

  it("yields at once when its deployment's breaker opens, or none of its keys can be used", () => {
    const health = steadyHealth();
    health.affinity.remember(asked.affinity, "c/m");
    open(health, "c/m", 0);
    expect(providers(plan(health, 1))).toEqual(["a", "b", "c"]);
    const cooled = steadyHealth();
    cooled.affinity.remember(asked.affinity, "c/m");
    const lease = cooled.keyPool("c").acquire("c/m", 0);
    if (lease === null) throw new Error("the only key must be free");
    cooled.keyPool("c").report(lease, "throttle", 0, 2000);
    lease.release(0, 0);
    expect(providers(plan(cooled, 1))).toEqual(["a", "b", "c"]);
    expect(providers(plan(cooled, 2001))).toEqual(["c", "a", "b"]);
  });

  it("yields when its deployment is excluded, or gone", () => {
    const health = steadyHealth();
    health.affinity.remember(asked.affinity, "gone/m");
    expect(providers(plan(health))).toEqual(["a", "b", "c"]);
  });

  it("never exempts from a cap: the first planned is what others are compared with", () => {
    const health = steadyHealth();
    health.affinity.remember(asked.affinity, "c/m");
    const made = makePlan(planInput(priced, { strategy: "cost", maxCostMultiplier: 1 }, asked), context({ health }));
    expect(providers(made)).toEqual(["c", "a", "b"]);
  });
});
