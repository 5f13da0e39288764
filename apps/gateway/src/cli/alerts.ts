import { Command } from "commander";

import { processIo, styled, type CommandIo, jsonOfList, printJsonLines } from "./command-io.ts";
import { parseLimit, withRecords, type RecordFlags } from "./records.ts";
import { formatTime, printable } from "./render/text.ts";
import { table } from "./table.ts";

interface AlertFlags extends RecordFlags {
  readonly limit: number;
  readonly json?: true;
}

/** `tuloy alerts`: what an operator should know, newest first. */
export function alertsCommand(io: CommandIo = processIo): Command {
  return new Command("alerts")
    .description(
      "List what an operator should know: failing deployments, refused provider keys, rejected configurations.",
    )
    .option("--limit <number>", "how many to list, newest first", parseLimit, 20)
    .option(
      "-c, --config <file>",
      "the configuration file, for its data directory (default: tuloy.yaml in this directory)",
    )
    .option("--data-dir <directory>", "the data directory, instead of the configuration's")
    .option(...jsonOfList)
    .action((flags: AlertFlags) =>
      withRecords(flags, io, async (reader) => {
        const alerts = await reader.alerts({ limit: flags.limit });
        if (flags.json) {
          printJsonLines(alerts, io);
          return;
        }
        if (alerts.length === 0) {
          io.stdout.write("There are no alerts.\n");
          return;
        }
        const rows = alerts.map(({ at, kind, message }) => [formatTime(at), kind, printable(message)]);
        const [headings = "", ...lines] = table(["time (UTC)", "alert", "what happened"], rows);
        io.stdout.write(`${[styled("dim", headings, io.stdout), ...lines].join("\n")}\n`);
      }),
    );
}
