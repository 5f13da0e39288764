import { estimatedUsd } from "../plan/estimate.ts";
import { ascending } from "./strategy.ts";
import type { OrderBy } from "./strategy.ts";

/** The cheapest for this very request first: a long prompt and a long answer can have different cheapest ones. Unknown prices last. */
export const byCost: OrderBy = (candidates, facts) => {
  const prices = candidates.map((deployment) => estimatedUsd(deployment, facts, facts.estimate) ?? Infinity);
  return { candidates: ascending(candidates, prices), note: null };
};
