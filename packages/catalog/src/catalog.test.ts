import { describe, expect, it } from "vitest";

import { catalogModel, catalogModels, offersOf } from "./index.ts";

describe("the catalog", () => {
  it("gives every name and alias to one model only", () => {
    const names = catalogModels.flatMap((model) => [model.name, ...model.aliases]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("finds a model by its name and by author/name", () => {
    expect(catalogModel("gpt-4.1")?.contextTokens).toBe(1_047_576);
    expect(catalogModel("openai/gpt-4.1")).toBe(catalogModel("gpt-4.1"));
    expect(catalogModel("gpt-4.1-and-a-half")).toBeNull();
    expect(catalogModel("__proto__")).toBeNull();
  });

  it("keeps dated releases apart from the name that moves", () => {
    expect(catalogModel("gpt-4o-2024-05-13")?.outputTokens).toBe(4096);
    expect(catalogModel("gpt-4o")?.outputTokens).toBe(16_384);
  });

  it("gives vectors' lengths to embedding models and to nothing else", () => {
    expect(catalogModels.filter((model) => model.dimensions !== null)).toEqual(
      catalogModels.filter((model) => model.operation === "embeddings"),
    );
    expect(catalogModel("text-embedding-3-large")?.dimensions).toBe(3072);
    expect(catalogModel("text-embedding-ada-002")?.dimensions).toBe(1536);
  });

  it("knows which models reason unseen", () => {
    expect(catalogModel("o3")?.hiddenReasoning).toBe(true);
    expect(catalogModel("gpt-4o-mini")?.hiddenReasoning).toBe(false);
  });

  it.each(["openai", "sandbox"])("offers each model of %s once, by a known name and at a price", (kind) => {
    const offers = offersOf(kind);
    expect(offers.length).toBeGreaterThan(2);
    expect(new Set(offers.map((offer) => offer.model)).size).toBe(offers.length);
    for (const { model, id, price } of offers) {
      expect(catalogModel(model)?.name).toBe(model);
      expect(id).not.toBe("");
      expect(price.input).toBeGreaterThan(0);
      expect(price.output).toBeGreaterThanOrEqual(0);
      expect(price.cachedInput ?? 0).toBeLessThanOrEqual(price.input);
    }
  });

  it("offers nothing for a kind that could serve anything", () => {
    expect(offersOf("openai-compatible")).toEqual([]);
  });

  it("leaves out models that no chat endpoint answers", () => {
    expect(catalogModel("o3-pro")).toBeNull();
    expect(catalogModel("gpt-5-codex")).toBeNull();
  });
});
