import { drillList, drillView, type DrillView } from "@tuloy/contract";
import { Command, InvalidArgumentError } from "commander";

import { processIo, styled, type CommandIo, jsonOfList, printJson, printJsonLines } from "./command-io.ts";
import { reportDrill } from "./drill-report.ts";
import { callControl } from "./gateway-client.ts";
import type { RecordFlags } from "./records.ts";
import { formatTime, printable } from "./render/text.ts";
import { table } from "./table.ts";

interface JsonFlags extends RecordFlags {
  readonly json?: true;
}

interface StartFlags extends JsonFlags {
  readonly provider: string;
  readonly model?: string;
  readonly region?: string;
  readonly fault: string;
  readonly scope: Scope;
  readonly for: string;
  readonly includeProduction?: true;
}

/** As the control plane takes it. */
interface Scope {
  readonly environment?: string;
  readonly workspace?: string;
  readonly key?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** `tuloy drill`: simulates the failure of a real provider, for some requests only. */
export function drillCommand(io: CommandIo = processIo): Command {
  return new Command("drill")
    .description(
      "Simulate a provider's failure for the requests in a scope; production is never touched unless you say so.",
    )
    .addCommand(startCommand(io))
    .addCommand(listCommand(io))
    .addCommand(stopCommand(io))
    .addCommand(reportCommand(io));
}

function startCommand(io: CommandIo): Command {
  return shared(new Command("start"))
    .description("Start a drill. It ends by itself.")
    .requiredOption("--provider <name>", "the provider that is to fail")
    .option("--model <model>", "only this model of it")
    .option("--region <region>", "only this region of it")
    .requiredOption("--fault <fault>", "how it fails: 503, hang, refuse, cut:5, 429:2000, …")
    .option(
      "--scope <conditions>",
      "whose requests: environment=…, workspace=…, key=… and tag.NAME=…, separated by commas; all must hold",
      scope,
      { tags: {} },
    )
    .option("--for <duration>", "how long, up to 1h", "2m")
    .option("--include-production", "let it touch the environment production too")
    .action(async (flags: StartFlags) => {
      const { provider, model, region, fault } = flags;
      const body = {
        provider,
        ...(model === undefined ? {} : { model }),
        ...(region === undefined ? {} : { region }),
        fault,
        scope: flags.scope,
        for: flags.for,
        include_production: flags.includeProduction === true,
      };
      const drill = await callControl(flags, io, { method: "POST", path: "/drills", body, answer: drillView });
      if (drill === null) return;
      if (flags.json) return printJson(drill, io);
      io.stdout.write(
        `${styled("bold", `Drill ${drill.id}`, io.stdout)} has begun: ${printable(drill.description)}.\n` +
          `It ends by itself at ${formatTime(drill.ends_at)} UTC. To end it now, and see what it showed: tuloy drill stop ${drill.id}\n`,
      );
    });
}

function listCommand(io: CommandIo): Command {
  return shared(new Command("list"), jsonOfList)
    .description("List the drills under way, and those that ended of late.")
    .action(async (flags: JsonFlags) => {
      const answer = await callControl(flags, io, { method: "GET", path: "/drills", answer: drillList });
      if (answer === null) return;
      if (flags.json) {
        printJsonLines(answer.drills, io);
        return;
      }
      if (answer.drills.length === 0) {
        io.stdout.write("No drill is under way.\n");
        return;
      }
      const [headings = "", ...lines] = table(columns, answer.drills.map(cells));
      io.stdout.write(`${[styled("dim", headings, io.stdout), ...lines].join("\n")}\n`);
    });
}

const columns = ["drill", "state", "what", "requests", "calls that failed by it"];

function cells(drill: DrillView): string[] {
  const state =
    drill.ended_at === null
      ? `ends ${formatTime(drill.ends_at)}`
      : `ended ${formatTime(drill.ended_at)} (${drill.ended_because ?? ""})`;
  return [drill.id, state, printable(drill.description), String(drill.requests), String(drill.calls)];
}

function stopCommand(io: CommandIo): Command {
  return shared(new Command("stop"))
    .description("End a drill, and show what it showed.")
    .argument("<id>", "the drill's id")
    .action(async (id: string, flags: JsonFlags) => {
      const path = `/drills/${encodeURIComponent(id)}`;
      const drill = await callControl(flags, io, { method: "DELETE", path, answer: drillView });
      if (drill === null) return;
      await reportDrill(drill.id, flags, io);
    });
}

function reportCommand(io: CommandIo): Command {
  return shared(new Command("report"))
    .description("Show what a drill showed, from its traces.")
    .argument("<id>", "the drill's id")
    .action((id: string, flags: JsonFlags) => reportDrill(id, flags, io));
}

/** @param json how `--json` is described */
function shared(command: Command, json: readonly [flags: string, words: string] = ["--json", "print JSON"]): Command {
  return command
    .option(
      "-c, --config <file>",
      "the configuration file, for its data directory (default: tuloy.yaml in this directory)",
    )
    .option("--data-dir <directory>", "the data directory, instead of the configuration's")
    .option(...json);
}

/** `environment=staging,tag.team=search`, as often as it is given. */
function scope(text: string, before: Scope): Scope {
  const conditions = text.split(",").map(condition);
  const tags = conditions.filter(([name]) => name.startsWith(tagPrefix));
  return {
    ...before,
    ...Object.fromEntries(conditions.filter(([name]) => !name.startsWith(tagPrefix))),
    tags: { ...before.tags, ...Object.fromEntries(tags.map(([name, value]) => [name.slice(tagPrefix.length), value])) },
  };
}

const tagPrefix = "tag.";

function condition(text: string): readonly [name: string, value: string] {
  const [, name = "", value = ""] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(text) ?? [];
  if (value === "") throw new InvalidArgumentError(`"${text}" is not of the form name=value.`);
  if (!["environment", "workspace", "key"].includes(name) && !name.startsWith(tagPrefix)) {
    throw new InvalidArgumentError(`"${name}" is none of environment, workspace, key and tag.NAME.`);
  }
  return [name, value];
}
