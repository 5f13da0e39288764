import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Alert, Clock, Trace } from "@tuloy/contract";
import { openSqliteReader } from "@tuloy/store";
import { eventually } from "@tuloy/testkit";
import OpenAI from "openai";
import { createLog, launch, systemClock, type Launched } from "tuloy";

/** The model that every provider of a test serves, each under its own id for it. */
export const model = "model-x";

export const apiKey = "test-key-of-sixteen-characters-and-more";

export interface TestProvider {
  /** Of the upstream, without a path. */
  readonly url: string;
  /** Default: openai-compatible. */
  readonly kind?: string;
  /** The path of its base URL. Default: /v1. */
  readonly base?: string;
  /** Default: one key, `sk-<provider name>-secret-key`. They are named `key-1`, `key-2`, … `more`: YAML inside its braces. */
  readonly keys?: readonly (string | { readonly value: string; readonly weight?: number; readonly more?: string })[];
  /** YAML, inside the model's braces. Null: it does not serve the tests' model. */
  readonly model?: string | null;
  /** YAML, inside the braces of its `probes`. Default: an hour apart, so that an upstream hears only what its test sends. */
  readonly probes?: string;
  /** Further models it serves, by names that the catalog knows. */
  readonly also?: readonly string[];
  /** YAML: what the model costs here. Default: 1 in and 2 out. Null: unknown. */
  readonly price?: string | null;
  /** Facts of the provider in YAML, separated by commas: `region: eu, retains: false`. */
  readonly facts?: string;
  /** Further models it serves, each as a line of YAML. */
  readonly models?: readonly string[];
}

export interface TestGatewayOptions {
  /** In order of preference. */
  readonly providers: Readonly<Record<string, TestProvider>>;
  /** YAML, inside the braces of the default route's `failover`. */
  readonly failover?: string;
  /** Routes before the default one, each as YAML inside its braces. */
  readonly routes?: readonly string[];
  /** API keys besides the one of the tests, each as YAML in braces. */
  readonly keys?: readonly string[];
  /** More YAML at the top level. */
  readonly more?: string;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** 0 ≤ x < 1. Default: the machine's chance. */
  readonly random?: () => number;
}

interface ClientOptions {
  readonly maxRetries?: number;
  readonly timeout?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the usual key. */
  readonly apiKey?: string;
}

export interface TestGateway {
  readonly url: string;
  readonly launched: Launched;
  readonly dataDir: string;
  /** The official SDK, which sends everything once, unless `maxRetries` says otherwise. */
  client(options?: ClientOptions): OpenAI;
  /** A finished trace, by the id of a response header. Waits for it to be written. */
  trace(id: string | null): Promise<Trace>;
  /** The newest finished trace, once there are `count`. */
  lastTrace(count?: number): Promise<Trace>;
  traces(): Promise<readonly Trace[]>;
  alerts(): Promise<readonly Alert[]>;
  close(): Promise<void>;
}

/** Starts a gateway in this process, on a free port, with records of its own. */
export async function startTuloy(options: TestGatewayOptions): Promise<TestGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), "tuloy-test-"));
  const launched = await launch({
    source: { kind: "defaults", name: "test.yaml", text: configText(options) },
    environment: {},
    directory: dataDir,
    overrides: { port: 0, dataDir },
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    log: createLog({ stdout: process.stdout, environment: {} }, "silent"),
  });
  return new RunningGateway(launched, dataDir);
}

/** The configuration of a test, as a person would write it. */
export function configText({
  providers,
  failover = "",
  routes = [],
  keys = [],
  more = "",
}: TestGatewayOptions): string {
  const lines = ["keys:", `  - { name: app, value: ${apiKey} }`, ...keys.map((key) => `  - ${key}`), "providers:"];
  for (const [name, provider] of Object.entries(providers)) {
    const {
      url,
      keys: own = [`sk-${name}-secret-key`],
      also = [],
      models = [],
      facts = "",
      kind = "openai-compatible",
    } = provider;
    const { price = "{ input: 1, output: 2 }", model: modelYaml = "", probes = "every: 1h" } = provider;
    const served = [`id: ${name}-${model}`, price === null ? "" : `price: ${price}`, modelYaml ?? ""];
    lines.push(
      `  ${name}:`,
      `    kind: ${kind}`,
      `    base_url: ${url}${provider.base ?? "/v1"}`,
      `    keys: [${own.map(keyText).join(", ")}]`,
      `    probes: { ${probes} }`,
      ...facts.split(", ").flatMap((fact) => (fact === "" ? [] : [`    ${fact}`])),
      "    models:",
      ...(modelYaml === null ? [] : [`      ${model}: { ${served.filter((part) => part !== "").join(", ")} }`]),
      ...also.map((name) => `      ${name}:`),
      ...models.map((line) => `      ${line}`),
    );
  }
  lines.push(
    "routes:",
    ...routes.map((route) => `  - { ${route} }`),
    `  - { name: default, failover: { ${failover} } }`,
    more,
  );
  return lines.join("\n");
}

function keyText(key: NonNullable<TestProvider["keys"]>[number], index: number): string {
  const { value, weight = 1, more }: Exclude<typeof key, string> = typeof key === "string" ? { value: key } : key;
  return `{ name: key-${index + 1}, value: ${value}, weight: ${weight}${more === undefined ? "" : `, ${more}`} }`;
}

class RunningGateway implements TestGateway {
  readonly launched: Launched;
  readonly dataDir: string;

  constructor(launched: Launched, dataDir: string) {
    this.launched = launched;
    this.dataDir = dataDir;
  }

  get url(): string {
    return this.launched.url;
  }

  client(options: ClientOptions = {}): OpenAI {
    const { maxRetries = 0, timeout, headers, apiKey: key = apiKey } = options;
    return new OpenAI({
      baseURL: `${this.url}/v1`,
      apiKey: key,
      maxRetries,
      ...(timeout === undefined ? {} : { timeout }),
      ...(headers === undefined ? {} : { defaultHeaders: headers }),
    });
  }

  async trace(id: string | null): Promise<Trace> {
    if (id === null) throw new Error("the response has no trace id");
    return eventually(
      () =>
        this.#read(async (reader) => {
          const found = await reader.find(id);
          return found.found === "one" ? found.trace : undefined;
        }),
      `trace ${id}`,
    );
  }

  async lastTrace(count = 1): Promise<Trace> {
    const all = await eventually(async () => {
      const traces = await this.traces();
      return traces.length >= count ? traces : undefined;
    }, `${count} traces`);
    const [newest] = all;
    if (!newest) throw new Error("there is no trace");
    return newest;
  }

  traces(): Promise<readonly Trace[]> {
    return this.#read(async (reader) => {
      const traces: Trace[] = [];
      for (const { id } of await reader.list({ limit: 1000 })) {
        const found = await reader.find(id);
        if (found.found === "one") traces.push(found.trace);
      }
      return traces;
    });
  }

  alerts(): Promise<readonly Alert[]> {
    return this.#read((reader) => reader.alerts({ limit: 100 }));
  }

  async close(): Promise<void> {
    await this.launched.close(0);
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async #read<T>(use: (reader: Awaited<ReturnType<typeof openSqliteReader>>) => Promise<T>): Promise<T> {
    const reader = await openSqliteReader(this.dataDir);
    try {
      return await use(reader);
    } finally {
      await reader.close();
    }
  }
}
