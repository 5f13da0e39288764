import { formatDuration, type Alert, type Trace } from "@tuloy/contract";

import { summariseDrill, type DrillSummary } from "../observe/drill-summary.ts";
import { printJson } from "./command-io.ts";
import type { CommandIo } from "./command-io.ts";
import { refuse, withRecords, type RecordFlags } from "./records.ts";
import { formatTime, printable } from "./render/text.ts";

/** What a drill showed, from its traces: also after the gateway that ran it is gone. */
export function reportDrill(id: string, flags: RecordFlags & { readonly json?: true }, io: CommandIo): Promise<void> {
  return withRecords(flags, io, async (reader) => {
    const [traces, alerts] = await Promise.all([
      Array.fromAsync(reader.traces({ since: startOf(id), drill: id })),
      reader.alerts({ limit: 10, subject: id }),
    ]);
    if (traces.length === 0 && alerts.length === 0) {
      refuse(`Nothing is recorded of a drill ${printable(id)}.`, io);
      return;
    }
    const summary = summariseDrill(id, traces);
    if (flags.json) printJson({ id, events: alerts, ...summary }, io);
    else io.stdout.write(`${lines(alerts, summary, exampleOf(id, traces)).join("\n")}\n`);
  });
}

/** A drill's id holds the time of its start, so that its traces are found without reading those before it. */
function startOf(id: string): number {
  const [, digits = "0"] = /^drill-([0-9a-f]{12})/.exec(id) ?? [];
  return Number.parseInt(digits, 16);
}

function lines(alerts: readonly Alert[], summary: DrillSummary, example: string | null): string[] {
  const { requests, touched, failed_over: failedOver, failed, cancelled, recovery_ms: recovery } = summary;
  const served = Object.entries(summary.served_by).map(([provider, count]) => `${printable(provider)} ${count}`);
  const failures = Object.entries(summary.failures).map(([name, count]) => `${name} ${count}`);
  return [
    ...alerts.toReversed().map(({ at, message }) => `${formatTime(at)}  ${printable(message)}`),
    "",
    `requests in scope      ${requests}`,
    `met the drill's fault  ${touched}`,
    `failed over            ${failedOver}`,
    `failed                 ${failed}`,
    ...(cancelled === 0 ? [] : [`left by their clients   ${cancelled}`]),
    `served by              ${served.length === 0 ? "nobody" : served.join(", ")}`,
    ...(failures.length === 0 ? [] : [`seen as                ${failures.join(", ")}`]),
    ...(recovery === null
      ? []
      : [
          `time to recover        ${formatDuration(recovery.median)} in the middle, ${formatDuration(recovery.longest)} at most`,
        ]),
    ...(example === null ? [] : ["", `One of them: tuloy traces ${example}`]),
  ];
}

/** The newest trace that shows the drill's fault. */
function exampleOf(id: string, traces: readonly Trace[]): string | null {
  return traces.findLast(({ attempts }) => attempts.some(({ drill }) => drill === id))?.id ?? null;
}
