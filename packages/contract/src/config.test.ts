import { describe, expect, it } from "vitest";

import { parseConfig, providerKinds } from "./index.ts";
import type { Config } from "./index.ts";

const sandbox = { providers: { sandbox: { kind: "sandbox" } } };
const longKey = "a-key-of-at-least-16";

function config(input: unknown): Config {
  const parsed = parseConfig(input);
  if ("issues" in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.config;
}

/** `path: message` of every fault. */
function faults(input: unknown): string[] {
  const parsed = parseConfig(input);
  return "issues" in parsed ? parsed.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) : [];
}

function route(fields: object): unknown {
  return { ...sandbox, routes: [{ name: "r", ...fields }] };
}

function openai(fields: object): unknown {
  return { providers: { openai: { kind: "openai", ...fields } } };
}

describe("the schema of tuloy.yaml", () => {
  it("fills in the defaults of the smallest useful file", () => {
    expect(config(sandbox)).toEqual({
      server: { host: "127.0.0.1", port: 8787 },
      data: { dir: ".tuloy" },
      keys: [],
      providers: { sandbox: { kind: "sandbox", keys: [], probes: { jitter: 0.2, daily_cost: 0.1 } } },
      models: {},
      routes: [],
    });
  });

  it("reads durations into milliseconds", () => {
    const { routes } = config(route({ failover: { deadline: "9m30s", patience: "0s", breaker: { open: "250ms" } } }));
    expect(routes[0]?.failover).toEqual({ deadline: 570_000, patience: 0, breaker: { open: 250 } });
    expect(routes[0]?.equivalents).toBe("off");
    expect(routes[0]?.aggressiveness).toBe("balanced");
  });

  it("reads off where a duration may be switched off, and says so where it is neither", () => {
    const probed = { providers: { s: { kind: "sandbox", probes: { every: "off" } } } };
    expect(config(probed).providers["s"]?.probes.every).toBeNull();
    expect(config(route({ failover: { breaker: { slow: "8s" } } })).routes[0]?.failover.breaker.slow).toBe(8000);
    expect(parseConfig(route({ failover: { breaker: { slow: "soon" } } }))).toMatchObject({
      issues: [{ message: "is not a duration; write for example 250ms, 10s or 9m30s, or off" }],
    });
  });

  it("gives a caller's key the default workspace and production", () => {
    expect(config({ ...sandbox, keys: [{ name: "app", value: longKey }] }).keys[0]).toEqual({
      name: "app",
      value: longKey,
      workspace: "default",
      environment: "production",
    });
  });

  it("gives a sandbox its pace", () => {
    const input = { providers: { s: { kind: "sandbox", sandbox: { first_token: "2s" } } } };
    expect(config(input).providers["s"]?.sandbox).toEqual({
      tokens_per_second: 80,
      first_token: 2000,
      prompt_faults: false,
      continuation: "exact",
    });
  });

  it("takes an empty model entry as the built-in facts", () => {
    expect(config(openai({ models: { "gpt-4.1": null } })).providers["openai"]?.models).toEqual({ "gpt-4.1": null });
  });

  it("keeps a model called constructor as data", () => {
    const { providers } = config(openai({ models: { constructor: { context: 5 } } }));
    expect(Object.entries(providers["openai"]?.models ?? {})).toEqual([["constructor", { context: 5 }]]);
  });

  it.each([
    ["shared", { ...sandbox, shared: { url: "redis://x" } }],
    ["data.url", { ...sandbox, data: { url: "postgres://x" } }],
    ["routes.0.cache", route({ cache: { ttl: "10m" } })],
    ['routes.0.retention: "full"', route({ retention: "full" })],
  ])("says of %s that this version does not have it", (path, input) => {
    const found = faults(input).map((fault) => fault.replace(/; write .*/, ""));
    expect(found).toEqual([`${path}${path.includes(":") ? "" : ":"} is not available in this version`]);
  });

  it.each([
    ["sever: is not a known key", { ...sandbox, sever: {} }],
    ["providers.openai.models.m.ctx: is not a known key", openai({ models: { m: { ctx: 1 } } })],
    ["routes.0.failover.breaker.hedge: is not a known key", route({ failover: { breaker: { hedge: 1 } } })],
    ["providers.weights.weights: is not a known key", { providers: { weights: { kind: "sandbox", weights: 1 } } }],
  ])("refuses an unknown key: %s", (fault, input) => {
    expect(faults(input)).toEqual([fault]);
  });

  it("names the keys that would be valid beside an unknown one", () => {
    const parsed = parseConfig(route({ failover: { stal: "1s" } }));
    expect("issues" in parsed && parsed.issues[0]?.valid).toContain("stall");
    expect("issues" in parsed && parsed.issues[0]?.at).toBe("key");
  });

  it.each([
    ["routes.0.failover.stall: is not a duration", { stall: "10 seconds" }],
    ["routes.0.failover.stall: must be text", { stall: 10 }],
    ["routes.0.failover.stall: is shorter than 10ms", { stall: "1ms" }],
    ["routes.0.failover.stall: is longer than 24h", { stall: "25h" }],
    ["routes.0.failover.attempts: must be above 0", { attempts: 0 }],
    ["routes.0.failover.attempts: must be at most 20", { attempts: 21 }],
    ["routes.0.failover.attempts: must be a whole number", { attempts: 1.5 }],
    ["routes.0.failover.breaker.rate: must be at most 1", { breaker: { rate: 50 } }],
    ["routes.0.failover.breaker.rate: must be above 0", { breaker: { rate: 0 } }],
    ["routes.0.failover.breaker: is empty", { breaker: null }],
    ["routes.0.failover.on_partial: must be continue, continue-soft, hold or error", { on_partial: "eror" }],
    ["routes.0.failover.hedge: is neither off, p95 nor a duration such as 800ms", { hedge: "p99" }],
    ["routes.0.failover.hedge: is shorter than 10ms", { hedge: "5ms" }],
    ["routes.0.failover.hedge: is longer than 24h", { hedge: "25h" }],
    ["routes.0.failover.hedge: must be text", { hedge: 100 }],
  ])("checks a route's failover: %s", (fault, failover) => {
    expect(faults(route({ failover }))).toEqual([expect.stringContaining(fault)]);
  });

  it.each([
    ["", "is shorter than 16 characters"],
    ["fifteen-letters", "is shorter than 16 characters"],
    ["a key with spaces in it", "holds a space"],
    ["a-key-with-a-line\nbreak", "holds a space, a line break"],
  ])("refuses the caller's key %j", (value, message) => {
    expect(faults({ ...sandbox, keys: [{ name: "app", value }] })[0]).toContain(`keys.0.value: ${message}`);
  });

  it.each(["a/b", "@a", "", "-a", "a b", "__proto__x"])("refuses %j as a provider's name", (name) => {
    expect(faults({ providers: { [name]: { kind: "sandbox" } } })[0]).toContain("is not usable as a provider's name");
  });

  it.each(["a@eu", "@a", "a b", "/a"])("refuses %j as a model's name", (name) => {
    expect(faults(openai({ models: { [name]: null } }))[0]).toContain("is not usable as a model's name");
  });

  it.each(["gpt-4.1", "meta-llama/llama-3.3-70b", "ft:gpt-4.1:acme::abc"])("takes %j as a model's name", (name) => {
    expect(faults(openai({ models: { [name]: null } }))).toEqual([]);
  });

  it.each([{}, { providers: {} }])("says of %j that it names no provider", (input) => {
    expect(faults(input)[0]).toMatch(/^providers: names no provider/);
  });

  it("reports every fault at once", () => {
    const input = { server: { port: 70_000 }, providers: { a: {} }, routes: [{ match: { models: [] } }] };
    expect(faults(input)).toEqual([
      "server.port: must be at most 65535",
      `providers.a.kind: is missing; write ${providerKinds.slice(0, -1).join(", ")} or ${providerKinds.at(-1)}`,
      "routes.0.name: is missing; it must be text",
      "routes.0.match.models: is an empty list; name one, or leave the key out",
    ]);
  });

  it("tells an empty key once", () => {
    expect(faults(openai({ keys: [{ value: "" }] }))).toEqual(["providers.openai.keys.0.value: is empty"]);
  });

  it("never repeats a value", () => {
    const canary = "canary-4711\n";
    const input = { ...sandbox, keys: [{ name: canary, value: canary, workspace: canary, environment: canary }] };
    expect(faults(input)).toHaveLength(4);
    expect(faults(input).join()).not.toContain("canary");
  });
});
