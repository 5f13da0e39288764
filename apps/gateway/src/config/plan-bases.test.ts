import { describe, expect, it } from "vitest";

import { compile } from "./compile.ts";
import { offersOf, planBaseOf } from "./plan-bases.ts";
import { formatProblem, loadConfig } from "./read.ts";
import type { ModelEntry, Route, Snapshot } from "./snapshot.ts";

function compiled(text: string): Snapshot {
  const loaded = loadConfig(text, "f", {});
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join("\n"));
  return compile(loaded.config, text, new Map());
}

function entryOf(snapshot: Snapshot, model: string): ModelEntry {
  const entry = snapshot.models.get(model);
  if (entry === undefined) throw new Error(`nothing serves ${model}`);
  return entry;
}

function routeOf({ routes }: Snapshot, name: string): Route {
  const route = routes.find((each) => each.name === name);
  if (route === undefined) throw new Error(`there is no route ${name}`);
  return route;
}

const snapshot = compiled(`
models: { gpt-4.1: { equivalents: [house, openai/o3] }, house: { tier: 4, context: 1047576, capabilities: [tools, images, json_schema, n, logprobs] } }
providers:
  openai: { kind: openai, keys: [{ value: k }] }
  rack: { kind: openai-compatible, base_url: http://10.0.0.5/v1, models: { house: { price: { input: 2, output: 8 } } } }
routes:
  - { name: off, match: { workspaces: [a] } }
  - { name: never, match: { workspaces: [b] }, equivalents: never }
  - { name: listed, match: { workspaces: [c] }, equivalents: listed }
  - { name: nearest, match: { workspaces: [d] }, equivalents: nearest }
  - { name: rack-only, match: { workspaces: [e] }, equivalents: nearest, providers: [rack] }
`);

function offered(route: string, model: string, organization = "default"): string[] {
  const found = offersOf(snapshot, routeOf(snapshot, route), entryOf(snapshot, model), organization);
  return found.map(({ base, score }) => `${base.listed[0]?.model ?? "none"} ${score ?? "listed"}`);
}

describe("the models that may stand in", () => {
  it("are none where the route says off or never, and none for embeddings", () => {
    expect(offered("off", "gpt-4.1")).toEqual([]);
    expect(offered("never", "gpt-4.1")).toEqual([]);
    expect(offered("nearest", "text-embedding-3-small")).toEqual([]);
  });

  it("are those that the file lists, then the nearest, three at most and none twice", () => {
    expect(offered("listed", "gpt-4.1")).toEqual(["house listed", "o3 listed"]);
    const nearest = offered("nearest", "gpt-4.1");
    expect(nearest.slice(0, 2)).toEqual(["house listed", "o3 listed"]);
    expect(nearest).toHaveLength(5);
    expect(new Set(nearest.map((text) => text.split(" ")[0])).size).toBe(5);
  });

  it("are found by score where nothing is listed: a model that the file describes takes part", () => {
    const found = offersOf(snapshot, routeOf(snapshot, "nearest"), entryOf(snapshot, "house"), "default");
    expect(found[0]).toMatchObject({
      listed: false,
      score: 1,
      why: "does all that house does; same tier 4; as large a window; costs no more",
    });
    expect(found[0]?.base.listed[0]?.model).toBe("gpt-4.1");
    const scores = found.map(({ score }) => score ?? 0);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(scores.every((score) => score >= 0.6)).toBe(true);
  });

  it("are only what the route and the organization can reach", () => {
    expect(offered("rack-only", "gpt-4o")).toEqual([expect.stringMatching(/^house 0\.\d+$/)]);
    expect(offered("rack-only", "gpt-4o", "another")).toEqual([]);
  });
});

it("what plans share is worked out once for each organization", () => {
  const [route, entry] = [routeOf(snapshot, "off"), entryOf(snapshot, "house")];
  expect(planBaseOf(route, entry, "default")).toBe(planBaseOf(route, entry, "default"));
  expect(planBaseOf(route, entry, "default").plan.candidates).toHaveLength(1);
  expect(planBaseOf(route, entry, "another").plan.candidates).toEqual([]);
});
