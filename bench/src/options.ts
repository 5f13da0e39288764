import { parseArgs } from "node:util";

const commands = ["compare", "latency", "recovery", "outage", "start", "soak", "streams", "translate", "all"] as const;
export type Command = (typeof commands)[number];

const caseNames = ["json-small", "json-32k", "json-1m", "sse", "sse-paced"] as const;
export type CaseName = (typeof caseNames)[number];

export interface BenchOptions {
  readonly command: Command;
  readonly rounds: number;
  /** Seconds of load per measurement. */
  readonly seconds: number;
  /** Names of contenders; null: all. */
  readonly only: readonly string[] | null;
  readonly cases: readonly CaseName[];
  /** Of the soak. */
  readonly minutes: number;
  /** Requests a second of the soak, the outage and the latency run; null: each has its own. */
  readonly rate: number | null;
  /** Samples per fault class of the recovery run, and of the start. */
  readonly samples: number;
  /** Open streams. */
  readonly streams: number;
  readonly write: boolean;
}

export const usage = `npm run bench -- [command] [options]

commands
  compare    CPU time per relayed request, side by side (the default)
  latency    what a gateway adds to a request's time, at half of Tuloy's load
  recovery   time to recover, per class of failure
  outage     a provider fails under load and comes back
  start      from spawn to ready
  soak       memory under steady load
  streams    memory of many open streams
  translate  what a streamed event costs where client and provider speak different dialects
  all        each of these once

options
  --rounds N           rounds of compare and latency (7)
  --seconds N          seconds of load per measurement (4)
  --only a,b           contenders: haproxy, nginx, bare-node, tuloy, tuloy-latency, tuloy-keyed, portkey
  --cases a,b          ${caseNames.join(", ")}
  --samples N          samples per class of recovery, and of start (10)
  --minutes N          length of the soak (10)
  --rate N             requests a second of latency, outage (500) and soak (300)
  --streams N          open streams (10000)
  --quick              2 rounds of 2 s, 3 samples, 1 minute, 1000 streams: a look, not a result
  --write              put the tables into bench/RESULTS.md
`;

/**
 * Reads the command line.
 * @throws Error that says what is wrong, for the person who typed it
 */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: "string" },
      seconds: { type: "string" },
      only: { type: "string" },
      cases: { type: "string" },
      samples: { type: "string" },
      minutes: { type: "string" },
      rate: { type: "string" },
      streams: { type: "string" },
      quick: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
    },
  });
  const [command = "compare", ...more] = positionals;
  if (more.length > 0) throw new Error(`one command at a time: ${positionals.join(" ")}`);
  const { quick } = values;
  return {
    command: oneOf(commands, command, "command"),
    rounds: count("rounds", values.rounds, quick ? 2 : 7, 100),
    seconds: count("seconds", values.seconds, quick ? 2 : 4, 600),
    only: values.only?.split(",") ?? null,
    cases: values.cases?.split(",").map((name) => oneOf(caseNames, name, "case")) ?? caseNames,
    samples: count("samples", values.samples, quick ? 3 : 10, 100),
    minutes: count("minutes", values.minutes, quick ? 1 : 10, 24 * 60),
    rate: values.rate === undefined ? null : count("rate", values.rate, 0, 20_000),
    streams: count("streams", values.streams, quick ? 1_000 : 10_000, 100_000),
    write: values.write,
  };
}

function oneOf<T extends string>(allowed: readonly T[], text: string, what: string): T {
  const found = allowed.find((name) => name === text);
  if (found === undefined) throw new Error(`there is no ${what} "${text}": ${allowed.join(", ")}`);
  return found;
}

function count(name: string, text: string | undefined, otherwise: number, most: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= most)) {
    throw new Error(`--${name} is a whole number from 1 to ${most}, not "${text}"`);
  }
  return value;
}
