import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Catalog } from "../catalog.ts";
import type { CatalogData, OfferRow } from "../data-rows.ts";
import { builtInCatalog, isTwin } from "../index.ts";
import { layOver } from "../lay-over.ts";
import { changeOf, isEmpty, largeRemovals, newsOf, readSource } from "./index.ts";
import { readKept, withKept } from "./kept.ts";
import type { KeptCatalog } from "./kept.ts";
import { saysNothingElse } from "./offers.ts";

const builtIn = builtInCatalog.data;

type Row = Record<string, unknown>;

function row(name: string, more: Row = {}): Row {
  return {
    name,
    reasoning: false,
    tool_call: true,
    modalities: { input: ["text"], output: ["text"] },
    limit: { context: 100_000, output: 10_000 },
    cost: { input: 1, output: 2 },
    ...more,
  };
}

function source(providers: Record<string, Record<string, Row>>, models: Record<string, Row> = {}): unknown {
  const named = Object.entries(providers).map(([name, rows]) => [name, { name, models: rows }]);
  return { models, providers: Object.fromEntries(named) };
}

/** The catalog after a sync with this, and what the sync would have told. */
function synced(json: unknown, before: Catalog = builtInCatalog) {
  const news = newsOf(readSource(json), builtIn);
  return {
    news,
    change: changeOf(before.data, builtIn, news),
    catalog: new Catalog(layOver(builtIn, news.data, news.removed)),
  };
}

const offer = (catalog: Catalog, kind: string, id: string) => catalog.offers(kind).find((one) => one.id === id);

