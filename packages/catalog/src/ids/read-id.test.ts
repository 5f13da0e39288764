import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { builtInCatalog as catalog } from "../index.ts";
import { exceptions } from "./exceptions.ts";
import { nameKey } from "./key.ts";
import { prefixRules, suffixRules } from "./rules.ts";

const plain = { region: null, quantization: null, variant: null, notes: [] };
const said = (id: string) => catalog.readId(id);

describe("an id is read as", () => {
  it.each([
    ["gpt-4.1", { model: "gpt-4.1" }],
    ["openai/gpt-4.1", { model: "gpt-4.1" }],
    ["openai-gpt-5.4", { model: "gpt-5.4" }],
    ["databricks-gpt-5-4-mini", { model: "gpt-5.4-mini" }],
    ["Claude_Sonnet_4.5", { model: "claude-sonnet-4-5" }],
    ["claude-sonnet-4-5@20250929", { model: "claude-sonnet-4-5" }],
    ["claude-opus-4-8@default", { model: "claude-opus-4-8" }],
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", { model: "claude-sonnet-4-5", region: "us" }],
    ["global.anthropic.claude-opus-4-6-v1", { model: "claude-opus-4-6", region: "global" }],
    ["apac.anthropic.claude-sonnet-4-20250514-v1:0", { model: "claude-sonnet-4", region: "ap" }],
    ["us-gov.openai.gpt-oss-20b-1:0", { model: "gpt-oss-20b", region: "us-gov" }],
    ["deepseek.r1-v1:0", { model: "deepseek-r1" }],
    ["us.deepseek.v3-v1:0", { model: "deepseek-v3.1", region: "us" }],
    ["openai-gpt-4o-mini-2024-07-18", { model: "gpt-4o-mini", notes: ["release 2024-07-18"] }],
    ["cohere.embed-v4:0", { model: "embed-v4.0" }],
    [
      "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-opus-4-6-v1",
      { model: "claude-opus-4-6", region: "eu-west-1" },
    ],
    [
      "projects/p/locations/europe-west4/publishers/anthropic/models/claude-opus-4-6",
      { model: "claude-opus-4-6", region: "europe-west4" },
    ],
    ["zai-org/glm-5-maas", { model: "glm-5" }],
    ["models/gemini-2.5-pro", { model: "gemini-2.5-pro" }],
    ["@cf/meta/llama-3.3-70b-instruct-fp8-fast", { model: "llama-3.3-70b", quantization: "fp8" }],
    ["@cf/meta/llama-4-scout-17b-16e-instruct", { model: "llama-4-scout" }],
    ["accounts/fireworks/models/llama-v3p3-70b-instruct", { model: "llama-3.3-70b" }],
    ["accounts/fireworks/models/kimi-k2p6", { model: "kimi-k2.6" }],
    ["meta-llama/Llama-3.3-70B-Instruct-Turbo", { model: "llama-3.3-70b", quantization: "fp8" }],
    ["zai-org/GLM-5.1-FP8", { model: "glm-5.1", quantization: "fp8" }],
    ["hf:Qwen/Qwen3.6-27B-AWQ", { model: "qwen3.6-27b", quantization: "int4" }],
    ["llama-3.3-70b-versatile", { model: "llama-3.3-70b" }],
    ["glm-5-turbo", { model: "glm-5-turbo" }],
    ["Qwen/Qwen3-32B-TEE", { model: "qwen3-32b", notes: ["in a trusted execution environment"] }],
    ["gpt-4.1-2025-04-14", { model: "gpt-4.1", notes: ["release 2025-04-14"] }],
  ])("%s", (id, expected) => {
    expect(said(id)).toEqual({ ...plain, ...expected });
  });

  it.each([
    ["openai/gpt-oss-120b:free", "gpt-oss-120b", "free tier"],
    ["stepfun/step-3.7-flash-free", "step-3.7-flash", "free tier"],
    ["openai/gpt-4.1:online", "gpt-4.1", "searches the web"],
    ["nvidia/nemotron-3-super-120b-a12b:thinking", "nemotron-3-super-120b-a12b", "reasons"],
  ])("%s, which is not simply %s", (id, model, why) => {
    expect(said(id)?.model).toBe(model);
    expect(said(id)?.variant).toContain(why);
  });

  it.each([
    "deepseek-ai/deepseek-r1-distill-qwen-32b",
    "gpt-3.5-turbo-instruct",
    "snowflake-llama3.3-70b",
    "meta-llama/Llama-3.1-8B",
    "meta-llama/Llama-3.1-8B-FP8",
    "hf:Qwen/Qwen2.5-72B",
    "meta-llama/Llama-4-Scout-17B-16E",
    "qwen3-max-2026-01-23",
    "qwen/qwen-plus-2025-07-28",
    "accounts/acme/models/llama-v3p3-70b-instruct",
    "claude-3-5-sonnet-20240620",
    "gpt-4o-2030-01-01",
    "claude-sonnet-4-5-20300101",
    "openai/claude-sonnet-4-5",
    "anthropic.gpt-4.1",
    "gemma-4-31B-turbo-TEE",
    "codestral-embed-v2",
    "gpt-41",
    "",
    ":free",
    "__proto__",
    "us.anthropic.",
  ])("no model of the catalog: %j", (id) => {
    expect(said(id)).toBeNull();
  });
});

