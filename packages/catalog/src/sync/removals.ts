import type { CatalogData } from "../data-rows.ts";
import type { CatalogChange } from "./change.ts";

/** Offers that a sync would take away in such a number that the source rather than its providers may have changed. */
export interface LargeRemoval {
  /** Null: all together. */
  readonly provider: string | null;
  readonly removed: number;
  /** Of so many that there are. */
  readonly of: number;
}

/**
 * Providers retire models one at a time, a few percent in a month; a source that was cut short, or that lists a provider with next
 * to nothing, loses them by the dozen. Between the two: more than half of what one provider offers, or more than a tenth of
 * everything. Where one provider loses fewer than three, that is ordinary whatever its share.
 */
const shareOfOne = 0.5;
const shareOfAll = 0.1;
const leastOfOne = 3;

/** What of a change takes away more than providers do by themselves. */
export function largeRemovals({ removedOffers }: CatalogChange, now: CatalogData): LargeRemoval[] {
  const byProvider = Map.groupBy(removedOffers, ({ provider }) => provider);
  const large: LargeRemoval[] = [];
  for (const [provider, { length: removed }] of byProvider) {
    const of = Object.hasOwn(now.offers, provider) ? (now.offers[provider]?.length ?? 0) : 0;
    if (removed >= leastOfOne && removed > of * shareOfOne) large.push({ provider, removed, of });
  }
  const all = Object.values(now.offers).reduce((sum, rows) => sum + rows.length, 0);
  if (removedOffers.length > all * shareOfAll) large.push({ provider: null, removed: removedOffers.length, of: all });
  return large;
}
