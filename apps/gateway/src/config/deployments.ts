import { catalogModel, offersOf } from "@tuloy/catalog";
import type { CatalogModel, Offer } from "@tuloy/catalog";
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
import { dialectsFor } from "@tuloy/dialects";

import { visibilityOf } from "./addresses.ts";
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
export function canonicalName(name: string): string {
  return catalogModel(name)?.name ?? name;
}

/** Everything that the file's providers serve, in the file's order of providers. */
export function servingsOf(config: Config): Serving[] {
  return Object.entries(config.providers).flatMap(([name, provider]) => {
    const offers = offersOf(provider.kind);
    const named = provider.models;
    return named === undefined
      ? offers.map((offer) => serving(config, name, offer.model, null))
      : Object.entries(named).map(([model, own]) => serving(config, name, model, own));
  });
}

/**
 * One deployment. A fact is taken from the first place that has it: the provider's entry, the file's `models`, the built-in
 * facts. A price holds for an id at a provider, so it comes from the entry or the kind's list for that very id.
 */
function serving(config: Config, providerName: string, modelName: string, own: ProviderModelConfig | null): Serving {
  const provider = providerOf(config, providerName);
  const model = canonicalName(modelName);
  const known = catalogModel(model);
  const said = factsOfFile(config, model);
  const id = own?.id ?? offered(provider, (offer) => offer.model === model)?.id ?? modelName;
  const region = provider.region ?? null;
  const isAuthors = offered(provider, (offer) => offer.id === id) !== undefined;
  const url = provider.base_url === undefined ? null : URL.parse(provider.base_url);
  const visibility = url === null ? provider.visibility : visibilityOf(provider, url);
  const abilities = own?.capabilities ?? said?.capabilities;
  const operation = own?.operation ?? said?.operation ?? known?.operation ?? "chat";
  return {
    deployment: {
      id: `${providerName}/${model}${region === null ? "" : `@${region}`}`,
      provider: providerName,
      model,
      upstreamModel: id,
      operation,
      dialects: dialectsOf(provider, operation, id, own),
      region,
      contextTokens: own?.context ?? said?.context ?? known?.contextTokens ?? null,
      outputTokens: own?.max_output ?? said?.max_output ?? known?.outputTokens ?? null,
      capabilities: abilities === undefined ? (known?.capabilities ?? null) : new Set(abilities),
      price: priceOf(own) ?? offered(provider, (offer) => offer.id === id)?.price ?? null,
      hiddenReasoning: known?.hiddenReasoning ?? false,
      parameters: parametersOf(provider, own, id),
      quantization: own?.quantization ?? (isAuthors ? "full" : null),
      owner: visibility === "private" ? fileOrganization : null,
      retains: provider.retains ?? null,
      trains: provider.trains ?? null,
    },
    dimensions: own?.dimensions ?? said?.dimensions ?? knownDimensions(id, known),
    path: provider.models === undefined ? null : ["providers", providerName, "models", modelName],
  };
}

/** Empty only for what the check of the configuration refuses: an operation, or a dialect, that the kind does not have. */
function dialectsOf(
  { kind }: ProviderConfig,
  operation: Operation,
  id: string,
  own: ProviderModelConfig | null,
): readonly Dialect[] {
  const spoken = dialectsFor(presetFor(kind), operation, id);
  return own?.dialect === undefined ? spoken : spoken.filter((dialect) => dialect === own.dialect);
}

function providerOf(config: Config, name: string): ProviderConfig {
  const provider = config.providers[name];
  if (provider === undefined) throw new Error(`the configuration has no provider ${name}`);
  return provider;
}

/** What the file says of a model, by whichever of its names. */
export function factsOfFile(config: Config, model: string): Config["models"][string] | undefined {
  for (const [name, facts] of Object.entries(config.models)) {
    if (canonicalName(name) === model) return facts;
  }
  return undefined;
}

/** What is sent upstream decides which vectors come back, so a known id says more than the canonical name it was put under. */
function knownDimensions(id: string, model: CatalogModel | null): number | null {
  return catalogModel(id)?.dimensions ?? model?.dimensions ?? null;
}

function offered(provider: ProviderConfig, wanted: (offer: Offer) => boolean): Offer | undefined {
  return offersOf(provider.kind).find(wanted);
}

const noRefusals: ReadonlySet<string> = new Set();

/** What the file says goes before what is known of the kind, and like a price that holds for an id at a provider. */
function parametersOf(provider: ProviderConfig, own: ProviderModelConfig | null, id: string): ParameterFacts | null {
  const said = own?.parameters;
  const preset = presetFor(provider.kind);
  const modelRefuses =
    said === undefined ? (offered(provider, (offer) => offer.id === id)?.refuses ?? noRefusals) : noRefusals;
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
