import type { CatalogData, ModelRow, OfferRow, ProviderRow } from "../data-rows.ts";
import { authorOf, spells, spellingsOf } from "../ids/authors.ts";
import { NameIndex } from "../ids/read-id.ts";
import { kindBySource } from "../knowledge/kinds.ts";
import { isOwnKind } from "../knowledge/traits.ts";
import type { Source, SourceRow } from "./models-dev.ts";
import { modelRow, namedRows } from "./models.ts";
import type { NamedRow } from "./models.ts";
import { offerRow } from "./offers.ts";
import type { Known } from "./offers.ts";

/**
 * The source in our words.
 * @param own models that are described here already, which the source can't change
 * @param before which model an id was known to be
 */
export function generate(
  source: Source,
  own: readonly ModelRow[],
  before: Known["before"] = () => undefined,
): CatalogData {
  const ownNames = new Map(own.flatMap(({ name, aliases }) => [name, ...aliases].map((one) => [one, name] as const)));
  const named = namedRows(withAuthorsOwn(source), ownNames);
  const groups = Map.groupBy(
    named.filter(({ name }) => ownNames.get(name) === undefined),
    ({ name }) => name,
  );
  const models = [...groups.values()].flatMap(([first, ...rest]) =>
    first === undefined ? [] : [modelRow([first, ...rest])],
  );
  const known = knownFrom([...own, ...models], named, before);
  const offers = offersFrom(source, known);
  return {
    models: withServedAliases(models, [...own, ...models], offers),
    providers: providersOf(source, offers),
    // A provider of whose rows none is known here stays, empty: what it offered before is gone.
    offers: Object.fromEntries(offers),
  };
}

/** The source's models; where it tells none, those that authors serve themselves. */
function withAuthorsOwn(source: Source): ReadonlyMap<string, SourceRow> {
  if (source.models.size > 0) return source.models;
  const models = new Map<string, SourceRow>();
  for (const [provider, { rows }] of source.providers) {
    const kind = kindOf(provider);
    const author = authorOf(provider) ?? (kind === "gemini" ? "google" : null);
    if (author === null || !isOwnKind(kind, author)) continue;
    for (const [id, row] of rows) if (!id.includes("/")) models.set(`${author}/${id}`, row);
  }
  return models;
}

function knownFrom(models: readonly ModelRow[], named: readonly NamedRow[], before: Known["before"]): Known {
  const displayNames = new Map<string, string | null>();
  for (const { row, name } of named) {
    const there = displayNames.get(row.name);
    displayNames.set(row.name, there === undefined || there === name ? name : null);
  }
  return {
    models: new Map(models.map((model) => [model.name, model])),
    names: new NameIndex(models),
    titles: new NameIndex(models, ({ title }) => [title]),
    sourceNames: new Map(named.map(({ author, name, sourceName }) => [`${author}/${sourceName}`, name])),
    displayNames,
    before,
  };
}

function offersFrom(source: Source, known: Known): Map<string, OfferRow[]> {
  const offers = new Map<string, OfferRow[]>();
  for (const [provider, { rows }] of source.providers) {
    const kind = kindOf(provider);
    let made = offers.get(kind);
    if (made === undefined) offers.set(kind, (made = []));
    const there = new Set(made.map(([, id]) => id));
    for (const [id, row] of [...rows].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const offer = there.has(id) ? null : offerRow(kind, id, row, known);
      if (offer !== null) made.push(offer);
    }
  }
  return offers;
}

export function kindOf(provider: string): string {
  return Object.hasOwn(kindBySource, provider) ? (kindBySource[provider] ?? provider) : provider;
}

/**
 * Ids in the style of `author/name` that providers which put the author first use for a model are names that clients know it by
 * (`anthropic/claude-opus-4.6`), so they are aliases, where no other model has them.
 */
function withServedAliases(
  models: readonly ModelRow[],
  all: readonly ModelRow[],
  offers: ReadonlyMap<string, readonly OfferRow[]>,
): ModelRow[] {
  const taken = new Set(all.flatMap(({ name, aliases }) => [name, ...aliases]));
  const byModel = new Map<string, string[]>();
  for (const kind of ["openrouter", "huggingface"]) {
    for (const [model, id, link, , details] of offers.get(kind) ?? []) {
      if (link === "name" || details?.variant !== undefined || details?.precision !== undefined || taken.has(id))
        continue;
      taken.add(id);
      byModel.set(model, [...(byModel.get(model) ?? []), id]);
    }
  }
  return models.map((model) => {
    const more = (byModel.get(model.name) ?? []).filter((id) => spells(id.split("/")[0] ?? "", model.author));
    const bare = more.map((id) => id.slice(id.indexOf("/") + 1)).filter((id) => !taken.has(id));
    const [own = model.author] = spellingsOf(model.author);
    const mixed = bare.map((id) => `${own}/${id}`).filter((id) => !taken.has(id));
    const aliases = [...new Set([...model.aliases, ...more, ...bare, ...mixed])];
    return { ...model, aliases };
  });
}

function providersOf(source: Source, offers: ReadonlyMap<string, readonly OfferRow[]>): ProviderRow[] {
  const providers = new Map<string, ProviderRow>();
  for (const [provider, { title, url, docs }] of source.providers) {
    const name = kindOf(provider);
    if (providers.has(name) || (offers.get(name) ?? []).length === 0) continue;
    const isKind = Object.hasOwn(kindBySource, provider);
    providers.set(name, {
      name,
      title,
      ...(isKind ? { kind: true } : {}),
      ...(url === null ? {} : { url }),
      ...(docs === null ? {} : { docs }),
    });
  }
  return [...providers.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}
