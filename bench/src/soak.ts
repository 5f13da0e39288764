import { setTimeout as sleep } from "node:timers/promises";

import { chatRequest } from "./answers.ts";
import { ChatClient } from "./client.ts";
import { tuloy } from "./contenders/tuloy.ts";
import { provenance } from "./machine.ts";
import { startMock } from "./mock.ts";
import { runOpenLoop } from "./open-loop.ts";
import type { BenchOptions } from "./options.ts";
import { scratchDirectory } from "./processes.ts";
import { treeResidentBytes } from "./proc.ts";
import type { Section } from "./results.ts";
import { median, type Point, slope } from "./stats.ts";
import { columns, figure, renderTable } from "./table.ts";

const defaultRate = 300;
const megabyte = 2 ** 20;

/** Samples after the warm-up: the first fifth of the run, a minute at most, in which heaps and caches grow to their size. */
export function afterWarmUp(samples: readonly Point[], minutes: number): Point[] {
  const warmUp = Math.min(1, minutes / 5);
  return samples.filter(({ x }) => x >= warmUp);
}

/** Memory under steady load: half JSON answers, half streams, one request in a hundred with 256 KB. */
export async function soak({ minutes, rate }: BenchOptions): Promise<Section> {
  const requestsPerSecond = rate ?? defaultRate;
  const directory = scratchDirectory();
  const mock = await startMock(directory, { events: 20, intervalMs: 5 });
  const outcome = await tuloy.start({ directory, upstreamPort: mock.port });
  const title = "Memory under steady load";
  if (!outcome.ready) return { name: "soak", title, introduction: `Tuloy ${outcome.why}`, tables: [] };
  const { gateway } = outcome;
  const client = new ChatClient(gateway.origin, gateway.headers);
  const bodies = [chatRequest("bench-json", 512), chatRequest("bench-sse-paced", 512)];
  const largeBody = chatRequest("bench-json", 256 * 1024);
  let sent = 0;
  const failures: string[] = [];
  const send = async () => {
    const body = sent % 100 === 0 ? largeBody : bodies[sent % bodies.length];
    sent++;
    const { failure } = await client.chat(body ?? largeBody);
    if (failure !== null) failures.push(failure);
  };
  const samples: Point[] = [];
  const startedAt = performance.now();
  const stopped = new AbortController();
  const load = runOpenLoop({ rate: requestsPerSecond, seconds: minutes * 60 }, send).finally(() => stopped.abort());
  while (!stopped.signal.aborted) {
    samples.push({ x: (performance.now() - startedAt) / 60_000, y: treeResidentBytes(gateway.pid) / megabyte });
    await sleep(2_000);
  }
  await load;
  await client.close();
  const settled = afterWarmUp(samples, minutes);
  const sizes = settled.map(({ y }) => y);
  return {
    name: "soak",
    title,
    introduction: [
      `Resident memory of Tuloy during ${minutes} min at ${requestsPerSecond} requests a second, sampled every 2 s; the`,
      "first fifth (a minute at most) is left out as warm-up. Half JSON answers, half streams of 20 events, some requests of 256 KB.",
      provenance(),
    ].join(" "),
    tables: [
      renderTable(columns(">requests", ">failed", ">slope, MB/min", ">least MB", ">median MB", ">most MB", "note"), [
        [
          String(sent),
          String(failures.length),
          figure(slope(settled)),
          figure(Math.min(...sizes)),
          figure(median(sizes)),
          figure(Math.max(...sizes)),
          failures[0] ?? "",
        ],
      ]),
    ],
  };
}
