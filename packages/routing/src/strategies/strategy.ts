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
  // Candidates are few: inserting them one by one is the fastest stable sort, and needs no pairs.
  const order: number[] = [];
  for (let next = 0; next < candidates.length; next++) {
    let at = order.length;
    while (at > 0 && valueAt(values, order[at - 1]) > valueAt(values, next)) at -= 1;
    order.splice(at, 0, next);
  }
  return order.flatMap((index) => candidates[index] ?? []);
}

function valueAt(values: readonly number[], index: number | undefined): number {
  return (index === undefined ? undefined : values[index]) ?? Infinity;
}
