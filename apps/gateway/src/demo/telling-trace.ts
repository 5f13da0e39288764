import type { AttemptKind, AttemptRecord, Trace } from "@tuloy/contract";

/** Calls that complete a stream which broke off. */
const completing: ReadonlySet<AttemptKind> = new Set(["continuation", "replay", "soft_continuation"]);

type Telling = Pick<Trace, "stream"> & { readonly attempts: readonly Pick<AttemptRecord, "kind" | "failure">[] };

/**
 * The trace that shows most of what a gateway is for: a stream that was completed in its middle, or one that began at another
 * deployment, or any other answer that failed over.
 * @param traces of requests that failed over, newest first
 */
export function tellingTrace<T extends Telling>(traces: readonly T[]): T | null {
  return traces.find(wasCompleted) ?? traces.find(({ stream }) => stream) ?? traces[0] ?? null;
}

/** Its last call was whole, and completed what others had begun. */
function wasCompleted({ attempts }: Telling): boolean {
  const last = attempts.at(-1);
  return last !== undefined && last.failure === null && completing.has(last.kind);
}
