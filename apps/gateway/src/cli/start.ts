import { Command, InvalidArgumentError } from "commander";

import { systemClock } from "../clock.ts";
import { findConfig, type ConfigText } from "../config/source.ts";
import { launch, LaunchError, type Launched } from "../launch.ts";
import { createLog } from "../observe/log.ts";
import { processIo, styled, type CommandIo } from "./command-io.ts";

interface StartFlags {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly dataDir?: string;
  readonly grace: number;
}

/** `tuloy start`: serves until it is told to stop. */
export function startCommand(io: CommandIo = processIo): Command {
  return new Command("start")
    .description("Start the gateway. Without a configuration file, two simulated providers answer.")
    .option("-c, --config <file>", "the configuration file (default: tuloy.yaml in this directory)")
    .option("--host <address>", "listen on this address (over server.host)")
    .option("--port <number>", "listen on this port (over server.port)", portNumber)
    .option("--data-dir <directory>", "keep records here (over data.dir)")
    .option("--grace <seconds>", "how long requests in flight may go on after SIGTERM", seconds, 30)
    .action((flags: StartFlags) => start(flags, io));
}

export function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("It must be a number from 0 to 65535.");
  return port;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError("It must be a number of seconds.");
  return value;
}

async function start(flags: StartFlags, io: CommandIo): Promise<void> {
  const source = await findConfig(flags.config, io.directory);
  if (source.kind === "unreadable") {
    io.stderr.write(`${source.message}\n`);
    return io.setExitCode(1);
  }
  const log = createLog(io);
  let launched: Launched;
  try {
    launched = await launch({
      source,
      environment: io.environment,
      directory: io.directory,
      overrides: {
        ...(flags.host === undefined ? {} : { host: flags.host }),
        ...(flags.port === undefined ? {} : { port: flags.port }),
        ...(flags.dataDir === undefined ? {} : { dataDir: flags.dataDir }),
      },
      clock: systemClock,
      random: Math.random,
      log,
    });
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    for (const line of error.lines) io.stderr.write(`${styled("red", line, io.stderr)}\n`);
    return io.setExitCode(1);
  }
  io.stdout.write(`${greeting(launched, source, io).join("\n")}\n`);
  stopOnSignals(launched, flags.grace * 1000, io);
}

function stopOnSignals(launched: Launched, graceMs: number, io: CommandIo): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    // The second one means: now.
    if (stopping) process.exit(130);
    stopping = true;
    io.stderr.write(`${signal}: taking no new requests; those in flight have ${graceMs / 1000} s.\n`);
    launched.close(graceMs).then(
      () => process.exit(0),
      (error: unknown) => {
        io.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => void launched.reload());
}

function greeting(launched: Launched, source: ConfigText, io: CommandIo): string[] {
  const { url, madeKey, config } = launched;
  const bold = (text: string): string => styled("bold", text, io.stdout);
  const providers = [...config.current.providers.keys()];
  const lines = [`Tuloy listens on ${bold(url)} (configuration: ${source.name}; providers: ${providers.join(", ")})`];
  if (source.kind === "defaults") {
    lines.push("There is no tuloy.yaml here, so two simulated providers answer. Nothing leaves this machine.");
  } else if (madeKey !== null) {
    lines.push(`The configuration names no API key, so one was made. It is shown only now: ${bold(madeKey)}`);
  }
  const model = config.current.models.values().find(({ operation }) => operation === "chat")?.model;
  if (madeKey !== null && model !== undefined) lines.push("", "Try it:", `  ${curlLine(url, madeKey, model)}`, "");
  return lines;
}

/** A first request that works as it stands. */
export function curlLine(url: string, key: string, model: string): string {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "Hello!" }] });
  return `curl -N ${url}/v1/chat/completions -H "authorization: Bearer ${key}" -H "content-type: application/json" -d '${body}'`;
}
