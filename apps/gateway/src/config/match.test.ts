import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compile } from "./compile.ts";
import { resolveModel } from "./match.ts";
import { loadConfig } from "./read.ts";
import type { Snapshot } from "./snapshot.ts";

function snapshotOf(text: string): Snapshot {
  const loaded = loadConfig(text, "f", {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return compile(loaded.config, text, new Map());
}

const snapshot = snapshotOf(`
providers:
  openai: { kind: openai, keys: [{ value: k }] }
  rack:
    kind: openai-compatible
    base_url: http://10.0.0.5:8000/v1
    models:
      gpt-4.1: { id: house-big }
      llama-3.3-70b: { id: meta-llama/Llama-3.3-70B-Instruct }
      odd: { id: gpt-4.1 }
      other/llama:
`);

/** `model at lock`, or what is nearest. */
function resolved(requested: string): string | readonly string[] {
  const found = resolveModel(snapshot, requested);
  return "entry" in found ? `${found.entry.model} at ${found.lock ?? "any"}` : found.nearest;
}

describe("reading the model of a request", () => {
  it.each([
    ["gpt-4.1", "gpt-4.1 at any"],
    // An alias in the style of other routers keeps its failover, though a provider has that name.
    ["openai/gpt-4.1", "gpt-4.1 at any"],
    ["other/llama", "other/llama at any"],
    ["@openai/gpt-4.1", "gpt-4.1 at openai"],
    ["@rack/gpt-4.1", "gpt-4.1 at rack"],
    ["@rack/openai/gpt-4.1", "gpt-4.1 at rack"],
    ["@rack/house-big", "gpt-4.1 at rack"],
    ["@rack/meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b at rack"],
    ["rack/gpt-4.1", "gpt-4.1 at rack"],
    ["rack/llama-3.3-70b", "llama-3.3-70b at rack"],
    ["rack/meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b at rack"],
    ["@rack/other/llama", "other/llama at rack"],
  ])("takes %s as %s", (requested, expected) => {
    expect(resolved(requested)).toBe(expected);
  });

  it("takes an id of a lock as the canonical model before the provider's own", () => {
    expect(resolved("@rack/gpt-4.1")).toBe("gpt-4.1 at rack");
    expect(resolved("@rack/odd")).toBe("odd at rack");
  });

  it.each([
    "@rack/gpt-4o",
    "@nobody/gpt-4.1",
    "nobody/gpt-4.1",
    "house-big",
    "@gpt-4.1",
    "@",
    "/",
    "",
    "__proto__",
    "constructor/x",
  ])("does not find %j", (requested) => {
    expect(resolveModel(snapshot, requested)).toMatchObject({ notFound: requested });
  });

  it("names what was probably meant, the nearest first, at most three", () => {
    expect(resolved("gtp-4.1")).toContain("gpt-4.1");
    expect(resolved("gpt-4.1-mni")[0]).toBe("gpt-4.1-mini");
    expect(resolved("@rack/house-bog")).toContain("@rack/house-big");
    expect(resolved("gpt-4")).toBe("gpt-4 at any");
    expect(resolved("gpt-5.9")).toHaveLength(3);
  });

  it("compares nothing with a name that no model could have", () => {
    expect(resolved("gpt-4.1".repeat(1_000_000))).toEqual([]);
  });

  it("never throws, and locks only to a provider that serves the model", () => {
    const part = fc.constantFrom(
      "@",
      "/",
      "openai",
      "rack",
      "gpt-4.1",
      "house-big",
      "odd",
      "llama-3.3-70b",
      "constructor",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join("")),
        ),
        (requested) => {
          const found = resolveModel(snapshot, requested);
          const lock = "entry" in found ? found.lock : null;
          const serving = "entry" in found ? found.entry.deployments.map((deployment) => deployment.provider) : [];
          expect(lock === null || serving.includes(lock)).toBe(true);
        },
      ),
    );
  });
});
