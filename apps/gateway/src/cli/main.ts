import { Command, CommanderError } from "commander";

import { version } from "../version.ts";

/** Every command in its own file, loaded when it is called: what one command needs must not slow the start of another. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import("./start.ts")).startCommand(),
  demo: async () => (await import("./demo.ts")).demoCommand(),
  check: async () => (await import("./check.ts")).checkCommand(),
  plan: async () => (await import("./plan.ts")).planCommand(),
  models: async () => (await import("./models.ts")).modelsCommand(),
  catalog: async () => (await import("./catalog.ts")).catalogCommand(),
  routes: async () => (await import("./routes.ts")).routesCommand(),
  traces: async () => (await import("./traces.ts")).tracesCommand(),
  providers: async () => (await import("./providers.ts")).providersCommand(),
  drill: async () => (await import("./drill.ts")).drillCommand(),
  alerts: async () => (await import("./alerts.ts")).alertsCommand(),
};

/**
 * The command line.
 * @param called the command that is called; null, or a name that is none: all of them, for the help
 */
export async function program(called: string | null = null): Promise<Command> {
  const tuloy = new Command("tuloy")
    .description("A self-hosted gateway for LLM APIs: when a provider fails, the same model answers from another one.")
    .version(version)
    .showHelpAfterError();
  const loaders = called !== null && Object.hasOwn(commands, called) ? [commands[called]] : Object.values(commands);
  for (const load of loaders) if (load) tuloy.addCommand(await load());
  return tuloy;
}

/** Dispatches to one file per command. */
export async function main(argv: readonly string[]): Promise<void> {
  // Whoever reads may go before the end (`| head`, a closed terminal): a command is done with that, a gateway goes on.
  process.stdout.on("error", () => {
    if (argv[2] !== "start") process.exit();
  });
  try {
    await (await program(argv[2] ?? null)).parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode;
    else throw error;
  }
}
