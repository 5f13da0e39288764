import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type BenchModel, chatRequest, compareAnswers, jsonAnswer, type Sameness, streamEvents } from "./answers.ts";
import { ChatClient } from "./client.ts";
import { contenders } from "./contenders/all.ts";
import type { Contender, Gateway } from "./contenders/contender.ts";
import { applyLoad } from "./load.ts";
import { provenance } from "./machine.ts";
import { type Mock, startMock } from "./mock.ts";
import type { BenchOptions, CaseName } from "./options.ts";
import { scratchDirectory } from "./processes.ts";
import { treeCpuUs } from "./proc.ts";
import type { Section } from "./results.ts";
import { median } from "./stats.ts";
import { columns, figure, ratio, renderTable } from "./table.ts";

/** Content events per stream; with the role, the finish reason and `[DONE]` three more are sent. */
const contentEvents = 60;
const eventsPerStream = contentEvents + 3;
const intervalMs = 5;
const largestBody = 1024 * 1024;

interface Case {
  readonly title: string;
  readonly model: BenchModel;
  readonly bodyBytes: number;
  readonly connections: number;
}

const cases: Readonly<Record<CaseName, Case>> = {
  "json-small": { title: "JSON, 0.5 KB request", model: "bench-json", bodyBytes: 512, connections: 16 },
  "json-32k": { title: "JSON, 32 KB request", model: "bench-json", bodyBytes: 32 * 1024, connections: 16 },
  "json-1m": { title: "JSON, 1 MB request", model: "bench-json", bodyBytes: largestBody, connections: 16 },
  sse: { title: `SSE, ${contentEvents} events without a pause`, model: "bench-sse", bodyBytes: 512, connections: 16 },
  "sse-paced": {
    title: `SSE, ${contentEvents} events ${intervalMs} ms apart, 64 streams at once`,
    model: "bench-sse-paced",
    bodyBytes: 512,
    connections: 64,
  },
};

/** A contender in the run: up and measured, or the reason why not. */
export type Entry =
  | { readonly contender: Contender; readonly gateway: Gateway }
  | { readonly contender: Contender; readonly why: string };

type Running = Extract<Entry, { readonly gateway: Gateway }>;

/** What one contender showed in one case. */
export interface Finding {
  readonly title: string;
  /** CPU time per request or stream, in microseconds, of each round. */
  readonly roundsUs: number[];
  sameness: Sameness | null;
  /** Why its numbers mean nothing, or null. */
  invalid: string | null;
}

/** Starts every contender that can be started. They all run throughout: idle ones cost nothing, and code stays warm. */
export async function startContenders(only: readonly string[] | null, upstreamPort: number): Promise<Entry[]> {
  const directory = scratchDirectory();
  const entries: Entry[] = [];
  for (const contender of contenders) {
    if (only !== null && !only.includes(contender.name)) continue;
    const own = join(directory, contender.name);
    mkdirSync(own);
    const outcome = await contender.start({ upstreamPort, directory: own });
    entries.push(outcome.ready ? { contender, gateway: outcome.gateway } : { contender, why: outcome.why });
    console.error(`${contender.title}: ${outcome.ready ? outcome.gateway.version : outcome.why}`);
  }
  return entries;
}

export async function compare(options: BenchOptions): Promise<Section> {
  const directory = scratchDirectory();
  const mock = await startMock(directory, { events: contentEvents, intervalMs });
  const entries = await startContenders(options.only, mock.port);
  const running = entries.filter((entry) => "gateway" in entry);
  const tables: string[] = [];
  for (const name of options.cases) {
    const taking = running.filter(({ contender }) => contender.cases?.includes(name) ?? true);
    const findings = await runCase(cases[name], taking, mock, directory, options);
    const isStream = cases[name].model !== "bench-json";
    tables.push(`### ${cases[name].title}`, renderFindings(findings, isStream ? eventsPerStream : null));
  }
  const missing = entries.filter((entry) => "why" in entry);
  if (missing.length > 0) tables.push(missing.map(({ contender, why }) => `- ${contender.title}: ${why}`).join("\n"));
  return {
    name: "compare",
    title: "CPU time per relayed request",
    introduction: [
      "User and system time of the gateway's process, all its threads and child processes, from the load's start until",
      `0.3 s after its end, divided by what the upstream served. ${options.rounds} interleaved rounds of`,
      `${options.seconds} s, closed loop; ratios are medians of the rounds' own ratios, microseconds are for orientation.`,
      provenance([...new Set(running.map(({ gateway }) => gateway.version))]),
    ].join(" "),
    tables,
  };
}

