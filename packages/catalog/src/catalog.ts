import type { CatalogData } from "./data-rows.ts";
import { builtInData } from "./data/built-in.ts";
import type { CatalogModel, CatalogProvider, Offer } from "./facts.ts";
import { NameIndex, readModelId } from "./ids/read-id.ts";
import type { ReadId } from "./ids/read-id.ts";
import { modelOf, offerOf, providerOf } from "./read-rows.ts";

/** Models, who serves them, and what their ids say. Immutable; what is asked of it is made when it is first asked. */
export class Catalog {
  readonly data: CatalogData;
  /** Every model with facts. */
  readonly models: readonly CatalogModel[];
  readonly #byName = new Map<string, CatalogModel>();
  readonly #offers = new Map<string, readonly Offer[]>();
  #byModel: ReadonlyMap<string, readonly Offer[]> | null = null;
  #providers: ReadonlyMap<string, CatalogProvider> | null = null;
  #names: NameIndex | null = null;

  constructor(data: CatalogData) {
    this.data = data;
    this.models = data.models.map(modelOf);
    for (const model of this.models) {
      this.#byName.set(model.name, model);
      for (const alias of model.aliases) this.#byName.set(alias, model);
    }
  }

  /** The model of this canonical name or exact alias (`gpt-4.1`, `openai/gpt-4.1`), or null when nothing is known of it. */
  model(name: string): CatalogModel | null {
    return this.#byName.get(name) ?? null;
  }

  /** Every offer of a kind of provider, or of a provider without a kind; empty for one that could serve anything. */
  offers(kind: string): readonly Offer[] {
    let made = this.#offers.get(kind);
    if (made === undefined) this.#offers.set(kind, (made = this.#offersOf(kind)));
    return made;
  }

  #offersOf(kind: string): Offer[] {
    const rows = Object.hasOwn(this.data.offers, kind) ? (this.data.offers[kind] ?? []) : [];
    return rows.flatMap((row) => {
      const model = this.#byName.get(row[0]);
      return model === undefined ? [] : [offerOf(kind, row, model)];
    });
  }

  /** Who serves a model, by canonical name: kinds of provider first, each by name. */
  servedBy(model: string): readonly Offer[] {
    this.#byModel ??= Map.groupBy(
      [...this.providers.values()].flatMap(({ name }) => this.offers(name)),
      (offer) => offer.model,
    );
    return this.#byModel.get(model) ?? [];
  }

  /** By name: kinds first. */
  get providers(): ReadonlyMap<string, CatalogProvider> {
    this.#providers ??= new Map(
      this.data.providers
        .map(providerOf)
        .sort((one, other) => Number(other.isKind) - Number(one.isKind) || (one.name < other.name ? -1 : 1))
        .map((provider) => [provider.name, provider]),
    );
    return this.#providers;
  }

  /** What a provider's own id says, by the rules for ids; null when it names no model of the catalog. */
  readId(id: string): ReadId | null {
    this.#names ??= new NameIndex(this.models);
    return readModelId(id, this.#names);
  }
}

/** What Tuloy comes with. */
export const builtInCatalog = new Catalog(builtInData);
