import type { Deployment } from "@tuloy/contract";
import { failoverPreset } from "@tuloy/routing";
import { describe, expect, it } from "vitest";

import { compile } from "./compile.ts";
import { globOf } from "./compile/routes.ts";
import { defaultConfigText } from "./defaults.ts";
import { routeFor } from "./match.ts";
import { formatProblem, loadConfig } from "./read.ts";
import type { Snapshot } from "./snapshot.ts";

const sandboxUrls = new Map(["a", "b", "sandbox-a", "sandbox-b"].map((name) => [name, `http://127.0.0.1:1/${name}`]));

function compiled(text: string): Snapshot {
  const loaded = loadConfig(text, "f", {});
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join("\n"));
  return compile(loaded.config, text, sandboxUrls);
}

function deployment(snapshot: Snapshot, id: string): Deployment | undefined {
  return [...snapshot.models.values()].flatMap((entry) => entry.deployments).find((each) => each.id === id);
}

describe("compiling providers", () => {
  it("takes the kind's address and models when the file names none", () => {
    const snapshot = compiled("providers: { openai: { kind: openai, keys: [{ value: k }] } }");
    expect(snapshot.providers.get("openai")).toMatchObject({
      baseUrl: "https://api.openai.com/v1",
      visibility: "public",
      region: null,
      keys: [{ name: "key-1", value: "k", weight: 1, limits: { rpm: null, tpm: null, concurrency: null } }],
    });
    expect(deployment(snapshot, "openai/gpt-4.1")).toMatchObject({
      upstreamModel: "gpt-4.1",
      operation: "chat",
      contextTokens: 1_047_576,
      price: { input: 2, output: 8, cachedInput: 0.5 },
      hiddenReasoning: false,
    });
    expect(deployment(snapshot, "openai/text-embedding-3-small")?.operation).toBe("embeddings");
    expect(snapshot.aliases.get("openai/gpt-4.1")).toBe("gpt-4.1");
  });

  it("puts the location into the kind's address, and computes there unless an id says that it spans more", () => {
    const models = [
      ["here", "anthropic.claude-sonnet-4-5-20250929-v1:0"],
      ["europe", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"],
      ["anywhere", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"],
      ["profile", "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0"],
      ["own", "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/eu3kq"],
    ].map(([name, id]) => `${name}: { id: "${id}" }`);
    const snapshot = compiled(
      `providers: { aws: { kind: bedrock, location: eu-west-1, keys: [{ value: ambient }], models: { ${models.join(", ")} } } }`,
    );
    expect(snapshot.providers.get("aws")).toMatchObject({
      baseUrl: "https://bedrock-runtime.eu-west-1.amazonaws.com",
      location: "eu-west-1",
      region: "eu-west-1",
    });
    const regions = [...snapshot.models.values()].flatMap(({ model, deployments }) =>
      deployments.map(({ region }) => [model, region]),
    );
    expect(regions).toEqual([
      ["here", "eu-west-1"],
      ["europe", "eu"],
      ["anywhere", "global"],
      ["profile", "us"],
      ["own", null],
    ]);
  });

  it("serves only the models that the file names, once it names any", () => {
    const snapshot = compiled("providers: { openai: { kind: openai, keys: [{ value: k }], models: { gpt-4.1: } } }");
    expect([...snapshot.models.keys()]).toEqual(["gpt-4.1"]);
    expect([...snapshot.aliases.keys()]).toEqual(["openai/gpt-4.1"]);
  });

  it("takes a fact from the provider's entry, then from models, then from what is built in", () => {
    const snapshot = compiled(`
models: { gpt-4.1: { context: 2000, capabilities: [tools] } }
providers:
  x: { kind: openai-compatible, base_url: https://x.example/v1/, region: eu, models: { gpt-4.1: { context: 1000 }, gpt-4o: } }
  y: { kind: openai-compatible, base_url: https://y.example/v1, models: { gpt-4.1: } }`);
    expect(snapshot.models.get("gpt-4.1")?.deployments.map(({ id, contextTokens }) => [id, contextTokens])).toEqual([
      ["x/gpt-4.1@eu", 1000],
      ["y/gpt-4.1", 2000],
    ]);
    expect(deployment(snapshot, "x/gpt-4.1@eu")?.capabilities).toEqual(new Set(["tools"]));
    expect(deployment(snapshot, "x/gpt-4o@eu")?.contextTokens).toBe(128_000);
    expect(snapshot.providers.get("x")?.baseUrl).toBe("https://x.example/v1");
  });

  it("takes a price from the entry or from the kind's list for that very id, and else knows none", () => {
    const snapshot = compiled(`
providers:
  openai: { kind: openai, keys: [{ value: k }], models: { gpt-4.1: , house: { id: gpt-4o }, tuned: { id: "ft:gpt-4.1:x" } } }
  rack: { kind: openai-compatible, base_url: https://x.example, models: { gpt-4.1: , house: { price: { input: 0, output: 1 } } } }`);
    expect(deployment(snapshot, "openai/gpt-4.1")?.price?.input).toBe(2);
    expect(deployment(snapshot, "openai/house")?.price?.input).toBe(2.5);
    expect(deployment(snapshot, "openai/tuned")?.price).toBeNull();
    expect(deployment(snapshot, "rack/gpt-4.1")?.price).toBeNull();
    expect(deployment(snapshot, "rack/house")?.price).toEqual({ input: 0, output: 1 });
  });

  it("takes what a model does not take from the kind's list for that very id, and what the file says before it", () => {
    const snapshot = compiled(`
providers:
  openai: { kind: openai, keys: [{ value: k }], models: { o3: , gpt-4.1: , tuned: { id: "ft:o3:x" }, gpt-5: { parameters: { refuses: [seed], max_stops: 1 } } } }
  rack: { kind: openai-compatible, base_url: https://x.example, models: { o3: , m: { parameters: { takes: [temperature] } } } }`);
    const parameters = (id: string) => deployment(snapshot, id)?.parameters;
    expect(parameters("openai/o3")?.modelRefuses.has("max_tokens")).toBe(true);
    expect(parameters("openai/o3")).toMatchObject({ takes: null, maxStops: 4 });
    expect(parameters("openai/gpt-4.1")?.modelRefuses.has("reasoning_effort")).toBe(true);
    expect(parameters("openai/gpt-4.1")?.refuses.has("top_k")).toBe(true);
    expect(parameters("openai/tuned")?.modelRefuses.size).toBe(0);
    expect(parameters("openai/gpt-5")).toEqual({
      takes: null,
      refuses: new Set(["seed"]),
      modelRefuses: new Set(),
      maxStops: 1,
    });
    expect(parameters("rack/o3")).toBeNull();
    expect(parameters("rack/m")).toMatchObject({ takes: new Set(["temperature"]), maxStops: null });
  });

  it("knows nothing of the abilities and the window of a model that nobody described", () => {
    const snapshot = compiled(
      "providers: { x: { kind: openai-compatible, base_url: https://x.example, models: { m: } } }",
    );
    expect(deployment(snapshot, "x/m")).toMatchObject({ capabilities: null, contextTokens: null, operation: "chat" });
  });

  it("puts a model that the file calls by its alias under its canonical name, and asks for it as written", () => {
    const snapshot = compiled(
      "providers: { x: { kind: openai-compatible, base_url: https://x.example, models: { openai/gpt-4.1: } } }",
    );
    expect(deployment(snapshot, "x/gpt-4.1")?.upstreamModel).toBe("openai/gpt-4.1");
  });

  it.each([
    ["http://127.0.0.1:9/v1", "private"],
    ["http://10.0.0.5:8000/v1", "private"],
    ["http://[fd00::1]/v1", "private"],
    ["http://169.254.169.254/", "private"],
    ["http://localhost:11434/v1", "private"],
    ["https://8.8.8.8/v1", "public"],
    ["https://api.example.com/v1", "public"],
    ["https://gpu.internal/v1", "public"],
    ["https://localhost.example.com/v1", "public"],
  ])("lets %s be %s when nothing is written", (url, visibility) => {
    const snapshot = compiled(`providers: { x: { kind: openai-compatible, base_url: "${url}", models: { m: } } }`);
    expect(snapshot.providers.get("x")?.visibility).toBe(visibility);
  });

  it("lets a name be private where that is written", () => {
    const text =
      "providers: { x: { kind: openai-compatible, base_url: https://gpu.internal, visibility: private, models: { m: } } }";
    expect(compiled(text).providers.get("x")?.visibility).toBe("private");
  });

  it("gives sandboxes the addresses that they listen on", () => {
    const snapshot = compiled(defaultConfigText);
    expect(snapshot.providers.get("sandbox-b")).toMatchObject({
      baseUrl: "http://127.0.0.1:1/sandbox-b",
      visibility: "private",
    });
    expect(snapshot.models.get("sandbox-chat")?.deployments.map((each) => each.provider)).toEqual([
      "sandbox-a",
      "sandbox-b",
    ]);
  });

  it("gives the same text the same version and another text another", () => {
    const text = "providers: { a: { kind: sandbox } }";
    expect(compiled(text).version).toMatch(/^[0-9a-f]{12}$/);
    expect(compiled(text).version).toBe(compiled(text).version);
    expect(compiled(`${text} `).version).not.toBe(compiled(text).version);
  });

  it("knows who holds a key, and nobody else", () => {
    const { keyRing } = compiled(
      "providers: { a: { kind: sandbox } }\nkeys: [{ name: app, value: k-0123456789abcdef, workspace: search, environment: staging }]",
    );
    expect(keyRing.find("k-0123456789abcdef")).toMatchObject({
      workspace: "search",
      environment: "staging",
      key: "app",
    });
    expect(keyRing.find("k-0123456789abcdeg")).toBeNull();
  });
});

describe("compiling a deployment's facts", () => {
  it("takes them from the entry, the provider, the model, and what is built in", () => {
    const snapshot = compiled(`
models: { house: { max_output: 500, tier: 4 } }
providers:
  rack: { kind: openai-compatible, base_url: http://10.0.0.5/v1, retains: false,
          models: { house: { quantization: fp8 }, gpt-4o: { max_output: 100 } } }
  cloud: { kind: openai-compatible, base_url: https://x.example/v1, trains: true, models: { house: } }
  openai: { kind: openai, keys: [{ value: k }], models: { gpt-4o: , gpt-4.1: { id: "ft:gpt-4.1:x" } } }`);
    expect(deployment(snapshot, "rack/house")).toMatchObject({
      owner: "default",
      quantization: "fp8",
      outputTokens: 500,
      retains: false,
      trains: null,
    });
    expect(deployment(snapshot, "cloud/house")).toMatchObject({
      owner: null,
      quantization: null,
      retains: null,
      trains: true,
    });
    expect(deployment(snapshot, "rack/gpt-4o")).toMatchObject({ outputTokens: 100, quantization: null });
    expect(deployment(snapshot, "openai/gpt-4o")).toMatchObject({ outputTokens: 16_384, quantization: "full" });
    expect(deployment(snapshot, "openai/gpt-4.1")?.quantization).toBeNull();
    expect(snapshot.models.get("house")?.compared).toMatchObject({ tier: 4, usdPerMillion: null });
    expect(snapshot.models.get("gpt-4o")?.compared).toMatchObject({ tier: 3, usdPerMillion: 4.375 });
  });
});

describe("compiling routes", () => {
  const providers = "providers: { a: { kind: sandbox }, b: { kind: sandbox } }\n";
  const asked = { operation: "chat", model: "sandbox-chat", workspace: "default", environment: "production" } as const;

  it("ends in a route that matches everything", () => {
    const { routes } = compiled(`${providers}routes: [{ name: e, match: { operation: embeddings } }]`);
    expect(routes.map((route) => route.name)).toEqual(["e", "default"]);
    expect(routes[1]).toMatchObject({ providers: null, failover: failoverPreset("balanced") });
    expect(compiled(`${providers}routes: [{ name: all }]`).routes.map((route) => route.name)).toEqual(["all"]);
  });

  it("puts the route's own values over those of its aggressiveness", () => {
    const { routes } = compiled(
      `${providers}routes: [{ name: r, aggressiveness: eager, providers: [b], failover: { stall: 40s, breaker: { of: 7 } } }]`,
    );
    const preset = failoverPreset("eager");
    expect(routes[0]).toMatchObject({ providers: ["b"], strategy: "order" });
    expect(routes[0]?.failover).toEqual({ ...preset, stallMs: 40_000, breaker: { ...preset.breaker, of: 7 } });
  });

  it.each([
    ["eager", "", "p95"],
    ["eager", "hedge: off", null],
    ["balanced", "", null],
    ["balanced", "hedge: p95", "p95"],
    ["patient", "hedge: 800ms", 800],
  ])("hedges as the route says, else as its aggressiveness: %s, %s", (aggressiveness, failover, hedge) => {
    const { routes } = compiled(
      `${providers}routes: [{ name: r, aggressiveness: ${aggressiveness}, failover: { ${failover} } }]`,
    );
    expect(routes[0]?.failover.hedge).toBe(hedge);
    expect(routes[0]?.failover.onLimit).toBe(aggressiveness === "eager" ? "race" : "next");
  });

  it("chooses the first route of which every condition holds", () => {
    const snapshot = compiled(`${providers}
routes:
  - { name: staging, match: { environments: [staging] } }
  - { name: search, match: { workspaces: [search, ads], models: ["sandbox-*"] } }
  - { name: search-late, match: { workspaces: [search] } }
  - { name: vectors, match: { operation: embeddings } }`);
    expect(routeFor(snapshot, asked).name).toBe("default");
    expect(routeFor(snapshot, { ...asked, environment: "staging", workspace: "search" }).name).toBe("staging");
    expect(routeFor(snapshot, { ...asked, workspace: "search" }).name).toBe("search");
    expect(routeFor(snapshot, { ...asked, workspace: "search", model: "gpt-4.1" }).name).toBe("search-late");
    expect(routeFor(snapshot, { ...asked, operation: "embeddings" }).name).toBe("vectors");
  });

  it("chooses by headers, whatever the case of their names, when every one has its value", () => {
    const snapshot = compiled(`${providers}
routes:
  - { name: batch, match: { header: { X-Feature: batch, x-team: web } } }`);
    const by = (headers: Record<string, string>) => routeFor(snapshot, { ...asked, headers }).name;
    expect(by({ "x-feature": "batch", "x-team": "web" })).toBe("batch");
    expect(by({ "x-feature": "batch" })).toBe("default");
    expect(by({ "x-feature": "Batch", "x-team": "web" })).toBe("default");
    expect(routeFor(snapshot, asked).name).toBe("default");
    expect(snapshot.routes.map((route) => route.name)).toEqual(["batch", "default"]);
  });

  it("is weighted where there are weights, and as it says where it says", () => {
    const strategy = (yaml: string) => compiled(`${providers}routes: [{ name: r, ${yaml} }]`).routes[0]?.strategy;
    expect(strategy("weights: { a: 9, b: 1 }")).toBe("weighted");
    expect(strategy("strategy: order, weights: { a: 9, b: 1 }")).toBe("order");
    expect(strategy("providers: [a]")).toBe("order");
    expect(strategy("strategy: latency")).toBe("latency");
  });

  it("keeps what a route asks of its deployments", () => {
    const { routes } = compiled(
      `providers: { a: { kind: sandbox, region: eu-1 } }
routes: [{ name: r, regions: [eu], fidelity: strict, quantizations: [fp8], max_price: { output: 2 }, equivalents: nearest,
           failover: { max_cost_multiplier: 1.2 } }]`,
    );
    expect(routes[0]).toMatchObject({
      regions: ["eu"],
      fidelity: "strict",
      quantizations: ["fp8"],
      maxPrice: { input: null, output: 2, request: null },
      maxCostMultiplier: 1.2,
      equivalents: "nearest",
    });
  });

  it.each([
    ["gpt-4.1", "gpt-4.1", true],
    ["gpt-4.1", "gpt-411", false],
    ["gpt-4.1", "gpt-4.1-mini", false],
    ["gpt-*", "gpt-4.1-mini", true],
    ["*-mini", "gpt-4.1-mini", true],
    ["*", "anything/at-all", true],
    ["g*1*i", "gpt-4.1-mini", true],
    ["openai/gpt-4.1", "gpt-4.1", true],
  ])("reads the pattern %s: %s is matched: %s", (glob, model, matched) => {
    expect(globOf(glob).test(model)).toBe(matched);
  });
});
