import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { request } from "undici";

import { benchModels } from "../answers.ts";
import { loadProgram } from "../load.ts";
import type { Contender, Site, StartOutcome } from "./contender.ts";
import { serve } from "./serve.ts";

const program = fileURLToPath(new URL("../bin/tuloy.mjs", import.meta.resolve("tuloy")));

/** One upstream of the gateway under test. */
interface BenchProvider {
  readonly name: string;
  readonly port: number;
  readonly models: readonly string[];
  /** How it goes on with an answer that broke off, as the configuration file spells it. Default: not declared. */
  readonly continuation?: string;
}

export interface TuloySetup {
  /** Where its configuration, data and log go. */
  readonly directory: string;
  /** In order of preference. */
  readonly providers: readonly BenchProvider[];
  /** The only route's. Default: order. */
  readonly strategy?: "order" | "latency";
  /** What clients send besides the key. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Settings of the only route's `failover`, as the configuration file spells them. */
  readonly failover?: Readonly<Record<string, unknown>>;
}

/** The configuration file's content. Written as JSON, which is YAML too. */
function configuration(
  { directory, providers, strategy = "order", failover = {} }: TuloySetup,
  port: number,
  key: string,
): object {
  return {
    server: { host: "127.0.0.1", port },
    data: { dir: join(directory, "data") },
    keys: [{ name: "bench", value: key, workspace: "default", environment: "production" }],
    providers: Object.fromEntries(
      providers.map(({ name, port: providerPort, models, continuation }) => [
        name,
        {
          kind: "openai-compatible",
          base_url: `http://127.0.0.1:${providerPort}/v1`,
          visibility: "private",
          keys: [{ name: "bench", value: "bench-provider-key" }],
          continuation,
          models: Object.fromEntries(models.map((id) => [id, { id, price: { input: 0.1, output: 0.4 } }])),
        },
      ]),
    ),
    routes: [{ name: "default", match: {}, strategy, providers: providers.map(({ name }) => name), failover }],
  };
}

/** Starts Tuloy as anyone would, `tuloy start --config file`, with a fresh data directory. */
export async function startTuloy(setup: TuloySetup, everyMs?: number): Promise<StartOutcome> {
  if (!existsSync(program)) return { ready: false, why: "not installed: apps/gateway/bin/tuloy.mjs is not there" };
  const key = `bench-${randomBytes(16).toString("hex")}`;
  const file = join(setup.directory, "tuloy.yaml");
  return serve(
    { directory: setup.directory, upstreamPort: 0 },
    {
      command: process.execPath,
      version: "Tuloy",
      cwd: setup.directory,
      args: (port) => {
        writeFileSync(file, JSON.stringify(configuration(setup, port, key), null, 2));
        return [program, "start", "--config", file];
      },
      headers: { authorization: `Bearer ${key}`, ...setup.headers },
      probe: isReady,
      ...(everyMs === undefined ? {} : { everyMs }),
    },
  );
}

async function isReady(origin: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`${origin}/readyz`, { headersTimeout: 2_000, bodyTimeout: 2_000 });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}

/** Tuloy with everything on that is on by default: keys, plan, breaker, timers, a trace of every request on disk. */
export const tuloy: Contender = {
  name: "tuloy",
  title: "Tuloy",
  start: async ({ directory, upstreamPort }) =>
    startTuloy({ directory, providers: [{ name: "mock", port: upstreamPort, models: benchModels }] }),
};

/** With what else may be in use: two providers in `latency` order, and sessions that stick to one of them. */
export const tuloyLatency: Contender = {
  name: "tuloy-latency",
  title: "Tuloy, latency and sessions",
  cases: ["json-small"],
  start: async (site) => startVaried(site, { "x-session-id": "session-{session}" }),
};

/** The same with an idempotency key on every request, which costs two durable writes: of the claim and of the answer. */
export const tuloyKeyed: Contender = {
  name: "tuloy-keyed",
  title: "Tuloy, the same and a key each",
  cases: ["json-small"],
  start: async (site) =>
    startVaried(site, { "x-session-id": "session-{session}", "idempotency-key": "bench-{request}" }),
};

async function startVaried({ directory, upstreamPort }: Site, headers: Record<string, string>): Promise<StartOutcome> {
  if (loadProgram !== "wrk") return { ready: false, why: "only wrk can send other headers with each request" };
  const providers = ["one", "two"].map((name) => ({ name, port: upstreamPort, models: benchModels }));
  return startTuloy({ directory, providers, strategy: "latency", headers });
}
