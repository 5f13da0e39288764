import { connect } from "node:net";
import { join } from "node:path";

import { freePort, gatewayCore, start, untilReady } from "../processes.ts";
import type { Site, StartOutcome } from "./contender.ts";

export interface Serving {
  readonly command: string;
  /** Given the port to listen on. */
  readonly args: (port: number) => readonly string[];
  readonly version: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Asked until it says yes; absent: the port accepts connections. */
  readonly probe?: (origin: string) => Promise<boolean>;
  /** Milliseconds between the questions. */
  readonly everyMs?: number;
}

/** What all contenders have in common: a free port, a process on the gateway's core, waiting until it serves. */
export async function serve({ directory }: Site, serving: Serving): Promise<StartOutcome> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const { command, version, headers = {}, environment, cwd, probe, everyMs = 20 } = serving;
  const child = start({
    command,
    args: serving.args(port),
    core: gatewayCore,
    logFile: join(directory, "output.log"),
    ...(environment === undefined ? {} : { environment }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  const why = await untilReady(child, async () => (probe === undefined ? accepts(port) : probe(origin)), {
    everyMs,
  });
  if (why === null) {
    const readyMs = performance.now() - child.spawnedAt;
    return { ready: true, gateway: { pid: child.pid, origin, version, headers, readyMs, stop: child.stop } };
  }
  await child.stop();
  return { ready: false, why: `did not start: ${why}` };
}

/** Whether something accepts connections on a loopback port. */
export async function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  const connected = await promise;
  socket.destroy();
  return connected;
}
