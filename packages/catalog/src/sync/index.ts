/** What only a sync needs, apart from what every start loads. */
export { changeOf, isEmpty, type CatalogChange, type OfferChange } from "./change.ts";
export { newsOf } from "./fresh.ts";
export { largeRemovals, type LargeRemoval } from "./removals.ts";
export { readSource, sourceAddress } from "./models-dev.ts";
