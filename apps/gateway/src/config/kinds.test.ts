import { describe, expect, it } from "vitest";

import { servingsOf } from "./deployments.ts";
import { loadConfig } from "./read.ts";
import { withPath } from "./with-path.ts";

function problemsOf(provider: string): string[] {
  const loaded = loadConfig(`providers:\n  p: ${provider}\n`, "tuloy.yaml", {});
  return "problems" in loaded ? loaded.problems.map((problem) => problem.message) : [];
}

const key = "keys: [{ value: k }]";

describe("a kind", () => {
  it.each([
    ["azure", "https://RESOURCE.openai.azure.com/openai/v1"],
    ["cloudflare", "https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1"],
    ["databricks", "https://WORKSPACE.cloud.databricks.com/serving-endpoints"],
    ["ollama", "http://localhost:11434/v1"],
  ])("%s whose address is not one for all shows what it looks like", (kind, form) => {
    const said = problemsOf(`{ kind: ${kind}, ${key}, models: { m: } }`).join();
    expect(said).toContain(`is missing: write where its API is, for example ${form}`);
  });

  it("of which only its owner knows what is deployed wants the models named", () => {
    const base = "base_url: https://acme.openai.azure.com";
    expect(problemsOf(`{ kind: azure, ${base}, ${key} }`).join()).toContain("only you know what is deployed there");
    expect(problemsOf(`{ kind: azure, ${base}, ${key}, models: { gpt-4.1: { id: mine } } }`)).toEqual([]);
  });
});

describe("a host alone", () => {
  it.each([
    ["https://a.example", "https://R.example/openai/v1", "https://a.example/openai/v1"],
    ["https://a.example/", "https://R.example/openai/v1", "https://a.example/openai/v1"],
    ["https://a.example/other", "https://R.example/openai/v1", "https://a.example/other"],
    ["https://a.example", "https://x.example/accounts/ACCOUNT_ID/v1", "https://a.example"],
    ["https://a.example", undefined, "https://a.example"],
  ])("%s for a kind like %s is %s", (given, baseUrlForm, meant) => {
    expect(withPath(given, baseUrlForm === undefined ? {} : { baseUrlForm })).toBe(meant);
  });
});

describe("what a kind does with what it is sent", () => {
  const facts = (provider: string): unknown => {
    const loaded = loadConfig(`providers:\n  p: ${provider}\n`, "tuloy.yaml", {});
    if ("problems" in loaded) throw new Error(loaded.problems.map(({ message }) => message).join());
    const [first] = servingsOf(loaded.config, loaded.catalog);
    return [first?.deployment.retains, first?.deployment.trains];
  };

  it.each([
    [`{ kind: fireworks, ${key}, models: { m: } }`, [false, false]],
    [`{ kind: together, ${key}, models: { m: } }`, [null, false]],
    [`{ kind: deepseek, ${key}, models: { m: } }`, [null, null]],
    [`{ kind: openai, ${key}, models: { m: } }`, [true, false]],
    [`{ kind: openai, ${key}, models: { m: }, retains: false }`, [false, false]],
    [`{ kind: fireworks, ${key}, models: { m: }, base_url: "https://proxy.example/v1" }`, [null, null]],
  ])("holds for its deployments where the file says nothing, and at its own address: %s", (provider, expected) => {
    expect(facts(provider)).toEqual(expected);
  });
});
