import { setTimeout as sleep } from "node:timers/promises";

import { chatRequest } from "./answers.ts";
import { ChatClient } from "./client.ts";
import type { Gateway } from "./contenders/contender.ts";
import { startTuloy } from "./contenders/tuloy.ts";
import { type Fault, FaultyUpstream } from "./faulty-upstream.ts";
import { provenance } from "./machine.ts";
import { runOpenLoop } from "./open-loop.ts";
import type { BenchOptions } from "./options.ts";
import { freePort, scratchDirectory } from "./processes.ts";
import type { Section } from "./results.ts";
import { percentile } from "./stats.ts";
import { columns, figure, renderTable } from "./table.ts";

const kinds: readonly Fault[] = ["503", "cut", "hang"];
const defaultRate = 500;
const firstTokenMs = 500;
/** Seconds before, during and after A's outage. The last is longer than the longest open period of a breaker, 20 s. */
const phases = { before: 3, during: 8, after: 30 };
const totalSeconds = phases.before + phases.during + phases.after;

export interface OutageTimes {
  /** When A's outage began and ended. */
  readonly failedAt: number;
  readonly recoveredAt: number;
}

export interface OutageFinding {
  /** Requests that met the fault before the breaker opened. */
  readonly untilOpened: number;
  /** Milliseconds from the outage's begin until then. Null: it did not open. */
  readonly openedAfterMs: number | null;
  /** Requests that reached A between the opening and A's recovery. */
  readonly whileOpen: number;
  /** Milliseconds from A's recovery until it was asked, and until it got its share again. Null: never. */
  readonly firstServedAfterMs: number | null;
  readonly restoredAfterMs: number | null;
}

/** A silence at A of this many mean distances between requests means that the breaker has opened: no load pauses so long by itself. */
const silence = 100;

/**
 * Reads an outage from the times at which requests reached A.
 * @param arrivals rising times in milliseconds, on the clock of `times`
 * @param served of them, those that A answered
 */
export function readOutage(
  arrivals: readonly number[],
  served: readonly number[],
  { failedAt, recoveredAt }: OutageTimes,
  rate: number,
): OutageFinding {
  const silentMs = (silence * 1000) / rate;
  const during = arrivals.filter((at) => at >= failedAt && at < recoveredAt);
  const opened = during.findIndex((at, i) => (during[i + 1] ?? recoveredAt) - at > silentMs);
  const openedAt = during[opened];
  const servedAfter = served.filter((at) => at >= recoveredAt);
  // A has its share again from the first of 100 answers that together took no longer than 1.5 times their due time.
  const restored = servedAfter.find((at, i) => (servedAfter[i + 99] ?? Number.POSITIVE_INFINITY) - at < silentMs * 1.5);
  return {
    untilOpened: opened < 0 ? during.length : opened + 1,
    openedAfterMs: openedAt === undefined ? null : openedAt - failedAt,
    whileOpen: opened < 0 ? 0 : during.length - opened - 1,
    firstServedAfterMs: servedAfter[0] === undefined ? null : servedAfter[0] - recoveredAt,
    restoredAfterMs: restored === undefined ? null : restored - recoveredAt,
  };
}

/** What the users of a busy application notice of a provider's outage: nothing, is the promise. */
export async function outage({ rate }: BenchOptions): Promise<Section> {
  const requestsPerSecond = rate ?? defaultRate;
  const rows: string[][] = [];
  for (const kind of kinds) rows.push(await measureOutage(kind, requestsPerSecond));
  return {
    name: "outage",
    title: "An outage under load",
    introduction: [
      `${requestsPerSecond} streams a second, sent by the clock, for ${totalSeconds} s; A and B serve the same model, A`,
      `fails from second ${phases.before} to second ${phases.before + phases.during}. Default breaker; \`first_token: ${firstTokenMs}ms\`.`,
      provenance(),
    ].join(" "),
    tables: [
      renderTable(
        columns(
          "A's fault",
          ">requests",
          ">failed",
          ">met the fault",
          ">opened after",
          ">reached A while open",
          ">first answer of A after its recovery",
          ">A's full share",
          ">p50 / p99 ms to first content, outage",
          ">before it",
          "valid",
          "first failure",
        ),
        rows,
      ),
    ],
  };
}

async function measureOutage(kind: Fault, rate: number): Promise<string[]> {
  const [portA, portB] = [await freePort(), await freePort()];
  const a = await FaultyUpstream.listen(portA);
  const b = await FaultyUpstream.listen(portB);
  const outcome = await startTuloy({
    directory: scratchDirectory(),
    providers: [
      { name: "a", port: portA, models: ["bench-sse"] },
      { name: "b", port: portB, models: ["bench-sse"] },
    ],
    failover: { first_token: `${firstTokenMs}ms` },
  });
  try {
    if (!outcome.ready) return [kind, ...Array.from({ length: 10 }, () => "–"), outcome.why];
    const row = await observeOutage(kind, rate, outcome.gateway, a);
    await outcome.gateway.stop();
    return [kind, ...row];
  } finally {
    a.close();
    b.close();
  }
}

async function observeOutage(kind: Fault, rate: number, gateway: Gateway, a: FaultyUpstream): Promise<string[]> {
  const client = new ChatClient(gateway.origin, gateway.headers);
  const body = chatRequest("bench-sse", 512);
  const answers: { sentAt: number; firstContentMs: number }[] = [];
  const failures: string[] = [];
  const send = async () => {
    const { failure, sentAt, firstContentAt } = await client.chat(body);
    if (failure !== null || firstContentAt === null) failures.push(failure ?? "no content");
    else answers.push({ sentAt, firstContentMs: firstContentAt - sentAt });
  };
  // Connections and compilers settle first; what is sent here is not counted.
  await runOpenLoop({ rate, seconds: 2 }, send);
  answers.length = 0;
  const load = runOpenLoop({ rate, seconds: totalSeconds }, send);
  await sleep(phases.before * 1000);
  a.fault = kind;
  const failedAt = performance.now();
  await sleep(phases.during * 1000);
  a.fault = null;
  const recoveredAt = performance.now();
  await load;
  await client.close();

  const finding = readOutage(a.arrivals, a.served, { failedAt, recoveredAt }, rate);
  const sentWhile = (from: number, to: number) =>
    answers.filter(({ sentAt }) => sentAt >= from && sentAt < to).map(({ firstContentMs }) => firstContentMs);
  const before = sentWhile(0, failedAt);
  const times = (ms: readonly number[]) => `${figure(percentile(ms, 0.5))} / ${figure(percentile(ms, 0.99))}`;
  const after = (ms: number | null) => (ms === null ? "never" : `${figure(ms)} ms`);
  console.error(`outage (${kind}): ${failures.length} failed of ${answers.length + failures.length}`);
  return [
    String(answers.length + failures.length),
    String(failures.length),
    String(finding.untilOpened),
    after(finding.openedAfterMs),
    String(finding.whileOpen),
    after(finding.firstServedAfterMs),
    after(finding.restoredAfterMs),
    times(sentWhile(failedAt, recoveredAt)),
    times(before),
    // Upstreams that are slow because the machine is would be failed over from, rightly: no fault of the gateway.
    percentile(before, 0.99) > firstTokenMs / 2 ? "no result: the machine was too busy for this load" : "yes",
    failures[0]?.slice(0, 80) ?? "",
  ];
}
