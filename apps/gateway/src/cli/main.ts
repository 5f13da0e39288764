import { Command, CommanderError } from "commander";

import { alertsCommand } from "./alerts.ts";
import { checkCommand } from "./check.ts";
import { demoCommand } from "./demo.ts";
import { planCommand } from "./plan.ts";
import { startCommand } from "./start.ts";
import { version } from "../version.ts";
import { tracesCommand } from "./traces.ts";

/** The command line: every command in its own file. */
export function program(): Command {
  return new Command("tuloy")
    .description("A self-hosted gateway for LLM APIs: when a provider fails, the same model answers from another one.")
    .version(version)
    .showHelpAfterError()
    .addCommand(startCommand())
    .addCommand(demoCommand())
    .addCommand(checkCommand())
    .addCommand(planCommand())
    .addCommand(tracesCommand())
    .addCommand(alertsCommand());
}

/** Dispatches to one file per command. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode;
    else throw error;
  }
}
