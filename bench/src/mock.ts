import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { request } from "undici";

import { accepts } from "./contenders/serve.ts";
import { freePort, loadCore, start, untilReady } from "./processes.ts";
import type { UpstreamCounters } from "./upstream.ts";

export interface Mock {
  readonly port: number;
  readonly counters: () => Promise<UpstreamCounters>;
  readonly stop: () => Promise<void>;
}

export interface MockStreams {
  /** Content events of each stream. */
  readonly events: number;
  /** Milliseconds between the events of a paced stream. */
  readonly intervalMs: number;
}

/** Starts the mock upstream as its own process on the load's core. */
export async function startMock(directory: string, { events, intervalMs }: MockStreams): Promise<Mock> {
  const port = await freePort();
  const child = start({
    command: process.execPath,
    args: [
      fileURLToPath(import.meta.resolve("./upstream.ts")),
      `--port=${port}`,
      `--events=${events}`,
      `--interval=${intervalMs}`,
    ],
    core: loadCore,
    logFile: join(directory, "upstream.log"),
  });
  const why = await untilReady(child, async () => accepts(port));
  if (why !== null) throw new Error(`the mock upstream ${why}`);
  return {
    port,
    counters: async () => {
      const { body } = await request(`http://127.0.0.1:${port}/counters`);
      return (await body.json()) as UpstreamCounters;
    },
    stop: child.stop,
  };
}