describe("reading an id", () => {
  const names = catalog.models.flatMap(({ name, aliases }) => [name, ...aliases]);
  const part = fc.oneof(
    fc.constantFrom(
      "us.",
      "anthropic.",
      "@cf/",
      "hf:",
      "accounts/x/models/",
      "openai/",
      "-fp8",
      ":free",
      "-v1:0",
      "@default",
    ),
    fc.constantFrom(
      "-20250929",
      "-2025-04-14",
      "-instruct-turbo",
      "-maas",
      "-tee",
      "-distill",
      "/",
      ".",
      "-",
      ":",
      "@",
    ),
    fc.constantFrom(...names),
    fc.string({ maxLength: 8 }),
  );

  it("never gives a model that is not in the catalog, and never fails", () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const read = said(parts.join(""));
        expect(read === null || catalog.model(read.model)?.name === read.model).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("gives each name and alias its own model, and nothing else with it", () => {
    for (const model of catalog.models) {
      for (const name of [model.name, ...model.aliases])
        expect([name, said(name)]).toEqual([name, { ...plain, model: model.name }]);
    }
  });

  it("does not depend on case", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), (name) => {
        expect(said(name.toUpperCase())?.model).toBe(said(name)?.model);
      }),
    );
  });

  it("agrees with every link that rests on the id", () => {
    for (const kind of catalog.providers.keys()) {
      for (const { id, link, model, region, quantization, variant } of catalog.offers(kind)) {
        if (link !== "id" && link !== "author") continue;
        const read = said(id);
        // The authors' names for people count besides, where the source agrees.
        if (read === null) continue;
        expect([kind, id, read.model, read.region]).toEqual([kind, id, model, region]);
        expect([id, quantization]).toEqual([id, read.quantization ?? quantization]);
        expect([id, variant]).toEqual([id, read.variant ?? variant]);
      }
    }
  });

  it("keeps numbers apart that only a separator tells apart", () => {
    expect(nameKey("gpt-4.1")).not.toBe(nameKey("gpt-41"));
    expect(nameKey("Llama-3.3_70B")).toBe(nameKey("llama3.3-70b"));
  });

  it("knows the model of every exception, in every spelling that wraps it", () => {
    for (const { id, model } of exceptions) {
      expect([id, said(id)?.model ?? null]).toEqual([id, model]);
      expect([id, said(id.toUpperCase())?.model ?? null]).toEqual([id, model]);
    }
  });

  it("has a reason for every rule", () => {
    for (const { because } of [...prefixRules, ...suffixRules, ...exceptions])
      expect(because.length).toBeGreaterThan(10);
  });
});
