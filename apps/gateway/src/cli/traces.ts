import { formatDuration } from "@tuloy/contract";
import type { LedgerReader, TraceRow } from "@tuloy/store";
import { Command } from "commander";

import { processIo, styled, type CommandIo, jsonOfBoth, printJson, printJsonLines } from "./command-io.ts";
import { parseLimit, refuse, withRecords, type RecordFlags } from "./records.ts";
import { formatTime, formatUsd, printable } from "./render/text.ts";
import { renderTimeline } from "./render/timeline.ts";
import { table } from "./table.ts";

interface TraceFlags extends RecordFlags {
  readonly failed?: true;
  readonly failedOver?: true;
  readonly model?: string;
  readonly limit: number;
  readonly json?: true;
}

/** `tuloy traces`: the requests of late, as a table. `tuloy traces ID`: one of them, as a timeline. */
export function tracesCommand(io: CommandIo = processIo): Command {
  return new Command("traces")
    .description("List what became of requests, or show one of them as a timeline.")
    .argument("[id]", "a trace id, or its beginning")
    .option("--failed", "only requests that failed or broke off")
    .option("--failed-over", "only requests that failed over")
    .option("--model <model>", "only requests for this model")
    .option("--limit <number>", "how many to list, newest first", parseLimit, 20)
    .option(
      "-c, --config <file>",
      "the configuration file, for its data directory (default: tuloy.yaml in this directory)",
    )
    .option("--data-dir <directory>", "the data directory, instead of the configuration's")
    .option(...jsonOfBoth)
    .action((id: string | undefined, flags: TraceFlags) =>
      withRecords(flags, io, (reader) => (id === undefined ? list(reader, flags, io) : show(reader, id, flags, io))),
    );
}

async function list(reader: LedgerReader, flags: TraceFlags, io: CommandIo): Promise<void> {
  const rows = await reader.list({
    limit: flags.limit,
    outcomes: flags.failed ? ["failed", "broken"] : undefined,
    failedOver: flags.failedOver,
    model: flags.model,
  });
  if (flags.json) {
    printJsonLines(rows, io);
    return;
  }
  if (rows.length === 0) {
    const filtered = flags.failed ?? flags.failedOver ?? flags.model !== undefined;
    io.stdout.write(filtered ? "No request of that kind is recorded.\n" : "No request is recorded yet.\n");
    return;
  }
  const [headings = "", ...lines] = table(
    columns,
    rows.map((row) => cells(row, rows)),
  );
  io.stdout.write(`${[styled("dim", headings, io.stdout), ...lines].join("\n")}\n`);
}

const columns = [
  "time (UTC)",
  "id",
  "model",
  "outcome",
  "answered by",
  "attempts",
  "failed over",
  "first token",
  "total",
  "cost",
];

function cells(row: TraceRow, all: readonly TraceRow[]): string[] {
  return [
    formatTime(row.started_at),
    row.id.slice(0, shortIdLength(all)),
    printable(row.model ?? row.requested_model),
    row.drill === null ? row.outcome : `${row.outcome}, drill`,
    row.provider ?? "–",
    String(row.attempts),
    row.failover ?? "–",
    row.first_token_ms === null ? "–" : formatDuration(row.first_token_ms),
    formatDuration(row.duration_ms),
    row.cost_usd === null ? "–" : formatUsd(row.cost_usd),
  ];
}

/** Ids begin with the time, so those of one moment share their beginnings: as many digits are shown as tell them apart. */
function shortIdLength(rows: readonly TraceRow[]): number {
  for (let length = 14; length < 32; length += 2) {
    if (new Set(rows.map((row) => row.id.slice(0, length))).size === rows.length) return length;
  }
  return 32;
}

async function show(reader: LedgerReader, id: string, flags: TraceFlags, io: CommandIo): Promise<void> {
  const lookup = await reader.find(id);
  switch (lookup.found) {
    case "one": {
      const { trace } = lookup;
      if (flags.json) printJson(trace, io);
      else io.stdout.write(`${renderTimeline(trace, { color: isColored(io), width: widthOf(io) })}\n`);
      return;
    }
    case "none":
      refuse(`No trace begins with ${printable(id)}: run tuloy traces to see those that are recorded.`, io);
      return;
    case "several":
      refuse(
        `More than one trace begins with ${printable(id)}: give more of the id, for example ${lookup.ids[0]}.`,
        io,
      );
      return;
  }
}

/** Whether this terminal is shown colours: what `styled` decides, for text that is painted elsewhere. */
function isColored({ stdout }: CommandIo): boolean {
  return styled("bold", "-", stdout) !== "-";
}

function widthOf({ stdout }: CommandIo): number {
  const columns: unknown = Reflect.get(stdout, "columns");
  return typeof columns === "number" && columns > 0 ? columns : 100;
}
