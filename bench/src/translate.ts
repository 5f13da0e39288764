import { setTimeout as sleep } from "node:timers/promises";

import { chatRequest, messagesRequest } from "./answers.ts";
import { medianRatio } from "./compare.ts";
import { chatPath, messagesPath, type Gateway } from "./contenders/contender.ts";
import { tuloy } from "./contenders/tuloy.ts";
import { applyLoad } from "./load.ts";
import { provenance } from "./machine.ts";
import { type Mock, startMock } from "./mock.ts";
import type { BenchOptions } from "./options.ts";
import { scratchDirectory } from "./processes.ts";
import { treeCpuUs } from "./proc.ts";
import type { Section } from "./results.ts";
import { median } from "./stats.ts";
import { columns, figure, ratio, renderTable } from "./table.ts";

/** Long streams, so that what an event costs is most of what is measured. With the role, the finish reason and `[DONE]` three more come. */
const contentEvents = 300;
const eventsPerStream = contentEvents + 3;
const bodyBytes = 512;
const connections = 16;

interface Lane {
  readonly title: string;
  readonly path: string;
  readonly body: string;
  /** CPU time per event, in microseconds, of each round. */
  readonly roundsUs: number[];
}

/** What it costs that a client and a deployment speak different dialects: the same stream, forwarded and translated. */
export async function translate({ rounds, seconds }: BenchOptions): Promise<Section> {
  const directory = scratchDirectory();
  const mock = await startMock(directory, { events: contentEvents, intervalMs: 1 });
  const outcome = await tuloy.start({ directory, upstreamPort: mock.port });
  const title = "CPU time per streamed event in translation";
  if (!outcome.ready) return { name: "translate", title, introduction: `Tuloy ${outcome.why}`, tables: [] };
  const { gateway } = outcome;
  const express: Lane = {
    title: "forwarded: a client of OpenAI's chat dialect",
    path: chatPath,
    body: chatRequest("bench-sse", bodyBytes),
    roundsUs: [],
  };
  const translated: Lane = {
    title: "translated: a client of Anthropic's",
    path: messagesPath,
    body: messagesRequest("bench-sse", bodyBytes),
    roundsUs: [],
  };
  for (let round = 0; round < rounds; round++) {
    for (const lane of [express, translated]) {
      // Compilers and connection pools settle outside the measurement.
      if (round === 0) await applyLoad(gateway, loadOf(lane, 3 * seconds), directory);
      lane.roundsUs.push(await measure(gateway, mock, lane, seconds, directory));
      console.error(`round ${round + 1}: ${lane.title} ${figure(lane.roundsUs.at(-1) ?? Number.NaN)} µs an event`);
    }
  }
  return {
    name: "translate",
    title,
    introduction: [
      `Streams of ${contentEvents} events without a pause from an upstream of OpenAI's chat dialect, each event a write of its own, ${rounds} interleaved`,
      `rounds of ${seconds} s. The request's share is in it. The goal is 3× at most.`,
      provenance([gateway.version]),
    ].join(" "),
    tables: [
      renderTable(
        columns("lane", ">to forwarded", ">µs per event", "rounds"),
        [express, translated].map(({ title: name, roundsUs }) => [
          name,
          ratio(medianRatio(roundsUs, express.roundsUs)),
          figure(median(roundsUs)),
          `${figure(Math.min(...roundsUs))} to ${figure(Math.max(...roundsUs))}`,
        ]),
      ),
    ],
  };
}

function loadOf({ path, body }: Lane, seconds: number): Parameters<typeof applyLoad>[1] {
  return { path, body, connections, seconds };
}

async function measure(gateway: Gateway, mock: Mock, lane: Lane, seconds: number, directory: string): Promise<number> {
  const before = { cpuUs: treeCpuUs(gateway.pid), ...(await mock.counters()) };
  const { requests, failures, timeouts } = await applyLoad(gateway, loadOf(lane, seconds), directory);
  // Records that are written in the background belong to the requests that caused them.
  await sleep(300);
  const after = { cpuUs: treeCpuUs(gateway.pid), ...(await mock.counters()) };
  const events = after.events - before.events;
  if (failures + timeouts > 0 || Math.abs(events / eventsPerStream - requests) > 2 * connections) {
    throw new Error(`${lane.title}: ${requests} streams, ${failures} failed, ${timeouts} timed out, ${events} events`);
  }
  return (after.cpuUs - before.cpuUs) / events;
}
