import { builtInCatalog, meansModel } from "@tuloy/catalog";
import type { Catalog, CatalogModel, Offer } from "@tuloy/catalog";
import type {
  Config,
  Deployment,
  Dialect,
  Operation,
  ParameterFacts,
  Price,
  ProviderConfig,
  ProviderModelConfig,
} from "@tuloy/contract";

import { visibilityOf } from "./addresses.ts";
import { baseUrlOf, regionOfId } from "./base-url.ts";
import { automaticOffers, offerFor, offerOfId, spokenFor } from "./offered.ts";
import { presetFor } from "./preset-for.ts";

/** All that a file declares belongs to the one organization there is. */
export const fileOrganization = "default";

/** A deployment with what only the check of a configuration needs. */
export interface Serving {
  readonly deployment: Deployment;
  /** Length of the vectors, or null when unknown or not an embedding model. */
  readonly dimensions: number | null;
  /** Where the file names it; null when the provider serves all that its kind does. */
  readonly path: readonly string[] | null;
}

/** The canonical name for a name or alias, which is the name itself for a model of the file's own. */
export function canonicalName(name: string, catalog: Catalog = builtInCatalog): string {
  return catalog.model(name)?.name ?? name;
}

/**
 * The model that a provider's entry is of. Its key may be the provider's own id, regional or of another precision: then the id
 * says which model it is. A name that the file's `models` describe is the file's own, whatever it looks like.
 */
export function modelUnder(
  { models }: Pick<Config, "models">,
  { kind }: Pick<ProviderConfig, "kind">,
  name: string,
  catalog: Catalog = builtInCatalog,
): string {
  const known = catalog.model(name);
  if (known !== null) return known.name;
  if (Object.hasOwn(models, name)) return name;
  const offer = catalog.offers(kind).find((known) => known.id === name && meansModel(known));
  if (offer !== undefined) return offer.model;
  const read = catalog.readId(name);
  // A dated release or a free tier is not simply the model: the file means that one.
  return read === null || read.variant !== null || read.notes.length > 0 ? name : read.model;
}

/** Everything that the file's providers serve, in the file's order of providers. */
export function servingsOf(config: Config, catalog: Catalog = builtInCatalog): Serving[] {
  return Object.entries(config.providers).flatMap(([name, provider]) => {
    const sources = { config, name, provider, catalog };
    const named = provider.models;
    return named === undefined
      ? automaticOffers(provider, catalog).map((offer) => serving(sources, offer.model, null, offer))
      : Object.entries(named).map(([model, own]) => serving(sources, model, own, null));
  });
}

interface Sources {
  readonly config: Config;
  readonly name: string;
  readonly provider: ProviderConfig;
  readonly catalog: Catalog;
}

/**
 * One deployment. A fact is taken from the first place that has it: the provider's entry, the file's `models`, the catalog's
 * offer, the catalog's model. A price holds for an id at a provider, so it comes from the entry or the offer of that very id.
 */
