import { setTimeout as sleep } from "node:timers/promises";

export interface OpenLoop {
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
}

/**
 * How many requests are due at a moment of an open loop, which sends by the clock whatever became of earlier requests: a
 * slow gateway does not slow its load, as real users would not.
 */
export function dueAt({ rate, seconds }: OpenLoop, elapsedMs: number): number {
  return Math.floor((Math.min(elapsedMs, seconds * 1000) * rate) / 1000);
}

/** Sends at a steady rate and waits for everything that was sent. `send` must not reject. */
export async function runOpenLoop(loop: OpenLoop, send: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  const total = dueAt(loop, loop.seconds * 1000);
  const pending = new Set<Promise<void>>();
  for (let sent = 0; sent < total;) {
    for (const due = dueAt(loop, performance.now() - startedAt); sent < due; sent++) {
      const answer: Promise<void> = send().finally(() => pending.delete(answer));
      pending.add(answer);
    }
    await sleep(1);
  }
  await Promise.all(pending);
}
