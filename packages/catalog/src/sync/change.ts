import type { CatalogData, ModelRow, OfferRow } from "../data-rows.ts";
import { layOver } from "../lay-over.ts";

/** What a sync would do, in the order in which a person reads it. */
export interface CatalogChange {
  readonly addedModels: readonly string[];
  readonly addedOffers: readonly OfferChange[];
  readonly removedOffers: readonly OfferChange[];
  readonly changed: readonly (OfferChange & { readonly what: readonly string[] })[];
}

export interface OfferChange {
  readonly provider: string;
  readonly id: string;
  readonly model: string;
}

/** What is new of the source, over what Tuloy comes with. */
export interface Difference {
  readonly data: CatalogData;
  readonly removed: Readonly<Record<string, readonly string[]>>;
}

/**
 * What of the source differs from the built-in data. Which model an id is, and how that is known, stays as it is built in, unless it
 * is so far only by name: then a proof makes it more. A model that is built in stays as it is described there, since its source
 * was read by people; only what providers charge and allow moves.
 * @param stillThere ids of a provider that are not gone, though they are not among the fresh offers
 */
export function differenceOf(
  builtIn: CatalogData,
  fresh: CatalogData,
  stillThere: (provider: string) => readonly string[],
): Difference {
  const known = new Set(builtIn.models.map(({ name }) => name));
  const taken = new Set(builtIn.models.flatMap(({ name, aliases }) => [name, ...aliases]));
  const models = fresh.models.flatMap((model) =>
    taken.has(model.name)
      ? []
      : [
          withAliases(
            model,
            model.aliases.filter((alias) => !taken.has(alias)),
          ),
        ],
  );
  const names = new Set([...known, ...models.map(({ name }) => name)]);
  // Names from outside: as keys of plain objects some of them would be more than data.
  const offers = new Map<string, OfferRow[]>();
  const removed = new Map<string, string[]>();
  for (const [provider, rows] of Object.entries(fresh.offers)) {
    const before = new Map(rowsOf(builtIn, provider).map((row) => [row[1], row]));
    const differing = rows.flatMap((row) => {
      const there = before.get(row[1]);
      before.delete(row[1]);
      if (there === undefined) return names.has(row[0]) ? [row] : [];
      const kept = there[2] === "name" && names.has(row[0]) ? row : withLinkOf(there, row);
      return sameRow(there, kept) ? [] : [kept];
    });
    if (differing.length > 0) offers.set(provider, differing);
    for (const id of stillThere(provider)) before.delete(id);
    if (before.size > 0) removed.set(provider, [...before.keys()]);
  }
  const there = new Set(builtIn.providers.map(({ name }) => name));
  const providers = fresh.providers.filter(({ name }) => !there.has(name));
  return { data: { models, providers, offers: Object.fromEntries(offers) }, removed: Object.fromEntries(removed) };
}

function withAliases(model: ModelRow, aliases: readonly string[]): ModelRow {
  return { ...model, aliases };
}

/** The fresh price and limits under the built-in link. */
function withLinkOf([model, id, link, , before]: OfferRow, [, , , price, fresh]: OfferRow): OfferRow {
  const { context, output, can } = fresh ?? {};
  const details = {
    ...(before?.region === undefined ? {} : { region: before.region }),
    ...(before?.precision === undefined ? {} : { precision: before.precision }),
    ...variantOf(before?.variant, fresh?.variant),
    ...(context === undefined ? {} : { context }),
    ...(output === undefined ? {} : { output }),
    ...(can === undefined ? {} : { can }),
    ...(before?.only === undefined ? {} : { only: before.only }),
  };
  return Object.keys(details).length === 0 ? [model, id, link, price] : [model, id, link, price, details];
}

function variantOf(before: string | undefined, fresh: string | undefined): { readonly variant?: string } {
  const variant = before ?? fresh;
  return variant === undefined ? {} : { variant };
}

/** What applying would change of what holds now, which is the built-in data with an earlier sync over it. */
export function changeOf(now: CatalogData, builtIn: CatalogData, { data, removed }: Difference): CatalogChange {
  const then = layOver(builtIn, data, removed);
  const models = new Set(now.models.map(({ name }) => name));
  const addedOffers: OfferChange[] = [];
  const removedOffers: OfferChange[] = [];
  const changed: (OfferChange & { what: readonly string[] })[] = [];
  for (const provider of new Set([...Object.keys(now.offers), ...Object.keys(then.offers)])) {
    const before = new Map(rowsOf(now, provider).map((row) => [row[1], row]));
    for (const row of rowsOf(then, provider)) {
      const [model, id] = row;
      const there = before.get(id);
      before.delete(id);
      if (there === undefined) addedOffers.push({ provider, id, model });
      else if (!sameRow(there, row)) changed.push({ provider, id, model, what: differences(there, row) });
    }
    for (const [id, [model]] of before) removedOffers.push({ provider, id, model });
  }
  return {
    addedModels: then.models.flatMap(({ name }: ModelRow) => (models.has(name) ? [] : [name])),
    addedOffers,
    removedOffers,
    changed,
  };
}

export function isEmpty({ addedModels, addedOffers, removedOffers, changed }: CatalogChange): boolean {
  return addedModels.length + addedOffers.length + removedOffers.length + changed.length === 0;
}

function rowsOf({ offers }: CatalogData, provider: string): readonly OfferRow[] {
  return Object.hasOwn(offers, provider) ? (offers[provider] ?? []) : [];
}

function sameRow(one: OfferRow, other: OfferRow): boolean {
  return differences(one, other).length === 0;
}

const detailNames = ["region", "precision", "variant", "context", "output", "can", "only"] as const;
const prices = ["input", "output", "cached input", "cache write"] as const;

function differences([model, , link, price, details = {}]: OfferRow, other: OfferRow): string[] {
  const [otherModel, , otherLink, otherPrice, otherDetails = {}] = other;
  const said = [
    ...told("model", model, otherModel),
    ...told("link", link, otherLink),
    ...prices.flatMap((what, index) => told(what, usd(price?.[index]), usd(otherPrice?.[index]))),
  ];
  for (const name of detailNames) said.push(...told(name, text(details[name]), text(otherDetails[name])));
  return said;
}

function told(what: string, before: string, after: string): string[] {
  return before === after ? [] : [`${what} ${before} → ${after}`];
}

function usd(price: number | null | undefined): string {
  return price === null || price === undefined ? "unknown" : `$${price}`;
}

function text(value: number | string | readonly string[] | undefined): string {
  if (value === undefined) return "as the model";
  return typeof value === "object" ? [...value].sort().join("+") : String(value);
}
