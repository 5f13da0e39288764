import type { CatalogData, ModelRow, OfferRow } from "./data-rows.ts";

/**
 * One set of data laid over another. A model or an offer that is in both is the upper one's; what the upper one lacks stays.
 * @param removed ids that are not offered any more, by provider
 */
export function layOver(
  lower: CatalogData,
  upper: CatalogData,
  removed: Readonly<Record<string, readonly string[]>> = {},
): CatalogData {
  const kinds = new Set([...Object.keys(lower.offers), ...Object.keys(upper.offers)]);
  return {
    models: byKey(upper.models, lower.models, ({ name }: ModelRow) => name),
    providers: byKey(upper.providers, lower.providers, ({ name }) => name),
    offers: Object.fromEntries(
      [...kinds].map((kind) => {
        const gone = new Set(own(removed, kind));
        const kept = own(lower.offers, kind).filter(([, id]) => !gone.has(id));
        return [kind, byKey(own(upper.offers, kind), kept, ([, id]: OfferRow) => id)];
      }),
    ),
  };
}

function own<T>(record: Readonly<Record<string, readonly T[]>>, key: string): readonly T[] {
  return Object.hasOwn(record, key) ? (record[key] ?? []) : [];
}

/** The lower rows in their places, each replaced by the upper one of its key; then the upper ones that are new. */
function byKey<T>(upper: readonly T[], lower: readonly T[], keyOf: (row: T) => string): T[] {
  const over = new Map(upper.map((row) => [keyOf(row), row]));
  const rows = lower.map((row) => {
    const key = keyOf(row);
    const replaced = over.get(key) ?? row;
    over.delete(key);
    return replaced;
  });
  return [...rows, ...over.values()];
}
