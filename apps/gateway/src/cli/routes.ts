import { parseDuration, type RouteConfig } from "@tuloy/contract";
import { ArmComparison } from "@tuloy/routing";
import type { LedgerReader } from "@tuloy/store";
import { Command, InvalidArgumentError } from "commander";

import { systemClock } from "../clock.ts";
import { processIo, styled, type CommandIo, jsonOfList, printJson, printJsonLines } from "./command-io.ts";
import { loadStatic } from "./load.ts";
import { refuse, withRecords, type RecordFlags } from "./records.ts";
import { renderComparison, type ModelComparison } from "./render/comparison.ts";
import type { Paint } from "./render/text.ts";
import { table } from "./table.ts";

/** `tuloy routes`: the routes of the configuration. `tuloy routes compare NAME`: what the arms of one showed. */
export function routesCommand(io: CommandIo = processIo): Command {
  const file = [
    "-c, --config <file>",
    "the configuration file (default: tuloy.yaml in this directory)",
  ] as const satisfies [string, string];
  return (
    new Command("routes")
      .description("List the routes, or compare the deployments that one of them spreads its requests over.")
      // The subcommand has options of the same names.
      .enablePositionalOptions()
      .option(...file)
      .option(...jsonOfList)
      .action((flags: { readonly config?: string; readonly json?: true }) => list(flags, io))
      .addCommand(
        new Command("compare")
          .description("Compare the deployments of a route by what its requests showed, with 95% confidence intervals.")
          .argument("<name>", "the route's name")
          .option("--since <duration>", "how far back to look", sinceMs, 24 * 3_600_000)
          .option(...file)
          .option("--data-dir <directory>", "the data directory, instead of the configuration's")
          .option("--json", "print JSON")
          .action((name: string, flags: CompareFlags) =>
            withRecords(flags, io, (reader) => compare(reader, name, flags, io)),
          ),
      )
  );
}

interface CompareFlags extends RecordFlags {
  /** Milliseconds. */
  readonly since: number;
  readonly json?: true;
}

function sinceMs(text: string): number {
  const day = /^(\d{1,4})d$/.exec(text)?.[1];
  const ms = day === undefined ? parseDuration(text) : Number(day) * 24 * 3_600_000;
  if (ms === null || ms <= 0) throw new InvalidArgumentError("It is a duration such as 30m, 24h or 7d.");
  return ms;
}

async function list(flags: { readonly config?: string; readonly json?: true }, io: CommandIo): Promise<void> {
  const loaded = await loadStatic(flags.config, io);
  if ("message" in loaded) return refuse(loaded.message, io);
  const written = new Map(loaded.config.routes.map((route) => [route.name, route]));
  // In the order in which they are asked; the last may be the one that every configuration ends in.
  const views = loaded.snapshot.routes.map(({ name, strategy, providers }) => ({
    name,
    match: written.get(name)?.match ?? {},
    strategy,
    providers,
  }));
  if (flags.json) {
    printJsonLines(views, io);
    return;
  }
  const rows = views.map(({ name, match, strategy, providers }) => [
    name,
    matchWords(match),
    strategy,
    providers?.join(", ") ?? "all",
  ]);
  const [headings = "", ...lines] = table(["route", "applies to", "strategy", "providers"], rows);
  io.stdout.write(`${[styled("dim", headings, io.stdout), ...lines].join("\n")}\n`);
}

/** `operation chat, models gpt-4* or o3` */
function matchWords(match: Partial<RouteConfig["match"]>): string {
  const words = Object.entries(match)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => `${field} ${matchValue(value)}`);
  return words.length === 0 ? "every request" : words.join(", ");
}

function matchValue(value: unknown): string {
  if (Array.isArray(value)) return value.join(" or ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function compare(reader: LedgerReader, name: string, flags: CompareFlags, io: CommandIo): Promise<void> {
  const byModel = new Map<string, ArmComparison>();
  for await (const trace of reader.traces({ since: systemClock.wall() - flags.since, route: name })) {
    // What a drill made up says nothing about a provider.
    if (trace.model === null || trace.drill !== null) continue;
    let arms = byModel.get(trace.model);
    if (arms === undefined) byModel.set(trace.model, (arms = new ArmComparison()));
    arms.add(trace);
  }
  const models = [...byModel]
    .map(([model, arms]): ModelComparison => ({ model, comparison: arms.result() }))
    .filter(({ comparison }) => comparison.arms.length > 0);
  if (flags.json) {
    printJson({ route: name, since_ms: flags.since, models: models.map(jsonView) }, io);
  } else if (models.length === 0) {
    refuse(
      `No request of the route ${name} is recorded in this time: look further back with --since, or run tuloy routes to see the routes.`,
      io,
    );
  } else {
    const paint: Paint = (style, text) => styled(style, text, io.stdout);
    io.stdout.write(`${renderComparison(name, models, paint).join("\n")}\n`);
  }
}

function jsonView({ model, comparison: { arms, differences } }: ModelComparison): object {
  return { model, arms, differences };
}
