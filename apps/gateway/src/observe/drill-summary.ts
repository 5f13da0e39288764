import type { Trace } from "@tuloy/contract";

/** What the requests in a drill's scope came to. */
export interface DrillSummary {
  /** In its scope. */
  readonly requests: number;
  /** Of these, with an attempt that its fault was laid over. */
  readonly touched: number;
  /** Of the touched, those that somebody else, or a further attempt, answered. */
  readonly failed_over: number;
  /** In its scope, and ended in an error or a broken stream. */
  readonly failed: number;
  readonly cancelled: number;
  /** Who answered, by provider. */
  readonly served_by: Readonly<Record<string, number>>;
  /** What the faults were taken for, by failure class. */
  readonly failures: Readonly<Record<string, number>>;
  /** From a touched request's start to the start of the attempt that answered it; null when none was. Milliseconds. */
  readonly recovery_ms: { readonly median: number; readonly longest: number } | null;
}

/** Counts what the traces of one drill say. */
export function summariseDrill(id: string, traces: readonly Trace[]): DrillSummary {
  const touched = traces.filter(({ attempts }) => attempts.some(({ drill }) => drill === id));
  const recovered = touched.filter(({ outcome, failover }) => outcome === "succeeded" && failover !== null);
  const times = recovered
    .map(({ attempts }) => attempts.findLast(({ failure }) => failure === null)?.started_ms ?? 0)
    .sort((a, b) => a - b);
  const longest = times.at(-1);
  const whole = traces.filter(({ outcome }) => outcome === "succeeded");
  return {
    requests: traces.length,
    touched: touched.length,
    failed_over: recovered.length,
    failed: traces.filter(({ outcome }) => outcome === "failed" || outcome === "broken").length,
    cancelled: traces.filter(({ outcome }) => outcome === "cancelled").length,
    served_by: tally(whole.flatMap(({ provider }) => provider ?? [])),
    failures: tally(
      touched.flatMap(({ attempts }) =>
        attempts.flatMap(({ drill, failure }) => (drill === id ? (failure ?? []) : [])),
      ),
    ),
    recovery_ms: longest === undefined ? null : { median: times[Math.floor(times.length / 2)] ?? longest, longest },
  };
}

/** How often each occurs, the most frequent first. A name such as `__proto__` is data. */
function tally(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
