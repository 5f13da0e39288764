import { chatRequest } from "./answers.ts";
import { ChatClient } from "./client.ts";
import { startContenders } from "./compare.ts";
import { applyLoad } from "./load.ts";
import { provenance } from "./machine.ts";
import { startMock } from "./mock.ts";
import { type OpenLoop, runOpenLoop } from "./open-loop.ts";
import type { BenchOptions } from "./options.ts";
import { scratchDirectory } from "./processes.ts";
import type { Section } from "./results.ts";
import { median, percentile } from "./stats.ts";
import { columns, figure, renderTable } from "./table.ts";

interface Path {
  readonly title: string;
  readonly client: ChatClient;
  readonly p50: number[];
  readonly p99: number[];
  failed: number;
}

/** Contenders by default: those that can carry half of Tuloy's load. */
const defaultContenders = ["haproxy", "nginx", "bare-node", "tuloy"];

/**
 * What a gateway adds to the time of a JSON request, at a steady rate sent by the clock, against the same requests sent
 * straight to the upstream.
 */
export async function latency({ only, rounds, seconds, rate }: BenchOptions): Promise<Section> {
  const directory = scratchDirectory();
  const mock = await startMock(directory, { events: 1, intervalMs: 1 });
  const entries = await startContenders(only ?? defaultContenders, mock.port);
  const running = entries.filter((entry) => "gateway" in entry);
  const body = chatRequest("bench-json", 512);
  const paths: Path[] = [
    { title: "no gateway", client: new ChatClient(`http://127.0.0.1:${mock.port}`, {}), p50: [], p99: [], failed: 0 },
    ...running.map(({ contender, gateway }) => {
      const client = new ChatClient(gateway.origin, gateway.headers);
      return { title: contender.title, client, p50: [], p99: [], failed: 0 };
    }),
  ];
  const loaded = running.find(({ contender }) => contender.name === "tuloy") ?? running.at(-1);
  let requestsPerSecond = rate ?? 500;
  if (rate === null && loaded !== undefined) {
    const load = { body, connections: 16, seconds };
    // The first load warms it up, the second is its full one.
    await applyLoad(loaded.gateway, load, directory);
    const full = await applyLoad(loaded.gateway, load, directory);
    requestsPerSecond = Math.max(1, Math.round(full.requests / full.seconds / 2));
  }
  for (let round = 0; round < rounds; round++) {
    for (const path of paths) {
      // In the first round compilers and connection pools settle; later only connections that were closed meanwhile.
      await measure(path, body, { rate: requestsPerSecond, seconds }, round === 0 ? 3 : 0.5);
    }
  }
  for (const { client } of paths) await client.close();
  const [direct] = paths;
  const added = (to: readonly number[], from: readonly number[]) =>
    figure(median(to.map((ms, i) => ms - (from[i] ?? Number.NaN))));
  return {
    name: "latency",
    title: "Added time per request",
    introduction: [
      `JSON requests of 0.5 KB, ${requestsPerSecond} a second by the clock${rate === null ? ` (half of what ${loaded?.contender.title ?? "a gateway"} carries on one core)` : ""};`,
      `medians of ${rounds} interleaved rounds of ${seconds} s. *Added* is the difference to the same round without a gateway;`,
      "client and upstream share a core, whose own queueing is part of every row.",
      provenance(running.map(({ gateway }) => gateway.version)),
    ].join(" "),
    tables: [
      renderTable(
        columns("gateway", ">p50 ms", ">p99 ms", ">added p50", ">added p99", ">failed"),
        paths.map(({ title, p50, p99, failed }) => [
          title,
          figure(median(p50)),
          figure(median(p99)),
          direct === undefined || title === direct.title ? "" : added(p50, direct.p50),
          direct === undefined || title === direct.title ? "" : added(p99, direct.p99),
          String(failed),
        ]),
      ),
      ...entries.flatMap((entry) => ("why" in entry ? [`- ${entry.contender.title}: ${entry.why}`] : [])),
    ],
  };
}

async function measure(path: Path, body: string, loop: OpenLoop, warmUpSeconds: number): Promise<void> {
  const times: number[] = [];
  const send = async () => {
    const { failure, sentAt, endedAt } = await path.client.chat(body);
    if (failure === null) times.push(endedAt - sentAt);
    else path.failed++;
  };
  await runOpenLoop({ ...loop, seconds: warmUpSeconds }, send);
  times.length = 0;
  await runOpenLoop(loop, send);
  path.p50.push(percentile(times, 0.5));
  path.p99.push(percentile(times, 0.99));
  console.error(`${path.title}: p50 ${figure(percentile(times, 0.5))} ms, p99 ${figure(percentile(times, 0.99))} ms`);
}
