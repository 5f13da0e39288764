import { Command } from "commander";

import { systemClock } from "../clock.ts";
import { runDemo, type DemoResult } from "../demo/demo.ts";
import { LaunchError } from "../launch.ts";
import { createLog } from "../observe/log.ts";
import { processIo, styled, type CommandIo } from "./command-io.ts";
import { renderTimeline } from "./render/timeline.ts";
import { curlLine, portNumber } from "./start.ts";

interface DemoFlags {
  readonly once?: true;
  readonly port: number;
}

/** `tuloy demo`: a failover to watch. */
export function demoCommand(io: CommandIo = processIo): Command {
  return new Command("demo")
    .description("Watch a provider die and come back while an application streams answers. Needs no account.")
    .option("--once", "exit at the end, with 1 if any request failed, instead of staying up to try")
    .option("--port <number>", "listen on this port", portNumber, 0)
    .action((flags: DemoFlags) => demo(flags, io));
}

async function demo(flags: DemoFlags, io: CommandIo): Promise<void> {
  const print = (line: string): void => void io.stdout.write(`${line}\n`);
  let result: DemoResult;
  try {
    result = await runDemo({
      port: flags.port,
      clock: systemClock,
      random: Math.random,
      log: createLog(io, "silent"),
      print,
    });
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    for (const line of error.lines) io.stderr.write(`${styled("red", line, io.stderr)}\n`);
    return io.setExitCode(1);
  }
  if (result.trace) {
    print("");
    print("One request that failed over, as its trace tells it:");
    print("");
    print(renderTimeline(result.trace, { color: "isTTY" in io.stdout && io.stdout.isTTY === true, width: 100 }));
  }
  if (result.failed > 0) io.setExitCode(1);
  if (flags.once) return result.close();
  print("");
  print("The gateway stays up. Try it, and end it with Ctrl-C:");
  print(`  ${curlLine(result.launched.url, result.apiKey, "sandbox-chat")}`);
  const end = (): void => void result.close().then(() => process.exit());
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
}
