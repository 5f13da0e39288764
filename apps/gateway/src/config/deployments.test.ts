import { builtInCatalog, Catalog, isTwin } from "@tuloy/catalog";
import type { ProviderConfig } from "@tuloy/contract";
import { dialectsFor } from "@tuloy/dialects";
import { describe, expect, it } from "vitest";

import { anyRequest, planOf } from "../cli/plan-view.ts";
import { compile } from "./compile.ts";
import { servingsOf } from "./deployments.ts";
import { resolveModel } from "./match.ts";
import { automaticOffers, offerFor } from "./offered.ts";
import { presetFor } from "./preset-for.ts";
import { loadConfig } from "./read.ts";

function loaded(text: string, catalog = builtInCatalog) {
  const result = loadConfig(text, "f", {}, () => catalog);
  if (!result.ok) throw new Error(result.problems.map(({ path, message }) => `${path} ${message}`).join("\n"));
  return result;
}

const deployments = (text: string, catalog = builtInCatalog) =>
  servingsOf(loaded(text, catalog).config, catalog).map(({ deployment }) => deployment);
const snapshot = (text: string) => compile(loaded(text).config, text, new Map());
const rack = (models: string, more = "") =>
  `providers: { rack: { kind: openai-compatible, base_url: http://10.0.0.5/v1, models: { ${models} } } }\n${more}`;

describe("a provider that names no models", () => {
  it("serves what the catalog proves its kind to serve, each model once", () => {
    const served = deployments("providers: { openai: { kind: openai, keys: [{ value: k }] } }");
    const dialects = new Set(dialectsFor(presetFor("openai"), "chat", "o3-pro"));
    const proved = builtInCatalog
      .offers("openai")
      .filter((offer) => isTwin(offer) && (offer.onlyDialect === null || dialects.has(offer.onlyDialect)));
    expect(new Set(served.map(({ model }) => model))).toEqual(new Set(proved.map(({ model }) => model)));
    expect(new Set(served.map(({ id }) => id)).size).toBe(served.length);
    expect(served.map(({ model }) => model)).toContain("text-embedding-3-small");
    const pro = served.find(({ model }) => model === "o3-pro");
    expect(pro?.dialects ?? null).toEqual(dialects.has("openai-responses") ? ["openai-responses"] : null);
  });

  it("takes its offers' prices, limits and abilities", () => {
    const [first] = builtInCatalog.data.offers["openai"]?.filter(([model]) => model === "gpt-4.1") ?? [];
    const changed = new Catalog({
      ...builtInCatalog.data,
      offers: { openai: [["gpt-4.1", first?.[1] ?? "", "author", [1, 2, 0.5, 3], { context: 5000, can: ["tools"] }]] },
    });
    expect(deployments("providers: { openai: { kind: openai, keys: [{ value: k }] } }", changed)).toMatchObject([
      {
        price: { input: 1, output: 2, cachedInput: 0.5, cacheWrite: 3 },
        contextTokens: 5000,
        outputTokens: 32_768,
        capabilities: new Set(["tools"]),
        quantization: "full",
      },
    ]);
  });
});

describe("a kind that is for trying models", () => {
  const [hub, dear] = [
    "hub: { kind: github-models, keys: [{ value: k }]",
    "openai: { kind: openai, keys: [{ value: k }] }",
  ];

  it("serves nothing that the file does not name", () => {
    const result = loadConfig(`providers: { ${hub} } }`, "f", {});
    expect(result.ok ? [] : result.problems.map(({ path, message }) => `${path} ${message}`)).toEqual([
      "providers.hub.models is missing: nothing of it is used unasked, since it is for trying models: prompts of a few thousand " +
        "tokens, and some requests a day; write models: { its-model: }",
    ]);
  });

  it("serves what is named under its own id, at no price unless the file has one", () => {
    expect(deployments(`providers: { ${hub}, models: { gpt-4.1: } } }`)).toMatchObject([
      { model: "gpt-4.1", upstreamModel: "openai/gpt-4.1", price: null },
    ]);
    expect(
      deployments(`providers: { ${hub}, models: { openai/gpt-4.1: { price: { input: 0, output: 0 } } } } }`),
    ).toMatchObject([{ model: "gpt-4.1", upstreamModel: "openai/gpt-4.1", price: { input: 0, output: 0 } }]);
  });

  it("does not come first under cost", () => {
    const compiled = snapshot(
      `providers: { ${hub}, models: { gpt-4.1: } }, ${dear} }\nroutes: [{ name: default, strategy: cost }]`,
    );
    const [entry, route] = [compiled.models.get("gpt-4.1"), compiled.routes[0]];
    if (entry === undefined || route === undefined) throw new Error("nothing is planned");
    const { candidates } = planOf(compiled, entry, route, anyRequest);
    expect(candidates.map(({ id }) => id)).toEqual(["openai/gpt-4.1", "hub/gpt-4.1"]);
  });
});

