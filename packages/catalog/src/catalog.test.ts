import { describe, expect, it } from "vitest";

import { builtInData } from "./data/built-in.ts";
import { ownData } from "./data/own.ts";
import { builtInCatalog as catalog, isTwin } from "./index.ts";
import { tierOf } from "./knowledge/tiers.ts";
import { modelRowSchema, offerRowSchema, providerRowSchema } from "./sync/kept.ts";

const offers = [...catalog.providers.keys()].flatMap((provider) => catalog.offers(provider));

describe("the rows of the catalog", () => {
  it("each have the form that is written down", () => {
    expect(builtInData.models.filter((row) => !modelRowSchema.safeParse(row).success)).toEqual([]);
    expect(builtInData.providers.filter((row) => !providerRowSchema.safeParse(row).success)).toEqual([]);
    const rows = Object.values(builtInData.offers).flat();
    expect(rows.filter((row) => !offerRowSchema.safeParse(row).success)).toEqual([]);
  });

  it("hold all that is described by hand", () => {
    const models = new Map(builtInData.models.map((row) => [row.name, row]));
    for (const row of ownData.models) expect(models.get(row.name)).toEqual(row);
    for (const [kind, rows] of Object.entries(ownData.offers)) {
      const linked = new Map(builtInData.offers[kind]?.map(([model, id]) => [id, model]));
      for (const [model, id] of rows) expect([kind, id, linked.get(id)]).toEqual([kind, id, model]);
    }
  });

  it("give every name and alias to one model only", () => {
    const names = catalog.models.flatMap((model) => [model.name, ...model.aliases]);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it("name each provider and each of its ids once, and offer only known models", () => {
    const providers = builtInData.providers.map(({ name }) => name);
    expect(new Set(providers).size).toBe(providers.length);
    expect(Object.keys(builtInData.offers).filter((name) => !providers.includes(name))).toEqual([]);
    for (const [kind, rows] of Object.entries(builtInData.offers)) {
      const ids = rows.map(([, id]) => id);
      expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
      expect(rows.filter(([model]) => catalog.model(model)?.name !== model)).toEqual([]);
      expect(catalog.offers(kind)).toHaveLength(rows.length);
    }
  });

  it("have windows that fit what is written, and prices that are numbers from 0 on", () => {
    for (const { contextTokens, outputTokens } of catalog.models) {
      expect(contextTokens).toBeGreaterThan(0);
      expect(outputTokens ?? 1).toBeLessThanOrEqual(contextTokens);
    }
    for (const { price, contextTokens } of offers) {
      expect(contextTokens ?? 1).toBeGreaterThan(0);
      for (const usd of Object.values(price ?? {})) expect(usd).toBeGreaterThanOrEqual(0);
    }
  });

  it("give vectors' lengths to embedding models and to nothing else", () => {
    for (const { operation, dimensions, normalized, outputTokens } of catalog.models) {
      expect(dimensions !== null).toBe(operation === "embeddings");
      expect(operation === "chat" ? normalized : outputTokens).toBeNull();
    }
  });
});

describe("the catalog", () => {
  it("has 150 models and more that two kinds of provider or more serve without anybody declaring it", () => {
    // Counted are kinds of provider that a configuration may name, each once however many regions it serves a model in, and only
    // offers whose link to the model is proved and that mean the model and nothing else: no equal name, no free tier, and none that
    // only the Responses API reaches.
    const kinds = new Map<string, Set<string>>();
    for (const offer of offers) {
      if (!isTwin(offer) || offer.onlyDialect !== null || catalog.providers.get(offer.kind)?.isKind !== true) continue;
      const serving = kinds.get(offer.model) ?? new Set();
      kinds.set(offer.model, serving.add(offer.kind));
    }
    const shared = [...kinds].filter(([, serving]) => serving.size >= 2).map(([model]) => model);
    expect(shared.length).toBeGreaterThanOrEqual(150);
    expect(shared.filter((model) => catalog.model(model)?.operation === "chat").length).toBeGreaterThanOrEqual(130);
    expect(kinds.get("claude-sonnet-4-6")).toEqual(
      new Set(["anthropic", "azure", "bedrock", "databricks", "openrouter", "vertex"]),
    );
  });

  it("finds a model by its name, by author/name, and as providers that put the author first write it", () => {
    expect(catalog.model("gpt-4.1")?.contextTokens).toBe(1_047_576);
    expect(catalog.model("openai/gpt-4.1")).toBe(catalog.model("gpt-4.1"));
    expect(catalog.model("anthropic/claude-opus-4.6")).toBe(catalog.model("claude-opus-4-6"));
    expect(catalog.model("meta-llama/Llama-3.3-70B-Instruct")).toBe(catalog.model("llama-3.3-70b"));
    expect(catalog.model("gpt-4.1-and-a-half")).toBeNull();
    expect(catalog.model("__proto__")).toBeNull();
    expect(catalog.offers("__proto__")).toEqual([]);
    expect(catalog.servedBy("constructor")).toEqual([]);
  });

  it("takes an author's alias and the one release it stands for as one model", () => {
    expect(catalog.model("claude-sonnet-4-5-20250929")?.name).toBe("claude-sonnet-4-5");
    expect(catalog.model("claude-opus-4-20250514")).toBe(catalog.model("claude-opus-4-0"));
  });

  it("keeps dated releases apart from the name that moves", () => {
    expect(catalog.model("gpt-4o-2024-05-13")?.outputTokens).toBe(4096);
    expect(catalog.model("gpt-4o")?.outputTokens).toBe(16_384);
  });

  it("knows which models reason unseen", () => {
    const unseen = ["o3", "gpt-5", "gemini-2.5-pro"].map((name) => catalog.model(name)?.hiddenReasoning);
    const seen = ["gpt-4o-mini", "claude-opus-4-8", "deepseek-r1", "gpt-oss-120b"].map(
      (name) => catalog.model(name)?.hiddenReasoning,
    );
    expect(unseen).toEqual([true, true, true]);
    expect(seen).toEqual([false, false, false, false]);
  });

  it("says what an author's own endpoint refuses, and who refuses it as well", () => {
    const refused = (kind: string, model: string) =>
      [...(catalog.offers(kind).find((offer) => offer.model === model)?.refuses ?? [])].slice(0, 2);
    expect(refused("openai", "gpt-5")).toEqual(["max_tokens", "temperature"]);
    expect(refused("openai", "gpt-4.1")).toEqual(["reasoning_effort", "verbosity"]);
    expect(refused("bedrock", "claude-opus-4-8")).toEqual(["temperature", "top_p"]);
    expect(refused("openrouter", "claude-opus-4-8")).toEqual([]);
  });

  it("takes no id for a model that it only resembles", () => {
    const linkOf = (kind: string, id: string) => catalog.offers(kind).find((offer) => offer.id === id);
    expect(linkOf("cloudflare", "@cf/deepseek-ai/deepseek-r1-distill-qwen-32b")?.link).toBe("name");
    expect(linkOf("databricks", "databricks-claude-sonnet-4")?.model).toBe("claude-sonnet-4");
    expect(linkOf("databricks", "databricks-gemini-3-1-pro")?.link).toBe("name");
    expect(linkOf("friendli", "Qwen/Qwen3-235B-A22B-Instruct-2507")?.model).toBe("qwen3-235b-a22b-instruct-2507");
    expect(linkOf("openrouter", "openai/gpt-oss-120b:free")?.variant).toContain("free tier");
  });

  it("knows what only the Responses API of OpenAI and Azure reaches", () => {
    const only = (kind: string, model: string) =>
      catalog.offers(kind).find((offer) => offer.model === model)?.onlyDialect;
    expect([only("openai", "o3-pro"), only("azure", "gpt-5-pro")]).toEqual(["openai-responses", "openai-responses"]);
    expect([only("openrouter", "o3-pro"), only("openai", "gpt-5")]).toEqual([null, null]);
  });

  it("offers nothing for a kind that could serve anything", () => {
    expect(catalog.offers("openai-compatible")).toEqual([]);
  });

  it("places no model of a tenth of the size beside the large one of its generation", () => {
    const tier = (name: string) => catalog.model(name)?.tier ?? 0;
    expect(tier("qwen3.5-9b")).toBeLessThan(tier("qwen3.5-27b"));
    expect(tier("qwen3.5-27b")).toBeLessThan(tier("qwen3.5-122b-a10b"));
    expect(tier("qwen3.5-122b-a10b")).toBeLessThan(tier("qwen3.5-397b-a17b"));
  });

  it("holds the tiers that are written down", () => {
    const own = new Set(ownData.models.map(({ name }) => name));
    const chat = catalog.models.filter(({ name, operation }) => operation === "chat" && !own.has(name));
    expect(chat.map(({ name, tier }) => [name, tier])).toEqual(chat.map(({ name }) => [name, tierOf(name)]));
  });

  it("gives every chat model a tier and its vendor's words", () => {
    expect(catalog.model("claude-sonnet-4-6")?.quirks.join(" ")).toContain(
      "A last assistant message is answered with 400",
    );
    expect(catalog.model("voyage-4")).toMatchObject({ dimensions: 1024, normalized: true, verifiedAt: "2026-11-24" });
  });
});
