import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Clock, Trace } from "@tuloy/contract";
import { openSqliteReader } from "@tuloy/store";

import type { Launched } from "../launch.ts";
import { launch } from "../launch.ts";
import type { Log } from "../observe/log.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { DemoLoad } from "./load.ts";
import { headings, row, summary, type Second } from "./screen.ts";
import { Tally, type Phase } from "./tally.ts";
import { tellingTrace } from "./telling-trace.ts";

/** A short open period, so that nobody has to wait long for the recovery. Everything else is as it is by default. */
const configuration = `providers:
  sandbox-a: { kind: sandbox, sandbox: { first_token: 80ms, tokens_per_second: 160 } }
  sandbox-b: { kind: sandbox, sandbox: { first_token: 120ms, tokens_per_second: 160 } }
routes:
  - { name: default, failover: { breaker: { open: 2s, open_max: 4s } } }
`;

const model = "sandbox-chat";
const concurrency = 12;
const healthySeconds = 5;
const outageSeconds = 6;
const recoveredSeconds = 5;
const cutSeconds = 4;
const cutTokens = 20;
/** Among so many traces one is chosen to be shown: more than the last part of the demo makes. */
const newest = 200;
/** The recovery has this long to be seen; it takes 2 to 5 s. */
const recoveryLimitSeconds = 20;

export interface DemoOptions {
  readonly port: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly print: (line: string) => void;
}

export interface DemoResult {
  readonly launched: Launched;
  readonly failed: number;
  readonly apiKey: string;
  /** Of a request that failed over, when there was one. */
  readonly trace: Trace | null;
  /** Ends the gateway and removes its records. */
  close(): Promise<void>;
}

/** The main job, live: an application streams answers while one of two providers dies and comes back. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { clock, random, log, print, port } = options;
  const dataDir = await mkdtemp(join(tmpdir(), "tuloy-demo-"));
  const source = { kind: "defaults", name: "the demo's configuration", text: configuration } as const;
  const launched = await launch({
    source,
    environment: {},
    directory: dataDir,
    overrides: { port, dataDir },
    clock,
    random,
    log,
  });
  const close = async (): Promise<void> => {
    await launched.close(0);
    await rm(dataDir, { recursive: true, force: true });
  };
  const apiKey = launched.madeKey;
  const a = launched.sandboxes.get("sandbox-a");
  const b = launched.sandboxes.get("sandbox-b");
  if (apiKey === null || !a || !b) throw new Error("the demo's configuration lacks its key or its providers");

  print(
    `Tuloy listens on ${launched.url}. Two simulated providers serve ${model}: sandbox-a first, sandbox-b as its backup.`,
  );
  print(
    `An application sends requests with the official OpenAI SDK, ${concurrency} at a time, most of them streaming. It never retries.`,
  );
  print("");
  const tally = await perform({ launched, apiKey, a, b, clock, print });
  for (const line of summary(tally, a.stats.faults.cut ?? 0)) print(line);
  return { launched, failed: tally.failures.length, apiKey, trace: await failedOverTrace(dataDir, clock), close };
}

interface Stage {
  readonly launched: Launched;
  readonly apiKey: string;
  readonly a: Sandbox;
  readonly b: Sandbox;
  readonly clock: Clock;
  readonly print: (line: string) => void;
}

async function perform({ launched, apiKey, a, b, clock, print }: Stage): Promise<Tally> {
  const tally = new Tally();
  const load = new DemoLoad({ url: launched.url, apiKey, clock, concurrency, onSample: (sample) => tally.add(sample) });
  const startedAt = clock.now();
  const breaker = launched.health.breaker(`sandbox-a/${model}`);
  let last = { requests: 0, a: 0, b: 0 };

  /** Shows one second, and tells what happened in it. */
  const second = async (): Promise<Second> => {
    await new Promise<void>((resolve) => void clock.after(1000, resolve));
    const now = { requests: tally.requests, a: a.stats.requests, b: b.stats.requests };
    const shown: Second = {
      at: (clock.now() - startedAt) / 1000,
      answered: now.requests - last.requests,
      reachedA: now.a - last.a,
      reachedB: now.b - last.b,
      breaker: breaker.view(clock.now()).state,
      failed: tally.failures.length,
      firstTokenMs: tally.figures(tally.phase).medianFirstTokenMs,
    };
    last = now;
    print(row(shown));
    return shown;
  };
  const phase = async (name: Phase, seconds: number): Promise<void> => {
    tally.enter(name, clock.now());
    for (let passed = 0; passed < seconds; passed++) await second();
  };

  for (const line of headings()) print(line);
  load.start();
  await phase("before", healthySeconds);
  print("      ▼ sandbox-a fails: it answers every new request with 503");
  await a.setFault("503");
  await phase("during", outageSeconds);
  print("      ▲ sandbox-a is well again; the gateway has to find out by itself");
  await a.setFault(null);
  tally.enter("after", clock.now());
  for (let passed = 0; passed < recoveryLimitSeconds; passed++) {
    if ((await second()).breaker === "closed") break;
  }
  await phase("after", recoveredSeconds);
  print(`      ▼ sandbox-a cuts every new stream after ${cutTokens} tokens; sandbox-b goes on from exactly there`);
  await a.setFault({ name: "cut", tokens: cutTokens });
  await phase("cut", cutSeconds);
  await load.stop();
  return tally;
}

/** One of the newest traces of requests that failed over. They are in the ledger within a batch's time. */
async function failedOverTrace(dataDir: string, clock: Clock): Promise<Trace | null> {
  await new Promise<void>((resolve) => void clock.after(400, resolve));
  const reader = await openSqliteReader(dataDir);
  try {
    const traces: Trace[] = [];
    for (const { id } of await reader.list({ limit: newest, failedOver: true, outcomes: ["succeeded"] })) {
      const found = await reader.find(id);
      if (found.found === "one") traces.push(found.trace);
    }
    return tellingTrace(traces);
  } finally {
    await reader.close();
  }
}
