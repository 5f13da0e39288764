import { controlError } from "@tuloy/contract";
import type { z } from "zod";

import { isRunning, readAddress, type GatewayAddress } from "../control/address-file.ts";
import { readOperatorKey } from "../control/operator-key.ts";
import type { CommandIo } from "./command-io.ts";
import { resolveDataDir } from "./data-dir.ts";
import { refuse, type RecordFlags } from "./records.ts";

/** One request to the control plane of the gateway that uses the same data directory. */
export interface ControlCall<T> {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below `/control/v1`. */
  readonly path: string;
  readonly body?: unknown;
  readonly answer: z.ZodType<T>;
}

/** Sends it. When it cannot be sent or is refused, one line says why and what to do, the exit code is 1, and null is returned. */
export async function callControl<T>(flags: RecordFlags, io: CommandIo, call: ControlCall<T>): Promise<T | null> {
  const { dataDir, config } = flags;
  const { directory, environment } = io;
  const target = reach(resolveDataDir({ dataDir, config, directory, environment }));
  const sent = "problem" in target ? target : await send(target, call);
  if ("answer" in sent) return sent.answer;
  refuse(sent.problem, io);
  return null;
}

interface Problem {
  readonly problem: string;
}

interface Target {
  readonly address: GatewayAddress;
  readonly key: string;
}

/** Where the gateway is, and what it wants to be shown. */
function reach(dataDir: string): Target | Problem {
  const address = readAddress(dataDir);
  if (address === null) {
    return problem(
      `No gateway runs on the data directory ${dataDir}: start one with tuloy start, or name the right one with --data-dir or --config.`,
    );
  }
  if (!isRunning(address)) {
    return problem(
      `No gateway runs on the data directory ${dataDir}: the last one (process ${address.pid}) is gone without a farewell. Start one with tuloy start.`,
    );
  }
  try {
    const key = readOperatorKey(dataDir);
    return key === null ? problem(`There is no control.key in ${dataDir}: restart the gateway.`) : { address, key };
  } catch (error) {
    return problem(`The control key in ${dataDir} cannot be used: ${messageOf(error)}`);
  }
}

async function send<T>({ address, key }: Target, call: ControlCall<T>): Promise<{ readonly answer: T } | Problem> {
  const { method, path, body, answer } = call;
  let status: number;
  let json: unknown;
  try {
    const response = await fetch(`${address.url}/control/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "error",
      signal: AbortSignal.timeout(10_000),
    });
    ({ status } = response);
    json = await response.json();
  } catch (error) {
    return problem(`The gateway at ${address.url} does not answer (${messageOf(error)}): is it still running?`);
  }
  if (status >= 400) {
    const refused = controlError.safeParse(json);
    return problem(refused.success ? refused.data.error.message : `The gateway answered with status ${status}.`);
  }
  const read = answer.safeParse(json);
  return read.success
    ? { answer: read.data }
    : problem("The gateway's answer is not understood: it is of another version. Restart it after an upgrade.");
}

function problem(text: string): Problem {
  return { problem: text };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
