import type { OrderBy } from "./strategy.ts";

/** As listed. */
export const asListed: OrderBy = (candidates) => ({ candidates, note: null });