async function runCase(
  theCase: Case,
  running: readonly Running[],
  mock: Mock,
  directory: string,
  { rounds, seconds }: BenchOptions,
): Promise<Finding[]> {
  const body = chatRequest(theCase.model, theCase.bodyBytes);
  const load = { body, connections: theCase.connections, seconds };
  const findings = running.map(({ contender }): Finding => {
    return { title: contender.title, roundsUs: [], sameness: null, invalid: null };
  });
  for (let round = 0; round < rounds; round++) {
    for (const [i, { gateway }] of running.entries()) {
      const finding = findings[i];
      if (finding === undefined || finding.invalid !== null) continue;
      if (round === 0 || round === rounds - 1) await check(theCase, body, gateway, finding);
      if (finding.invalid !== null) continue;
      // A load of its own first, in the first round only: compilers and connection pools settle outside the measurement.
      // On a slow core the last functions are optimised after ten seconds.
      if (round === 0) await applyLoad(gateway, { ...load, seconds: 3 * seconds }, directory);
      const { us, invalid } = await measure(gateway, mock, load, directory, theCase);
      if (invalid === null) finding.roundsUs.push(us);
      finding.invalid = invalid;
      console.error(`${theCase.title}, round ${round + 1}: ${finding.title} ${invalid ?? `${figure(us)} µs`}`);
    }
  }
  return findings;
}

/** One request, whose answer must be the upstream's. */
async function check({ model }: Case, body: string, gateway: Gateway, finding: Finding): Promise<void> {
  const client = new ChatClient(gateway.origin, gateway.headers);
  const { text, failure } = await client.chat(body);
  await client.close();
  const expected = model === "bench-json" ? jsonAnswer() : streamEvents(model, contentEvents).join("");
  finding.sameness = compareAnswers(expected, text);
  if (failure !== null) finding.invalid = failure;
  else if (finding.sameness === "different") finding.invalid = "the answer differs from the upstream's";
}

async function measure(
  gateway: Gateway,
  mock: Mock,
  load: { readonly body: string; readonly connections: number; readonly seconds: number },
  directory: string,
  { model }: Case,
): Promise<{ us: number; invalid: string | null }> {
  const before = { cpuUs: treeCpuUs(gateway.pid), ...(await mock.counters()) };
  const result = await applyLoad(gateway, load, directory);
  // Records that are written in the background belong to the requests that caused them.
  await sleep(300);
  const after = { cpuUs: treeCpuUs(gateway.pid), ...(await mock.counters()) };
  const requests = after.requests - before.requests;
  const served = model === "bench-json" ? requests : (after.events - before.events) / eventsPerStream;
  const bodyBytes = (after.bodyBytes - before.bodyBytes) / requests;
  const { failures, timeouts } = result;
  let invalid: string | null = null;
  if (result.requests === 0) invalid = "no request was answered";
  else if (failures + timeouts > 0) invalid = `${failures} failed requests, ${timeouts} timed out`;
  else if (Math.abs(requests - result.requests) > 2 * load.connections) {
    invalid = `${result.requests} requests became ${requests} at the upstream`;
  } else if (bodyBytes < 0.9 * load.body.length)
    invalid = `only ${figure(bodyBytes)} bytes a body reached the upstream`;
  return { us: (after.cpuUs - before.cpuUs) / served, invalid };
}

/** Median over the rounds of one contender's cost divided by another's in the same round; NaN without common rounds. */
export function medianRatio(ofUs: readonly number[], toUs: readonly number[]): number {
  const rounds = Math.min(ofUs.length, toUs.length);
  return median(Array.from({ length: rounds }, (_, i) => (ofUs[i] ?? Number.NaN) / (toUs[i] ?? Number.NaN)));
}

/** The table of one case. The first valid row is the floor, and bare Node a second measure. */
export function renderFindings(findings: readonly Finding[], eventsPerStream: number | null): string {
  const floor = findings.find(({ invalid }) => invalid === null);
  const node = findings.find(({ title, invalid }) => title.startsWith("bare Node") && invalid === null);
  const perEvent = eventsPerStream === null ? [] : [">µs per event"];
  const unit = eventsPerStream === null ? "request" : "stream";
  return renderTable(
    columns(
      "gateway",
      `>to ${floor?.title ?? "the floor"}`,
      ">to bare Node",
      `>µs per ${unit}`,
      ...perEvent,
      "rounds",
      "answer",
    ),
    findings.map(({ title, roundsUs, sameness, invalid }) => {
      const us = median(roundsUs);
      const blanks = eventsPerStream === null ? ["–", "–", "–"] : ["–", "–", "–", "–"];
      if (invalid !== null) return [title, ...blanks, "–", `invalid: ${invalid}`];
      return [
        title,
        ratio(medianRatio(roundsUs, floor?.roundsUs ?? [])),
        ratio(medianRatio(roundsUs, node?.roundsUs ?? [])),
        figure(us),
        ...(eventsPerStream === null ? [] : [figure(us / eventsPerStream)]),
        `${figure(Math.min(...roundsUs))} to ${figure(Math.max(...roundsUs))}`,
        sameness ?? "",
      ];
    }),
  );
}