describe("a sync", () => {
  it("makes no twin of a name that moves on, nor of what the rules would read wrongly, whatever is claimed", () => {
    const claim = (base_model: string) => row("Another name", { base_model });
    const { catalog } = synced(
      source(
        {
          deepinfra: { "deepseek-ai/deepseek-chat": claim("deepseek/deepseek-chat") },
          groq: { "gemini-flash-latest": claim("google/gemini-flash-latest") },
          "snowflake-cortex": { "snowflake-llama-3.3-70b": claim("meta/llama-3.3-70b") },
          "amazon-bedrock": { "deepseek.v3-v1:0": row("DeepSeek-V3") },
          gmicloud: { "zai-org/GLM-5": row("GLM-5") },
        },
        { "meta/llama-3.3-70b": row("Llama 3.3 70B Instruct") },
      ),
    );
    const links = [
      ["deepinfra", "deepseek-ai/deepseek-chat", "deepseek-chat", "name"],
      ["groq", "gemini-flash-latest", "gemini-flash-latest", "name"],
      ["snowflake-cortex", "snowflake-llama-3.3-70b", "llama-3.3-70b", "name"],
      ["bedrock", "deepseek.v3-v1:0", "deepseek-v3.1", "id"],
      ["gmicloud", "zai-org/GLM-5", "glm-5", "id"],
    ] as const;
    for (const [kind, id, model, link] of links) expect(offer(catalog, kind, id)).toMatchObject({ id, model, link });
  });

  it("takes a new price and new limits, and says so", () => {
    const opus = row("Claude Opus 4.8", { cost: { input: 4, output: 20 }, limit: { context: 500_000, output: 1000 } });
    const { catalog, change } = synced(source({ anthropic: { "claude-opus-4-8": opus } }));
    expect(offer(catalog, "anthropic", "claude-opus-4-8")).toMatchObject({
      price: { input: 4, output: 20 },
      contextTokens: 500_000,
      link: "author",
    });
    const told = change.changed.find(({ id }) => id === "claude-opus-4-8");
    expect(told?.what).toContain("input $5 → $4");
    expect(told?.what).toContain("context as the model → 500000");
  });

  it("adds a model that its author serves, with who else serves it under a form of its name", () => {
    const opus = row("Claude Opus 6");
    const { catalog, change } = synced(
      source(
        {
          anthropic: { "claude-opus-6": opus },
          "amazon-bedrock": { "eu.anthropic.claude-opus-6-v1:0": opus },
          somebody: { "opus-latest": row("Claude Opus 6") },
        },
        { "anthropic/claude-opus-6": opus },
      ),
    );
    expect(change.addedModels).toEqual(["claude-opus-6"]);
    expect(offer(catalog, "bedrock", "eu.anthropic.claude-opus-6-v1:0")).toMatchObject({ link: "id", region: "eu" });
    expect(offer(catalog, "somebody", "opus-latest")?.link).toBe("name");
    expect(catalog.model("anthropic/claude-opus-6")?.name).toBe("claude-opus-6");
  });

  it("finds new models in what authors serve when the source lists providers only", () => {
    const json = { openai: { name: "OpenAI", models: { "gpt-9": row("GPT-9") } } };
    expect(synced(json).change.addedModels).toEqual(["gpt-9"]);
  });

  it("takes away what a provider does not list any more, and nothing of providers that are not in the source", () => {
    const { catalog, change } = synced(source({ groq: {}, deepseek: { "deepseek-v4-pro": row("DeepSeek V4 Pro") } }));
    expect(change.removedOffers).toContainEqual({ provider: "groq", id: "openai/gpt-oss-120b", model: "gpt-oss-120b" });
    expect(offer(catalog, "groq", "openai/gpt-oss-120b")).toBeUndefined();
    // Described by hand: the source never listed it.
    expect(offer(catalog, "groq", "openai/gpt-oss-20b")).toBeDefined();
    expect(catalog.offers("openrouter")).toHaveLength(builtInCatalog.offers("openrouter").length);
  });

  it("keeps what the source lists without a link that can be proved again, or in a form that is not understood", () => {
    const { catalog, change } = synced(
      source({
        databricks: { "databricks-gemini-3-pro": row("Gemini 3 Pro", { cost: { input: 7, output: 8 } }) },
        deepseek: { "deepseek-v4-pro": { name: 5 } },
      }),
    );
    expect(offer(catalog, "databricks", "databricks-gemini-3-pro")).toMatchObject({
      model: "gemini-3-pro-preview",
      link: "database",
      price: { input: 7 },
    });
    expect(offer(catalog, "deepseek", "deepseek-v4-pro")?.price).toEqual(
      offer(builtInCatalog, "deepseek", "deepseek-v4-pro")?.price,
    );
    expect(change.removedOffers.map(({ id }) => id)).not.toContain("deepseek-v4-pro");
  });

  it("is nothing the second time", () => {
    const json = source({
      anthropic: { "claude-opus-4-8": row("Claude Opus 4.8"), "claude-opus-7": row("Claude Opus 7") },
    });
    const once = synced(json);
    expect(isEmpty(once.change)).toBe(false);
    expect(isEmpty(synced(json, once.catalog).change)).toBe(true);
  });

  it("never makes a twin of an equal name, and never moves a built-in link to another model", () => {
    const kinds = ["openai", "azure", "openrouter", "somebody"];
    const ids = fc.constantFrom(
      "gpt-4.1",
      "openai/gpt-4.1",
      "gpt-4.1-x",
      "gpt-oss-120b",
      "my-model",
      "claude-opus-4-8",
    );
    const titles = fc.constantFrom("GPT-4.1", "Claude Opus 4.8", "GPT OSS 120B", "Other");
    const rows = fc.dictionary(
      ids,
      titles.map((title) => row(title)),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...kinds), rows), (providers) => {
        fc.pre(Object.keys(providers).length > 0);
        const { catalog } = synced(source(providers));
        for (const kind of kinds) {
          for (const after of catalog.offers(kind)) {
            const before = offer(builtInCatalog, kind, after.id);
            const proved = before !== undefined && before.link !== "name";
            expect(proved ? [after.model, after.link] : null).toEqual(proved ? [before.model, before.link] : null);
            // What is new here is proved by what its id says, and by nothing else.
            expect(proved || !isTwin(after) || catalog.readId(after.id)?.model === after.model).toBe(true);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("lets a claim of the source count only where the id says nothing else", () => {
    const models = { "openai/gpt-4.1": row("GPT-4.1"), "deepseek/deepseek-r1": row("DeepSeek-R1") };
    const claim = (base: string, id: string) =>
      offer(synced(source({ somebody: { [id]: row("X", { base_model: base }) } }, models)).catalog, "somebody", id);
    expect(claim("openai/gpt-4.1", "somebody-gpt-4.1")).toMatchObject({ model: "gpt-4.1", link: "database" });
    expect(claim("openai/gpt-4.1", "gpt-4.1-abliterated")).toMatchObject({ model: "gpt-4.1", link: "name" });
    expect(claim("openai/gpt-4.1", "gpt-4o")).toMatchObject({ model: "gpt-4o", link: "id" });
    expect(claim("deepseek/deepseek-r1", "r1-distill-llama-70b")?.link).toBe("name");
    const r1 = builtIn.models.find(({ name }) => name === "deepseek-r1");
    expect(r1 !== undefined && saysNothingElse("deepseek-r1-0528", "somebody", r1)).toBe(false);
  });

  it("marks free tiers, and what its provider is about to retire", () => {
    const { catalog } = synced(
      source({ somebody: { "gpt-4.1:free": row("A"), "openai/gpt-4.1": row("B", { status: "deprecated" }) } }),
    );
    expect(offer(catalog, "somebody", "gpt-4.1:free")?.variant).toContain("free tier");
    expect(offer(catalog, "somebody", "openai/gpt-4.1")?.variant).toContain("retire");
    expect(catalog.offers("somebody").filter(isTwin)).toEqual([]);
  });

  it("leaves out what it does not understand, and names of objects' own members are names", () => {
    const json = source({
      __proto__: { "gpt-4.1": row("GPT-4.1") },
      somebody: {
        "gpt-4.1": row("GPT-4.1"),
        "bad\nid": row("X"),
        broken: { name: 5 },
        negative: row("N", { cost: { input: -1, output: 0 } }),
      },
    });
    const text = JSON.stringify(json).replace(
      '"providers":{',
      '"providers":{"constructor":{"name":"c","models":{"gpt-4.1":{"name":"GPT-4.1"}}},"__proto__":{"name":"p","models":{"gpt-4.1":{"name":"GPT-4.1"}}},',
    );
    const read = readSource(JSON.parse(text));
    expect(read.unread).toEqual(
      expect.arrayContaining(['somebody "bad\\nid"', 'somebody "broken"', 'somebody "negative"']),
    );
    const { catalog } = synced(JSON.parse(text));
    expect(catalog.offers("constructor").map(({ id }) => id)).toEqual(["gpt-4.1"]);
    expect(Object.getPrototypeOf(catalog.data.offers)).toBe(Object.prototype);
  });

  it.each([null, 5, "x", [], {}, { models: {}, providers: {} }])(
    "refuses what is not models.dev's JSON: %j",
    (json) => {
      expect(() => readSource(json)).toThrow("not models.dev's JSON");
    },
  );
});

describe("what a sync takes away", () => {
  const offers = (count: number): OfferRow[] =>
    Array.from({ length: count }, (_, index) => ["gpt-4.1", `id-${index}`, "id", null]);
  const now = { models: [], providers: [], offers: { big: offers(180), small: offers(4), tiny: offers(2) } };
  const without = (removed: Readonly<Record<string, number>>) =>
    largeRemovals(
      {
        addedModels: [],
        addedOffers: [],
        changed: [],
        removedOffers: Object.entries(removed).flatMap(([provider, count]) =>
          offers(count).map(([model, id]) => ({ provider, id, model })),
        ),
      },
      now,
    );

  it("is large when it is more than half of what a provider offers", () => {
    expect(without({ small: 2, big: 5 })).toEqual([]);
    expect(without({ small: 3, big: 5 })).toEqual([{ provider: "small", removed: 3, of: 4 }]);
  });

  it("is large when it is more than a tenth of everything", () => {
    expect(without({ big: 18 })).toEqual([]);
    expect(without({ big: 19 })).toEqual([{ provider: null, removed: 19, of: 186 }]);
  });

  it("is ordinary where a provider loses one or two, whatever its share", () => {
    expect(without({ tiny: 2 })).toEqual([]);
  });

  it("is nothing for a source that is as it was", () => {
    expect(without({})).toEqual([]);
  });
});

describe("what a sync keeps", () => {
  const kept = (data: Partial<CatalogData> = {}, more: Partial<KeptCatalog> = {}): string =>
    JSON.stringify({
      format: 1,
      source: "s",
      at: "2026-11-24T12:00:00.000Z",
      etag: null,
      data: { models: [], providers: [], offers: {}, ...data },
      removed: {},
      ...more,
    });

  it("is laid over the built-in catalog", () => {
    const price: OfferRow = ["gpt-4.1", "gpt-4.1", "author", [1, 2]];
    const read = readKept(kept({ offers: { openai: [price] } }, { removed: { openai: ["gpt-4o"] } }));
    expect(read).toBeTypeOf("object");
    const catalog = typeof read === "string" ? builtInCatalog : withKept(builtInCatalog, read);
    expect(offer(catalog, "openai", "gpt-4.1")?.price).toEqual({ input: 1, output: 2 });
    expect(offer(catalog, "openai", "gpt-4o")).toBeUndefined();
    expect(catalog.models).toHaveLength(builtInCatalog.models.length);
  });

  it.each([
    ["not JSON", "{"],
    ["another format", kept({}, { format: 2 as 1 })],
    ["a negative price", kept({ offers: { openai: [["gpt-4.1", "gpt-4.1", "id", [-1, 2]]] } })],
    ["a line break in an id", kept({ offers: { openai: [["gpt-4.1", "a\nb", "id", null]] } })],
    ["a model without a window", kept({ models: [{ name: "x", author: "a", title: "X", aliases: [], context: 0 }] })],
    ["what nobody reads", kept({}, { more: 1 } as never)],
  ])("is refused in words when it holds %s", (_, text) => {
    expect(readKept(text)).toBeTypeOf("string");
  });
});
