import { deploymentList, isolationResult, type DeploymentView } from "@tuloy/contract";
import { Command } from "commander";

import { processIo, styled, type CommandIo, jsonOfBoth, printJson, printJsonLines } from "./command-io.ts";
import { callControl } from "./gateway-client.ts";
import { kindsCommand } from "./provider-kinds.ts";
import type { RecordFlags } from "./records.ts";
import { printable } from "./render/text.ts";
import { table } from "./table.ts";

interface ProviderFlags extends RecordFlags {
  readonly json?: true;
}

/** `tuloy providers`: what is in use, and what is not and why. */
export function providersCommand(io: CommandIo = processIo): Command {
  return shared(new Command("providers"))
    .description("List the running gateway's deployments with their breakers and keys, or take some out of use.")
    .action((flags: ProviderFlags) => list(flags, io))
    .addCommand(kindsCommand(io))
    .addCommand(
      new Command("isolate")
        .description(
          "Take a provider, one of its models or one deployment out of use, from the next request on, until it is restored.",
        )
        .argument("<target>", "PROVIDER, or PROVIDER/MODEL")
        .option("--reason <text>", "why, for whoever looks later")
        .action((target: string, _flags: unknown, command: Command) =>
          change("isolate", target, command.optsWithGlobals<ProviderFlags & { reason?: string }>(), io),
        ),
    )
    .addCommand(
      new Command("restore")
        .description("Put back into use what was isolated, with a clean record.")
        .argument("<target>", "as it was isolated")
        .action((target: string, _flags: unknown, command: Command) =>
          change("restore", target, command.optsWithGlobals<ProviderFlags>(), io),
        ),
    );
}

function shared(command: Command): Command {
  return command
    .option(
      "-c, --config <file>",
      "the configuration file, for its data directory (default: tuloy.yaml in this directory)",
    )
    .option("--data-dir <directory>", "the data directory, instead of the configuration's")
    .option(...jsonOfBoth);
}

async function list(flags: ProviderFlags, io: CommandIo): Promise<void> {
  const answer = await callControl(flags, io, { method: "GET", path: "/deployments", answer: deploymentList });
  if (answer === null) return;
  if (flags.json) {
    printJsonLines(answer.deployments, io);
    return;
  }
  const [headings = "", ...lines] = table(columns, answer.deployments.map(cells));
  io.stdout.write(`${[styled("dim", headings, io.stdout), ...lines].join("\n")}\n`);
}

const columns = ["deployment", "breaker", "probe", "keys", "why"];

const states: Readonly<Record<DeploymentView["breaker"], string>> = {
  closed: "closed",
  open: "open",
  half_open: "half-open",
  isolated: "isolated",
};

function cells({ id, breaker, up, keys, why }: DeploymentView): string[] {
  const usable = keys.filter(({ obstacle }) => obstacle === null).length;
  const obstacles = keys.flatMap(({ name, obstacle }) => (obstacle === null ? [] : [`key ${name} is ${obstacle}`]));
  return [
    printable(id),
    states[breaker],
    up === null ? "–" : up ? "up" : "down",
    `${usable} of ${keys.length} usable`,
    printable([...(why === null ? [] : [why]), ...obstacles].join("; ")),
  ];
}

const done = { isolate: "out of use", restore: "back in use" } as const;

async function change(
  what: keyof typeof done,
  target: string,
  flags: ProviderFlags & { readonly reason?: string },
  io: CommandIo,
): Promise<void> {
  const { reason } = flags;
  const body = { target, ...(reason === undefined ? {} : { reason }) };
  const path = `/deployments/${what}`;
  const result = await callControl(flags, io, { method: "POST", path, body, answer: isolationResult });
  if (result === null) return;
  if (flags.json) {
    printJson(result, io);
    return;
  }
  const names = result.deployments.map(printable).join(", ");
  io.stdout.write(`${names === "" ? printable(target) : names}: ${done[what]}.\n`);
  for (const warning of result.warnings) io.stderr.write(`${styled("yellow", printable(warning), io.stderr)}\n`);
}
