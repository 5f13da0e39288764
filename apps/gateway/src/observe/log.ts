import type { Writable } from "node:stream";
import { styleText } from "node:util";

import type { Clock } from "@tuloy/contract";
import { pino, type Logger, type LoggerOptions } from "pino";

import { systemClock } from "../clock.ts";

/** What the gateway logs with. Nothing that a client or a provider sent as content is ever passed to it, and no secret. */
export type Log = Logger;

const levels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof levels)[number];

/** The part of the process that the log depends on. */
export interface LogIo {
  readonly stdout: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The log on standard output: readable lines for a person at a terminal (in colour unless NO_COLOR is set), one JSON
 * object a line for everything else.
 * @param level what is logged, from this on. Absent: what the environment variable TULOY_LOG_LEVEL says, else `info`
 */
export function createLog({ stdout, environment }: LogIo, level?: LogLevel, clock: Clock = systemClock): Log {
  const settings: LoggerOptions = {
    level: level ?? levels.find((known) => known === environment["TULOY_LOG_LEVEL"]) ?? "info",
    base: null,
    timestamp: () => `,"time":"${new Date(clock.wall()).toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  };
  if ("isTTY" in stdout && stdout.isTTY === true) {
    const color = (environment["NO_COLOR"] ?? "") === "";
    return pino(settings, { write: (line) => stdout.write(readableLine(line, color)) });
  }
  // Through pino's own writer where possible, since writes to process.stdout block while a pipe's reader stalls, and
  // requests with them. What it still holds is written when the process exits.
  if (stdout !== process.stdout) return pino(settings, stdout);
  const destination = pino.destination({ fd: 1, sync: false });
  // A log that cannot be written (a full disk) must not end the process: there is nowhere left to tell it.
  destination.on("error", () => {});
  return pino(settings, destination);
}

const levelStyles = { debug: "dim", info: "green", warn: "yellow", error: "red", fatal: "red" } as const;

/** `03:10:39 WARN  the message  trace=… route=default`. An error's stack follows on lines of its own. */
function readableLine(json: string, color: boolean): string {
  const entry: unknown = JSON.parse(json);
  if (typeof entry !== "object" || entry === null) return json;
  const { time, level, msg, err, ...fields } = Object.fromEntries(Object.entries(entry));
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const name = String(level);
  const style = Object.entries(levelStyles).find(([known]) => known === name)?.[1] ?? "reset";
  const pairs = Object.entries(fields)
    .filter(([key, value]) => key !== "event" && value !== null)
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const parts = [
    paint("dim", String(time).slice(11, 19)),
    paint(style, name.toUpperCase().padEnd(5)),
    oneLine(String(msg ?? "")),
    ...(pairs.length > 0 ? [` ${paint("dim", oneLine(pairs.join(" ")))}`] : []),
  ];
  const stack: unknown = typeof err === "object" && err !== null ? Reflect.get(err, "stack") : undefined;
  return `${parts.join(" ")}\n${typeof stack === "string" ? `${stack}\n` : ""}`;
}

/** A name that a client chose must not move the cursor or start a line of its own. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ");
}
