import { describe, expect, it } from "vitest";

import { presetKinds, presetOf } from "./index.ts";

const all = presetKinds.flatMap((kind) => presetOf(kind) ?? []);

/** Its documentation was read and each particular is tested; the others are made from public facts. */
const verified = new Set([
  "anthropic",
  "anthropic-compatible",
  "azure",
  "bedrock",
  "deepseek",
  "fireworks",
  "gemini",
  "groq",
  "llamacpp",
  "mistral",
  "ollama",
  "openai",
  "openai-compatible",
  "openrouter",
  "sandbox",
  "together",
  "vertex",
  "vllm",
]);

describe("the providers", () => {
  it("are known by their kind, each once", () => {
    expect(new Set(presetKinds).size).toBe(all.length);
    for (const kind of presetKinds) expect(presetOf(kind)?.kind).toBe(kind);
  });

  it("are not what objects inherit", () => {
    for (const kind of ["", "OpenAI", "constructor", "__proto__", "toString"]) expect(presetOf(kind)).toBeNull();
  });

  it("have addresses and paths that fit together", () => {
    for (const { baseUrl, baseUrlForm, endpoints } of all) {
      expect(baseUrl ?? "https://x").not.toMatch(/\/$/);
      expect(URL.canParse(baseUrlForm ?? "https://x")).toBe(true);
      expect(baseUrl !== null && baseUrlForm !== undefined).toBe(false);
      for (const { path, basePath = "/x" } of Object.values(endpoints).flat()) {
        expect(path).toMatch(/^\/.*[^/]$/);
        expect(basePath).toMatch(/^\/.*[^/]$/);
      }
    }
  });

  it("compare messages in lower case, and say why each marker is there", () => {
    for (const { message = "", because } of all.flatMap(({ markers }) => markers)) {
      expect(message).toBe(message.toLowerCase());
      expect(because).not.toBe("");
    }
  });

  it("say on which page it stands what they do with data, where they say it", () => {
    for (const { kind, retains, trains, dataPolicy } of all) {
      if (kind === "sandbox" || (retains === null && trains === null)) continue;
      expect(`${kind} ${dataPolicy}`).toMatch(/ https:/);
    }
  });

  it("link to their documentation, have whole sentences for people, and say which of them are verified", () => {
    for (const { kind, docs, quirks, verified: is } of all) {
      const isGeneral = ["sandbox", "openai-compatible", "anthropic-compatible"].includes(kind);
      expect([kind, docs?.startsWith("https:") ?? false]).toEqual([kind, !isGeneral]);
      for (const quirk of quirks) expect(quirk).toMatch(/^[A-Z`a-z].*\.$/);
      expect([kind, is]).toEqual([kind, verified.has(kind)]);
    }
  });

  it("refuse nothing twice, and only what a request could hold", () => {
    for (const { kind, refuses } of all) {
      expect([kind, new Set(refuses).size]).toEqual([kind, refuses.length]);
      for (const name of refuses) expect(name).toMatch(/^[a-z_]+$/);
    }
  });
});
