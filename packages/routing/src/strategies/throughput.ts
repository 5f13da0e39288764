import { ascending } from "./strategy.ts";
import type { OrderBy } from "./strategy.ts";

/** The one that writes quickest first, by its recent answers; those without one last. Only requests can ask for it. */
export const byThroughput: OrderBy = (candidates, { health }) => {
  const paces = candidates.map((deployment) => health.pace(deployment.id).msPerToken ?? Infinity);
  return { candidates: ascending(candidates, paces), note: null };
};