function serving(
  sources: Sources,
  modelName: string,
  own: ProviderModelConfig | null,
  automatic: Offer | null,
): Serving {
  const { config, name, provider, catalog } = sources;
  const model = modelUnder(config, provider, modelName, catalog);
  const known = catalog.model(model);
  const said = factsOfFile(config, model, catalog);
  const id = own?.id ?? automatic?.id ?? ownId(sources, modelName, model);
  const offer = automatic ?? offerOfId(provider, id, catalog);
  const read = offer === null && id !== model ? catalog.readId(id) : null;
  const region = offer?.region ?? read?.region ?? regionOfId(provider, id);
  const base = provider.base_url === undefined ? null : baseUrlOf(provider);
  const url = base === null ? null : URL.parse(base);
  const visibility = url === null ? provider.visibility : visibilityOf(provider, url);
  const abilities = own?.capabilities ?? said?.capabilities;
  const preset = presetFor(provider.kind);
  // What a kind does with what it is sent is said of its own address, not of whatever stands at another one.
  const kindsOwn = url === null || preset.baseUrl === null || url.host === URL.parse(preset.baseUrl)?.host;
  const operation = own?.operation ?? said?.operation ?? known?.operation ?? "chat";
  return {
    deployment: {
      id: `${name}/${model}${region === null ? "" : `@${region}`}`,
      provider: name,
      model,
      upstreamModel: id,
      operation,
      dialects: dialectsOf(provider, operation, id, own, offer),
      region,
      contextTokens: own?.context ?? said?.context ?? offer?.contextTokens ?? known?.contextTokens ?? null,
      outputTokens: own?.max_output ?? said?.max_output ?? offer?.outputTokens ?? known?.outputTokens ?? null,
      capabilities: abilities === undefined ? (offer?.capabilities ?? known?.capabilities ?? null) : new Set(abilities),
      price: priceOf(own) ?? listPriceOf(offer),
      hiddenReasoning: known?.hiddenReasoning ?? false,
      parameters: parametersOf(provider, own, offer),
      quantization: own?.quantization ?? offer?.quantization ?? read?.quantization ?? null,
      owner: visibility === "private" ? fileOrganization : null,
      retains: provider.retains ?? (kindsOwn ? preset.retains : null),
      trains: provider.trains ?? (kindsOwn ? preset.trains : null),
    },
    dimensions: own?.dimensions ?? said?.dimensions ?? knownDimensions(id, known, catalog),
    path: provider.models === undefined ? null : ["providers", name, "models", modelName],
  };
}

/** Empty only for what the check of the configuration refuses: an operation, or a dialect, that the kind does not have. */
function dialectsOf(
  provider: ProviderConfig,
  operation: Operation,
  id: string,
  own: ProviderModelConfig | null,
  offer: Offer | null,
): readonly Dialect[] {
  const spoken = spokenFor(provider, operation, id, offer);
  return own?.dialect === undefined ? spoken : spoken.filter((dialect) => dialect === own.dialect);
}

/** The id of a model that an entry gives none for: the kind's own, else the name as the file writes it. */
function ownId({ provider, catalog }: Sources, modelName: string, model: string): string {
  const isOwnId = catalog.model(modelName) === null;
  return isOwnId ? modelName : (offerFor(provider, model, catalog)?.id ?? modelName);
}

/** What the file says of a model, by whichever of its names. */
export function factsOfFile(
  config: Config,
  model: string,
  catalog: Catalog = builtInCatalog,
): Config["models"][string] | undefined {
  for (const [name, facts] of Object.entries(config.models)) {
    if (canonicalName(name, catalog) === model) return facts;
  }
  return undefined;
}

/** What is sent upstream decides which vectors come back, so a known id says more than the canonical name it was put under. */
function knownDimensions(id: string, model: CatalogModel | null, catalog: Catalog): number | null {
  return catalog.model(id)?.dimensions ?? model?.dimensions ?? null;
}

const noRefusals: ReadonlySet<string> = new Set();

/** What the file says goes before what is known of the kind, and like a price that holds for an id at a provider. */
function parametersOf(
  { kind }: ProviderConfig,
  own: ProviderModelConfig | null,
  offer: Offer | null,
): ParameterFacts | null {
  const said = own?.parameters;
  const preset = presetFor(kind);
  const modelRefuses = said === undefined ? (offer?.refuses ?? noRefusals) : noRefusals;
  const facts = {
    takes: said?.takes === undefined ? null : new Set(said.takes),
    refuses: new Set(said?.refuses ?? preset.refuses),
    modelRefuses,
    maxStops: said?.max_stops ?? preset.maxStops,
  };
  const nothing =
    facts.takes === null && facts.refuses.size === 0 && modelRefuses.size === 0 && facts.maxStops === null;
  return nothing ? null : facts;
}

/** A trial's price is unknown beyond the trial: at 0 it would come first under `cost`, and every cap would let it pass. */
function listPriceOf(offer: Offer | null): Price | null {
  return offer === null || offer.trial !== null ? null : offer.price;
}

function priceOf(own: ProviderModelConfig | null): Price | null {
  if (own?.price === undefined) return null;
  const { input, output, cached_input: cachedInput, cache_write: cacheWrite } = own.price;
  return {
    input,
    output,
    ...(cachedInput === undefined ? {} : { cachedInput }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
  };
}
