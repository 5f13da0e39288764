import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { openSqliteReader } from "@tuloy/store";
import type { TraceRow } from "@tuloy/store";
import { startUpstream } from "@tuloy/testkit";
import type { Script, ScriptedUpstream } from "@tuloy/testkit";
import { onTestFinished } from "vitest";

import { GatewayProcess, scratchDirectory } from "./command.ts";
import { apiKey, configText, model } from "./harness.ts";

/** A gateway process in front of one upstream. */
export interface ProcessScene {
  readonly upstream: ScriptedUpstream;
  readonly gateway: GatewayProcess;
  readonly url: string;
  readonly directory: string;
}

export async function setProcess(
  script: Script,
  { grace = "30" }: { readonly grace?: string } = {},
): Promise<ProcessScene> {
  const upstream = await startUpstream(script);
  onTestFinished(() => upstream.close());
  const directory = scratchDirectory();
  writeFileSync(join(directory, "tuloy.yaml"), configText({ providers: { a: { url: upstream.url } } }));
  const gateway = new GatewayProcess(["start", "--port", "0", "--grace", grace], { directory });
  return { upstream, gateway, url: await gateway.listening(), directory };
}

/** The gateway of a scene once more, with the same files. @returns its address */
export function startAgain(
  { directory }: ProcessScene,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new GatewayProcess(["start", "--port", "0"], { directory, environment }).listening();
}

export const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
export const streaming = JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }], stream: true });
export const whole = JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }] });

/** Looks again every 20 ms: what happens in another process has no event here, and that process needs the machine. */
export async function soon<T>(
  condition: () => T | Promise<T>,
  what: string,
  withinMs = 10_000,
): Promise<NonNullable<Awaited<T>>> {
  const end = performance.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`${what} did not come true within ${withinMs} ms`);
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

/** What is on record in a process scene, newest first. */
export async function tracesIn(directory: string): Promise<readonly TraceRow[]> {
  const reader = await openSqliteReader(join(directory, ".tuloy"));
  try {
    return await reader.list({ limit: 10_000 });
  } finally {
    await reader.close();
  }
}
