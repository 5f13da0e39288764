import type { RoutingOverrides } from "@tuloy/contract";
import { describe, expect, it } from "vitest";

import { compile } from "../config/compile.ts";
import { resolveModel } from "../config/match.ts";
import { loadConfig } from "../config/read.ts";
import { resolveOverrides } from "./stand-ins.ts";

const text = `
providers:
  openai: { kind: openai, keys: [{ value: k }] }
  Rack: { kind: openai-compatible, base_url: http://10.0.0.5:8000/v1, models: { gpt-4.1: { id: house-big }, llama: } }
`;
const loaded = loadConfig(text, "f", {});
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
const snapshot = compile(loaded.config, text, new Map());

const unstated: RoutingOverrides = {
  order: null,
  only: null,
  ignore: null,
  allowFallbacks: true,
  sort: null,
  maxPrice: null,
  zdr: false,
  dataCollection: null,
  requireParameters: false,
  quantizations: null,
  models: [],
};

function resolve(stated: Partial<RoutingOverrides>, model = "gpt-4.1"): ReturnType<typeof resolveOverrides> {
  const asked = resolveModel(snapshot, model);
  if ("notFound" in asked) throw new Error(`no ${model}`);
  return resolveOverrides({ ...unstated, ...stated }, asked, snapshot);
}

/** `model at lock` for each. */
function standIns(models: readonly string[], model?: string): string[] {
  const found = resolve({ models }, model);
  if ("code" in found) throw new Error(found.message);
  expect(found.overrides.models).toEqual(found.standIns.map(({ entry }) => entry.model));
  return found.standIns.map(({ entry, lock }) => `${entry.model} at ${lock ?? "any"}`);
}

describe("the models that may stand in", () => {
  it("are found by every name that a model has, a lock included", () => {
    expect(standIns(["openai/gpt-4o", "@openai/gpt-4o-mini", "llama"])).toEqual([
      "gpt-4o at any",
      "gpt-4o-mini at openai",
      "llama at any",
    ]);
  });

  it("are there once each, and the model itself is none", () => {
    expect(standIns(["openai/gpt-4.1", "gpt-4.1", "@Rack/house-big", "gpt-4o", "openai/gpt-4o"])).toEqual([
      "gpt-4o at any",
    ]);
  });

  it("are none where the request is locked", () => {
    expect(standIns(["gpt-4o"], "@openai/gpt-4.1")).toEqual([]);
  });

  it("must exist, also where they would not be used", () => {
    for (const model of ["gpt-4.1", "@openai/gpt-4.1"]) {
      expect(resolve({ models: ["gpt-4o", "lama"] }, model)).toMatchObject({
        code: "model_not_found",
        param: "models",
        message: expect.stringContaining('"lama". Nearest: llama'),
      });
    }
  });

  it("must serve the same operation", () => {
    expect(resolve({ models: ["text-embedding-3-small"] })).toMatchObject({
      code: "invalid_request",
      param: "models",
      message: expect.stringContaining("text-embedding-3-small serves embeddings"),
    });
  });

  it("are refused for embeddings, whose vectors are of one model", () => {
    expect(standIns(["openai/text-embedding-3-small"], "text-embedding-3-small")).toEqual([]);
    expect(resolve({ models: ["text-embedding-3-large"] }, "text-embedding-3-small")).toMatchObject({
      code: "invalid_request",
      param: "models",
      message: expect.stringContaining("cannot be compared"),
    });
  });
});

describe("the providers of an override", () => {
  it("are the configured ones, whatever their case, and others stay as they are", () => {
    const found = resolve({ order: ["OpenAI", "rack", "Together"], only: ["RACK"], ignore: ["__proto__"] });
    expect(found).toMatchObject({
      overrides: { order: ["openai", "Rack", "Together"], only: ["Rack"], ignore: ["__proto__"] },
    });
  });
});
