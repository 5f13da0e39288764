import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

/** Where a running gateway says where it is, for the command line on the same machine. */
const fileName = "gateway.json";

const address = z.object({ url: z.url({ protocol: /^https?$/ }), pid: z.int().positive() });

export type GatewayAddress = z.infer<typeof address>;

/** Replaces what an earlier gateway left. Throws when it cannot be written. */
export function writeAddress(dataDir: string, { url, pid }: GatewayAddress): void {
  const path = join(dataDir, fileName);
  writeFileSync(`${path}.new`, `${JSON.stringify({ url: reachable(url), pid })}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Takes it back, unless another gateway has written its own meanwhile. */
export function forgetAddress(dataDir: string, own: GatewayAddress): void {
  const found = readAddress(dataDir);
  if (found?.url === reachable(own.url) && found.pid === own.pid) rmSync(join(dataDir, fileName), { force: true });
}

/** What is written there; null when it is nothing. That it still runs is not certain: see `isRunning`. */
export function readAddress(dataDir: string): GatewayAddress | null {
  try {
    return address.parse(JSON.parse(readFileSync(join(dataDir, fileName), "utf8")));
  } catch {
    return null;
  }
}

/** Whether the process is there. After a crash, the file of one that is gone stays. */
export function isRunning({ pid }: GatewayAddress): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not ours to signal, but there.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** An address that stands for all of this machine's is reached at its own. */
function reachable(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}
