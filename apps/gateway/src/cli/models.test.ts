import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { modelsCommand } from "./models.ts";
import type { CommandIo } from "./command-io.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tuloy-models-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function models(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let [code, out, err] = [0, "", ""];
  const into = (take: (text: string) => void): Writable =>
    new Writable({ write: (chunk, _, done) => (take(String(chunk)), done()) });
  const io: CommandIo = {
    stdout: into((text) => (out += text)),
    stderr: into((text) => (err += text)),
    environment: { KEY: "sk-canary-0123456789" },
    directory,
    setExitCode: (given) => (code = given),
  };
  await modelsCommand(io).parseAsync(words, { from: "user" });
  return { code, out, err };
}

async function listed(...words: string[]): Promise<Record<string, unknown>[]> {
  const { out } = await models(...words, "--json");
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function page(name: string): Promise<Record<string, unknown> & { served_by: Record<string, unknown>[] }> {
  return JSON.parse((await models(name, "--json")).out) as never;
}

const configured = `providers:
  openai: { kind: openai, keys: [{ value: $\{KEY} }] }
  rack: { kind: openai-compatible, base_url: http://10.0.0.5/v1, region: ph,
          models: { meta-llama/Llama-3.3-70B-Instruct-FP8: { price: { input: 0.2, output: 0.3 } }, house: } }
`;

describe("tuloy models", () => {
  it("lists the catalog where nothing is configured", async () => {
    const { code, out, err } = await models();
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^model +author +context +providers +best price/);
    expect(out).toMatch(/claude-sonnet-4-6 +anthropic +1,000,000 +6 \+ \d+ +\$3 \/ \$15/);
    expect(out).toMatch(/\d{3} models \(catalog as it came with this version\)\n$/);
    // What "6 + 17" means.
    expect(out).toContain("\nproviders: kinds that serve it by themselves + others");
    expect(out).not.toContain("sandbox-chat");
    expect(out).not.toContain("configured here");
  });

  it("says which of them are configured, and lists the file's own", async () => {
    writeFileSync(join(directory, "tuloy.yaml"), configured);
    const lines = await listed();
    const of = (name: string) => lines.find(({ model }) => model === name);
    expect(of("gpt-4.1")?.["configured"]).toEqual(["openai"]);
    expect(of("llama-3.3-70b")?.["configured"]).toEqual(["rack"]);
    expect(of("claude-sonnet-4-6")?.["configured"]).toEqual([]);
    expect(of("house")).toMatchObject({ author: null, configured: ["rack"] });
    expect((await models()).out).not.toContain("canary");
  });

  it("filters by provider, ability and name", async () => {
    writeFileSync(join(directory, "tuloy.yaml"), configured);
    const names = async (...words: string[]) => (await listed(...words)).map(({ model }) => model);
    expect(await names("--provider", "groq")).toEqual(["gpt-oss-120b", "gpt-oss-20b"]);
    expect(await names("--provider", "rack")).toEqual(["house", "llama-3.3-70b"]);
    const heard = await names("--provider", "gemini", "--capability", "audio", "images");
    expect(heard).toContain("gemini-2.5-pro");
    expect(heard).not.toContain("gemma-4-31b");
    expect(await names("--search", "Maverick")).toEqual(["llama-4-maverick"]);
    expect(await models("--search", "no such thing")).toMatchObject({ code: 0, out: "No model is so.\n" });
  });

  it("names providers that may have been meant", async () => {
    const { code, err } = await models("--provider", "bedrok");
    expect([code, err]).toEqual([1, "No provider here and none of the catalog is called bedrok. Nearest: bedrock.\n"]);
  });

  it("refuses a configuration that was named and is not valid, and says so of one that was found", async () => {
    writeFileSync(join(directory, "tuloy.yaml"), "providers: { x: { kind: openai } }\n");
    const found = await models("--search", "gpt-4.1-mini");
    expect([found.code, found.out]).toEqual([0, expect.stringContaining("gpt-4.1-mini")]);
    expect(found.err).toContain("So what it configures is not shown.");
    expect((await models("-c", "tuloy.yaml")).code).toBe(1);
  });

  it("warns of a sync that cannot be read, and goes on without", async () => {
    mkdirSync(join(directory, ".tuloy"));
    writeFileSync(join(directory, ".tuloy", "catalog.json"), '{"format": 7}');
    const { code, out, err } = await models("--search", "gpt-4.1-mini");
    expect([code, out]).toEqual([0, expect.stringContaining("gpt-4.1-mini")]);
    expect(err).toContain("the built-in catalog holds");
  });
});

describe("tuloy models NAME", () => {
  it("shows who serves it, what it costs, how that is known, and what could stand in", async () => {
    const { code, out } = await models("claude-opus-4-8");
    expect(code).toBe(0);
    expect(out).toContain("claude-opus-4-8  Claude Opus 4.8, by anthropic");
    expect(out).toContain("Refuses temperature, top_p and top_k.");
    expect(out).toMatch(/bedrock +eu\.anthropic\.claude-opus-4-8 +\$5\.5 \/ \$27\.5 +\$0\.55 +1,000,000 +eu +full +id/);
    expect(out).toMatch(/anthropic +claude-opus-4-8 +\$5 \/ \$25 .*author/);
    expect(out).toMatch(/same name, unverified: no twins\n.*\n +venice +claude-opus-4-8-fast/);
    expect(out).toMatch(/nearest other models\n.*\n +\S+ +(1|0\.\d+) /);
    expect(out).toMatch(/verified +not yet/);
  });

  it("reads a provider's own id, and says what it says", async () => {
    const { out } = await models("us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    expect(out).toContain("claude-sonnet-4-5  Claude Sonnet 4.5");
    expect(out).toContain("the id says: region us");
    expect((await models("openai/gpt-oss-120b:free")).out).toContain("not simply the model: a free tier");
  });

  it("says why an offer is no twin", async () => {
    const { served_by: offers } = await page("gpt-oss-120b");
    const of = (id: string) => offers.find((offer) => offer["id"] === id);
    expect(of("openai/gpt-oss-120b:free")).toMatchObject({
      automatic: false,
      why_not: expect.stringContaining("free"),
    });
    expect(of("databricks-gpt-oss-120b")).toMatchObject({
      automatic: true,
      why_not: null,
    });
    const { served_by: pro } = await page("o3-pro");
    expect(pro.find(({ provider }) => provider === "openai")).toMatchObject({
      automatic: true,
      only_dialect: "openai-responses",
    });
    expect((await models("o3-pro")).out).toMatch(/openai +o3-pro .* by openai-responses only/);
  });

  it("shows an embedding model's vectors and no equivalents", async () => {
    const { out } = await models("openai/text-embedding-3-small");
    expect(out).toContain("1536 dimensions, of length 1");
    expect(out).not.toContain("nearest other models");
  });

  it("shows what is configured, with the deployments' own facts", async () => {
    writeFileSync(join(directory, "tuloy.yaml"), configured);
    const { out } = await models("llama-3.3-70b");
    expect(out).toMatch(
      /configured here\n.*\n +rack\/llama-3\.3-70b@ph +meta-llama\/Llama-3\.3-70B-Instruct-FP8 +\$0\.2 \/ \$0\.3/,
    );
    expect((await page("house"))["configured"]).toEqual(["rack"]);
    expect((await models("claude-opus-4-8")).out).toContain("no configured provider serves it");
  });

  it("names what may have been meant", async () => {
    const { code, err } = await models("claude-sonet-4-6");
    expect(code).toBe(1);
    expect(err).toContain("Nothing is known of a model claude-sonet-4-6. Nearest: claude-sonnet-4-6");
  });
});
