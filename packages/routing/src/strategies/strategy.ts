import type { Deployment } from "@tuloy/contract";

import type { Health } from "../health.ts";
import type { EstimateUsd, RequestSize } from "../plan/estimate.ts";

/** What an order may depend on. */
export interface OrderFacts extends RequestSize {
  readonly stream: boolean;
  /** Whose turn it is, where the client says so. */
  readonly session: string | null;
  /** By provider; null: equal shares. */
  readonly weights: ReadonlyMap<string, number> | null;
  readonly health: Health;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly estimate: EstimateUsd;
}

/** Candidates in the order in which they are to be tried, and what is worth a note on the trace. */
interface Ordered {
  readonly candidates: readonly Deployment[];
  readonly note: string | null;
}

/** Orders two or more candidates. Never adds or drops one; breakers are not its business. */
export type OrderBy = (candidates: readonly Deployment[], facts: OrderFacts) => Ordered;

/** Candidates by rising value, equal ones as listed. */
export function ascending(candidates: readonly Deployment[], values: readonly number[]): Deployment[] {
  // Candidates are few: moving each one forward to its place is the fastest stable sort, and needs no pairs.
  const sorted = [...candidates];
  const sortedValues = [...values];
  for (let next = 1; next < sorted.length; next++) {
    for (let at = next; at > 0 && valueAt(sortedValues, at - 1) > valueAt(sortedValues, at); at--) {
      swap(sorted, at);
      swap(sortedValues, at);
    }
  }
  return sorted;
}

function valueAt(values: readonly number[], index: number): number {
  return values[index] ?? Infinity;
}

/** With the one before it. */
function swap(list: unknown[], at: number): void {
  const [before, here] = [list[at - 1], list[at]];
  if (before === undefined || here === undefined) return;
  list[at - 1] = here;
  list[at] = before;
}