describe("an id for each part of the world", () => {
  const bedrockIn = (place: Partial<Pick<ProviderConfig, "location" | "region">>): ProviderConfig =>
    ({ kind: "bedrock", ...place }) as unknown as ProviderConfig;
  const chosen = (model: string, place: Partial<Pick<ProviderConfig, "location" | "region">>) =>
    offerFor(bedrockIn(place), model, builtInCatalog)?.id ?? null;

  it.each([
    [undefined, "global.anthropic.claude-sonnet-4-6"],
    ["eu-west-1", "eu.anthropic.claude-sonnet-4-6"],
    ["us-east-1", "us.anthropic.claude-sonnet-4-6"],
    ["ap-northeast-1", "jp.anthropic.claude-sonnet-4-6"],
    ["ap-northeast-3", "jp.anthropic.claude-sonnet-4-6"],
    // No profile is for Korea, Canada, or a Kingdom that left the Union.
    ["ap-northeast-2", "global.anthropic.claude-sonnet-4-6"],
    ["ca-central-1", "global.anthropic.claude-sonnet-4-6"],
    ["eu-west-2", "global.anthropic.claude-sonnet-4-6"],
    // A partition of its own, where no profile of the other regions is known.
    ["us-gov-west-1", null],
  ])("of a provider at the location %s is the one that holds it, else the one for anywhere", (location, id) => {
    expect(chosen("claude-sonnet-4-6", location === undefined ? {} : { location })).toBe(id);
  });

  it.each([
    ["eu", "eu.anthropic.claude-sonnet-4-6"],
    ["ca-central-1", null],
  ])("is not the one for anywhere where the file says that it computes in %s", (region, id) => {
    expect(chosen("claude-sonnet-4-6", { region, location: "ca-central-1" })).toBe(id);
  });

  it.each([
    ["claude-haiku-4-5", "au.anthropic.claude-haiku-4-5-20251001-v1:0"],
    ["claude-sonnet-4-5", "au.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    ["claude-opus-4-5", "global.anthropic.claude-opus-4-5-20251101-v1:0"],
    // There is one for the United States, and no other.
    ["claude-opus-4-1", null],
    ["deepseek-r1", null],
    ["llama-4-scout", null],
    ["deepseek-v3.2", "deepseek.v3.2"],
  ])("is never one that is refused: %s in Sydney", (model, id) => {
    expect(chosen(model, { location: "ap-southeast-2" })).toBe(id);
  });

  it("leads to no refused id at any location, and to none that computes outside of a pinned region", () => {
    for (const location of presetFor("bedrock").locationRegions?.keys() ?? []) {
      for (const { id, answered, region, model } of automaticOffers(bedrockIn({ location }), builtInCatalog)) {
        expect([location, id, answered]).toEqual([location, id, true]);
        const [serving] = deployments(
          `providers: { aws: { kind: bedrock, location: ${location}, keys: [{ value: ambient }], models: { ${model}: } } }`,
        );
        expect([id, serving?.upstreamModel, serving?.region]).toEqual([id, id, region ?? serving?.region]);
      }
    }
  });

  it("is the narrowest that holds it, and never a free tier", () => {
    const offers = new Catalog({
      ...builtInCatalog.data,
      offers: {
        bedrock: [
          ["gpt-oss-20b", "us.openai.gpt-oss-20b-1:0", "id", null, { region: "us" }],
          ["gpt-oss-20b", "us-gov.openai.gpt-oss-20b-1:0", "id", null, { region: "us-gov" }],
          ["gpt-oss-120b", "openai.gpt-oss-120b:free", "id", null, { variant: "a free tier" }],
        ],
      },
    });
    const provider = { kind: "bedrock", region: "us-gov-west-1" } as unknown as ProviderConfig;
    expect(offerFor(provider, "gpt-oss-20b", offers)?.id).toBe("us-gov.openai.gpt-oss-20b-1:0");
    expect(offerFor(provider, "gpt-oss-120b", offers)).toBeNull();
  });

  it("is none where every one is for another part", () => {
    const elsewhere = new Catalog({
      ...builtInCatalog.data,
      offers: {
        bedrock: [["claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6", "id", null, { region: "us" }]],
      },
    });
    const provider = { kind: "bedrock", region: "eu-west-1" } as unknown as ProviderConfig;
    expect(offerFor(provider, "claude-sonnet-4-6", elsewhere)).toBeNull();
  });

  it("says where a deployment computes, before what its provider says", () => {
    const text = rack(
      "claude-sonnet-4-6: { id: eu.anthropic.claude-sonnet-4-6 }",
      "routes: [{ name: eu, regions: [eu] }]",
    );
    expect(deployments(text)).toMatchObject([{ id: "rack/claude-sonnet-4-6@eu", region: "eu" }]);
    const there = text.replace("base_url", "region: us, base_url");
    expect(deployments(there.replace("regions: [eu]", ""))).toMatchObject([{ region: "eu" }]);
  });
});

describe("a model that is declared by a provider's own id", () => {
  const text = rack("meta-llama/Llama-3.3-70B-Instruct-FP8: , gpt-4.1-2025-04-14: , openai/gpt-oss-120b:free: ");

  it("is the model that the id names, at the precision that it names", () => {
    expect(deployments(text)[0]).toMatchObject({
      id: "rack/llama-3.3-70b",
      model: "llama-3.3-70b",
      upstreamModel: "meta-llama/Llama-3.3-70B-Instruct-FP8",
      quantization: "fp8",
      contextTokens: 128_000,
    });
  });

  it("is a model of the file's own where the id says more: a dated release, a free tier", () => {
    expect(deployments(text).slice(1)).toMatchObject([
      { model: "gpt-4.1-2025-04-14", contextTokens: null },
      { model: "openai/gpt-oss-120b:free", contextTokens: null },
    ]);
  });

  it("is asked for by either name", () => {
    const compiled = snapshot(text);
    for (const name of [
      "llama-3.3-70b",
      "meta-llama/Llama-3.3-70B-Instruct-FP8",
      "meta-llama/Llama-3.3-70B-Instruct",
    ]) {
      expect(resolveModel(compiled, name)).toMatchObject({ entry: { model: "llama-3.3-70b" }, lock: null });
    }
  });

  it("is what the file's models say it is, where they name it", () => {
    const own = rack("Llama-3.3-70B-FP8: ", "models: { Llama-3.3-70B-FP8: { context: 1000 } }");
    expect(deployments(own)).toMatchObject([{ model: "Llama-3.3-70B-FP8", contextTokens: 1000 }]);
  });

  it("is not the model whose name alone is equal", () => {
    const alike = new Catalog({
      ...builtInCatalog.data,
      offers: { openai: [["gpt-4.1", "house-pet", "name", [1, 1]]] },
    });
    const file = (models: string) => `providers: { o: { kind: openai, keys: [{ value: k }], models: { ${models} } } }`;
    expect(deployments(file("house-pet: "), alike)).toMatchObject([{ model: "house-pet" }]);
    // The file says so itself, and the catalog knows under which id.
    expect(deployments(file("gpt-4.1: "), alike)).toMatchObject([{ model: "gpt-4.1", upstreamModel: "house-pet" }]);
  });

  it("is not declared twice under two names", () => {
    const twice = loadConfig(rack("llama-3.3-70b: , Llama-3.3-70B-Instruct-FP8: "), "f", {});
    expect(twice).toMatchObject({ ok: false, problems: [{ message: "is the same model as llama-3.3-70b" }] });
  });

  it("is locked to by other spellings of that id, and not by ids that say something else", () => {
    const compiled = snapshot(text);
    const locked = (id: string) => resolveModel(compiled, `@rack/${id}`);
    expect(locked("hf:meta-llama/llama-3.3-70b-instruct-fp8")).toMatchObject({
      entry: { model: "llama-3.3-70b" },
      lock: "rack",
    });
    expect(locked("hf:meta-llama/Llama-3.3-70B-Instruct-FP4")).toHaveProperty("notFound");
    expect(locked("us.meta.llama-3.3-70b-instruct-fp8")).toHaveProperty("notFound");
    expect(locked("llama-3.3-70b:free")).toHaveProperty("notFound");
  });
});

it("a configuration is checked and compiled against the catalog that it is given", () => {
  const more = new Catalog({
    ...builtInCatalog.data,
    models: [
      ...builtInCatalog.data.models,
      { name: "gpt-9", author: "openai", title: "GPT-9", aliases: ["openai/gpt-9"], context: 9000, tier: 5 },
    ],
    offers: { ...builtInCatalog.data.offers, openai: [["gpt-9", "gpt-9", "author", [9, 9]]] },
  });
  const text =
    "providers: { openai: { kind: openai, keys: [{ value: k }] } }\nmodels: { gpt-9: { equivalents: [gpt-4.1] } }";
  const refused = loadConfig(text, "f", {}, () => more);
  expect(refused).toMatchObject({
    ok: false,
    problems: [{ message: expect.stringContaining("is served by no provider") }],
  });
  const plain = text.slice(0, text.indexOf("\n"));
  const compiled = compile(loaded(plain, more).config, plain, new Map(), null, more);
  expect(resolveModel(compiled, "openai/gpt-9")).toMatchObject({ entry: { model: "gpt-9", compared: { tier: 5 } } });
});
