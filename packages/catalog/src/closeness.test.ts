import type { Capability } from "@tuloy/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { builtInCatalog, closenessOf, nearestModels } from "./index.ts";
import type { ComparedModel } from "./index.ts";

function compared(name: string, fields: Partial<ComparedModel> = {}): ComparedModel {
  return {
    name,
    capabilities: new Set<Capability>(["tools", "images"]),
    hiddenReasoning: false,
    tier: 3,
    contextTokens: 100_000,
    usdPerMillion: 2,
    ...fields,
  };
}

const asked = compared("asked");

describe("closeness", () => {
  it("is whole for a model that does all of it as well, for no more", () => {
    expect(closenessOf(asked, compared("twin", { contextTokens: 200_000, usdPerMillion: 1 }))).toEqual({
      name: "twin",
      score: 1,
      why: "does all that asked does; same tier 3; as large a window; costs no more",
    });
  });

  it("says in words what is missing", () => {
    const small = compared("small", {
      capabilities: new Set<Capability>(["tools"]),
      tier: 1,
      contextTokens: 50_000,
      usdPerMillion: 4,
    });
    expect(closenessOf(asked, small)).toEqual({
      name: "small",
      score: 0.5,
      why: "lacks images; tier 1 for 3; a window of 50%; costs 2.0 times as much",
    });
    expect(closenessOf(compared("thinker", { hiddenReasoning: true }), asked).why).toContain("lacks reasoning");
  });

  it("takes what is unknown for neither near nor far", () => {
    const unknown = compared("unknown", { capabilities: null, tier: null, contextTokens: null, usdPerMillion: null });
    expect(closenessOf(asked, unknown)).toEqual({
      name: "unknown",
      score: 0.5,
      why: "abilities unknown; tier unknown; window unknown; price unknown",
    });
  });

  it("against a free model counts a price as far", () => {
    const free = compared("free", { usdPerMillion: 0 });
    expect(closenessOf(free, asked).score).toBe(0.8);
    expect(closenessOf(free, compared("also-free", { usdPerMillion: 0 })).score).toBe(1);
  });

  const model = fc.record({
    name: fc.constantFrom("x", "y", "z"),
    capabilities: fc.option(fc.subarray(["tools", "images", "n"] as const).map((names) => new Set<Capability>(names))),
    hiddenReasoning: fc.boolean(),
    tier: fc.option(fc.integer({ min: 1, max: 5 })),
    contextTokens: fc.option(fc.integer({ min: 1, max: 2_000_000 })),
    usdPerMillion: fc.option(fc.constantFrom(0, 0.1, 2, 60)),
  });

  it("is between 0 and 1, and 1 for a fully known model with itself", () => {
    fc.assert(
      fc.property(model, model, (one, other) => {
        const { score, why } = closenessOf(one, other);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(why).not.toBe("");
        const known = {
          ...asked,
          ...one,
          capabilities: asked.capabilities,
          tier: 2,
          contextTokens: 9,
          usdPerMillion: 1,
        };
        expect(closenessOf(known, known).score).toBe(1);
      }),
    );
  });
});

describe("the nearest models", () => {
  const others = [
    asked,
    compared("far", { tier: 1, capabilities: new Set(), usdPerMillion: 60 }),
    compared("b-equal"),
    compared("a-equal"),
    compared("near", { tier: 4 }),
  ];
  const names = (most: number) => nearestModels(asked, others, { least: 0.6, most }).map(({ name }) => name);

  it("are in order of closeness, without the model itself and what is too far", () => {
    expect(names(9)).toEqual(["a-equal", "b-equal", "near"]);
    expect(names(2)).toEqual(["a-equal", "b-equal"]);
  });
});

it("every chat model of the catalog has a tier, and nothing else has", () => {
  for (const { operation, tier } of builtInCatalog.models) {
    expect(tier === null).toBe(operation !== "chat");
    expect([1, 2, 3, 4, 5, null]).toContain(tier);
  }
});
