import type { Clock } from "@tuloy/contract";

import { realClock } from "./real-clock.ts";

export interface LoadOptions<T> {
  /** One piece of work. What it throws is an outcome. */
  readonly job: (index: number) => Promise<T>;
  /** Jobs to start. At most `jobLimit`. */
  readonly jobs: number;
  /** Jobs in flight; further ones wait for a free place. Default 50, at most 2,000. */
  readonly concurrency?: number;
  /** Starts are spread evenly at this rate. Absent: as fast as places get free. */
  readonly perSecond?: number;
  /** No job starts after so many milliseconds; those in flight are waited for. Default 60,000. */
  readonly withinMs?: number;
  readonly clock?: Clock;
}

export interface JobOutcome<T> {
  readonly index: number;
  /** Milliseconds from the start of the load. */
  readonly startedMs: number;
  readonly tookMs: number;
  readonly result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };
}

/** More than any test needs; less than would exhaust the machine. */
export const jobLimit = 100_000;

/**
 * Runs the same job many times, at a rate or as fast as a number of places allows, and returns every outcome, in the
 * order of their starts. Bounded in number, in places and in time.
 */
export async function runLoad<T>(options: LoadOptions<T>): Promise<JobOutcome<T>[]> {
  const { job, jobs, concurrency = 50, perSecond, withinMs = 60_000, clock = realClock } = options;
  if (!(jobs >= 0 && jobs <= jobLimit)) throw new RangeError(`jobs must be between 0 and ${jobLimit}`);
  if (!(concurrency >= 1 && concurrency <= 2_000)) throw new RangeError("concurrency must be between 1 and 2,000");
  if (perSecond !== undefined && !(perSecond > 0)) throw new RangeError("perSecond must be above 0");
  const outcomes: JobOutcome<T>[] = [];
  const start = clock.now();
  let next = 0;

  const place = async (): Promise<void> => {
    while (next < jobs) {
      const index = next++;
      const due = perSecond === undefined ? 0 : (index * 1000) / perSecond;
      if (due >= withinMs) return;
      const early = start + due - clock.now();
      if (early > 0) await delay(clock, early);
      const startedMs = clock.now() - start;
      if (startedMs >= withinMs) return;
      const result = await settle(() => job(index));
      outcomes.push({ index, startedMs, tookMs: clock.now() - start - startedMs, result });
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, jobs) }, place));
  return outcomes.sort((a, b) => a.index - b.index);
}

/** The outcomes counted by what `key` says of them: `{ ok: 97, "HTTP 503": 3 }`. */
export function tally<T>(
  outcomes: readonly JobOutcome<T>[],
  key: (outcome: JobOutcome<T>) => string,
): Record<string, number> {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const name = key(outcome);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

/** The smallest value that at least `share` (0 to 1) of the values do not exceed; NaN for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

async function settle<T>(work: () => Promise<T>): Promise<JobOutcome<T>["result"]> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}

function delay(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
