import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { startTuloy } from "./contenders/tuloy.ts";
import { provenance } from "./machine.ts";
import type { BenchOptions } from "./options.ts";
import { freePort, scratchDirectory } from "./processes.ts";
import type { Section } from "./results.ts";
import { median } from "./stats.ts";
import { columns, figure, renderTable } from "./table.ts";

/** Milliseconds between two questions whether it is ready: small against the 500 ms that are the goal. */
const everyMs = 2;

/** From the process's spawn to the first 200 of `/readyz`: with a fresh data directory, and again with the one then there. */
export async function startTimes({ samples }: BenchOptions): Promise<Section> {
  const fresh: number[] = [];
  const again: number[] = [];
  const failures: string[] = [];
  const port = await freePort();
  const scratch = scratchDirectory();
  for (let i = 0; i < samples; i++) {
    const directory = join(scratch, String(i));
    mkdirSync(directory);
    for (const times of [fresh, again]) {
      const providers = [{ name: "mock", port, models: ["bench-json"] }];
      const outcome = await startTuloy({ directory, providers }, everyMs);
      if (!outcome.ready) {
        failures.push(outcome.why);
        continue;
      }
      times.push(outcome.gateway.readyMs);
      await outcome.gateway.stop();
    }
  }
  const row = (name: string, times: readonly number[]) => [
    name,
    String(times.length),
    figure(median(times)),
    figure(Math.min(...times)),
    figure(Math.max(...times)),
    failures[0] ?? "",
  ];
  return {
    name: "start",
    title: "From spawn to ready",
    introduction: [
      "From the spawn of `tuloy start` to the first 200 of `/readyz`. The goal is 500 ms or less.",
      provenance(),
    ].join(" "),
    tables: [
      renderTable(columns("data directory", ">starts", ">median ms", ">least ms", ">most ms", "note"), [
        row("fresh", fresh),
        row("there already", again),
      ]),
    ],
  };
}
