import type { RoutingOverrides, Strategy } from "@tuloy/contract";

import { byCost } from "./cost.ts";
import { byLatency } from "./latency.ts";
import { asListed } from "./order.ts";
import type { OrderBy } from "./strategy.ts";
import { byThroughput } from "./throughput.ts";
import { byWeight } from "./weighted.ts";

/** What candidates are ordered by: a route's strategy, or what a request asks for instead. */
export type Sorting = Strategy | "throughput";

export const orders: Readonly<Record<Sorting, OrderBy>> = {
  order: asListed,
  cost: byCost,
  latency: byLatency,
  weighted: byWeight,
  throughput: byThroughput,
};

/** A request that names its own order of providers gets it over the listed one, without any other strategy's chance. */
export function sortingOf(strategy: Strategy, overrides: RoutingOverrides | null): Sorting {
  if (overrides === null) return strategy;
  if (overrides.sort !== null) return overrides.sort === "price" ? "cost" : overrides.sort;
  return overrides.order === null ? strategy : "order";
}
