import { blendedUsd, isTwin, nearestModels } from "@tuloy/catalog";
import type { Catalog, CatalogModel, ComparedModel, Offer } from "@tuloy/catalog";
import type { Capability, Deployment, Price } from "@tuloy/contract";

import type { ModelsScope } from "./models-scope.ts";

/** A model in the list, as `--json` prints it. */
export interface ModelLine {
  readonly model: string;
  readonly author: string | null;
  readonly operation: string;
  readonly context: number | null;
  /** Kinds of provider that serve it without anybody declaring how. */
  readonly kinds: readonly string[];
  /** How many further providers of the catalog serve it. */
  readonly others: number;
  /** The lowest price at those kinds, USD per million tokens; a free tier counts only where nothing else is known. */
  readonly best_price: PriceView | null;
  /** Configured providers that serve it; null without a configuration. */
  readonly configured: readonly string[] | null;
}

interface PriceView {
  readonly input: number;
  readonly output: number;
  readonly cached_input: number | null;
  readonly cache_write: number | null;
  readonly provider: string;
}

/** One way to reach a model, as `--json` prints it. */
export interface OfferView {
  readonly provider: string;
  /** Whether `provider` is a `kind` of the configuration. */
  readonly is_kind: boolean;
  readonly id: string;
  readonly price: Omit<PriceView, "provider"> | null;
  readonly context: number | null;
  readonly region: string | null;
  readonly quantization: string | null;
  /** How it is known that the id is the model. */
  readonly link: string;
  /** It serves the model as a twin without being declared. */
  readonly automatic: boolean;
  /** Why it does not; null: it does. */
  readonly why_not: string | null;
  /** The one dialect that reaches it, whatever else the provider speaks; null: any. */
  readonly only_dialect: string | null;
}

export interface ModelPage extends ModelLine {
  readonly title: string;
  readonly aliases: readonly string[];
  readonly max_output: number | null;
  readonly capabilities: readonly string[] | null;
  readonly hidden_reasoning: boolean;
  readonly open_weights: boolean | null;
  readonly tokenizer: string | null;
  readonly dimensions: number | null;
  readonly normalized: boolean | null;
  readonly tier: number | null;
  readonly quirks: readonly string[];
  readonly verified_at: string | null;
  readonly deployments: readonly {
    readonly deployment: string;
    readonly id: string;
    readonly price: Omit<PriceView, "provider"> | null;
    readonly context: number | null;
    readonly region: string | null;
  }[];
  readonly served_by: readonly OfferView[];
  /** Only their display names are equal: no twins. */
  readonly same_name_unverified: readonly OfferView[];
  readonly equivalents: readonly { readonly model: string; readonly score: number; readonly why: string }[];
}

export interface ModelFilter {
  /** A configured provider, a kind, or a provider of the catalog. */
  readonly provider: string | null;
  readonly capabilities: readonly Capability[];
  readonly search: string | null;
}

/** The models that pass the filter, by name. */
export function modelLines(scope: ModelsScope, filter: ModelFilter): ModelLine[] {
  const names = new Set(scope.catalog.models.map(({ name }) => name));
  for (const name of scope.snapshot?.models.keys() ?? []) names.add(name);
  // Those of the simulated provider are no models that anybody could choose, unless it is configured.
  const shown = [...names].filter((name) => !isSimulated(scope, name) || scope.snapshot?.models.has(name) === true);
  return shown
    .filter((name) => passes(scope, name, filter))
    .sort()
    .map((name) => modelLine(scope, name));
}

function isSimulated({ catalog }: ModelsScope, name: string): boolean {
  return catalog.model(name)?.author === "tuloy";
}

function passes(scope: ModelsScope, name: string, { provider, capabilities, search }: ModelFilter): boolean {
  const model = scope.catalog.model(name);
  const deployments = deploymentsOf(scope, name);
  if (provider !== null) {
    const offered = scope.catalog.servedBy(name).some(({ kind, link }) => kind === provider && link !== "name");
    if (!offered && !deployments.some((deployment) => deployment.provider === provider)) return false;
  }
  const able = [model?.capabilities, ...deployments.map((deployment) => deployment.capabilities)];
  if (!capabilities.every((ability) => able.some((can) => can?.has(ability) === true))) return false;
  if (search === null) return true;
  const wanted = search.toLowerCase();
  return [name, model?.title ?? "", ...(model?.aliases ?? [])].some((text) => text.toLowerCase().includes(wanted));
}

function deploymentsOf({ snapshot }: ModelsScope, name: string): readonly Deployment[] {
  return snapshot?.models.get(name)?.deployments ?? [];
}

function modelLine(scope: ModelsScope, name: string): ModelLine {
  const { catalog, snapshot } = scope;
  const model = catalog.model(name);
  const deployments = deploymentsOf(scope, name);
  const linked = catalog.servedBy(name).filter(({ link }) => link !== "name");
  const kinds = new Set(linked.filter((offer) => isTwin(offer) && isKind(catalog, offer)).map(({ kind }) => kind));
  const others = new Set(linked.filter((offer) => !isKind(catalog, offer)).map(({ kind }) => kind));
  return {
    model: name,
    author: model?.author ?? null,
    operation: model?.operation ?? deployments[0]?.operation ?? "chat",
    context: model?.contextTokens ?? deployments[0]?.contextTokens ?? null,
    kinds: [...kinds],
    others: others.size,
    best_price: bestPrice(catalog, name),
    configured: snapshot === null ? null : [...new Set(deployments.map(({ provider }) => provider))],
  };
}

function isKind(catalog: Catalog, { kind }: Offer): boolean {
  return catalog.providers.get(kind)?.isKind === true;
}

function bestPrice(catalog: Catalog, model: string): PriceView | null {
  let best: { readonly offer: Offer; readonly price: Price } | null = null;
  for (const offer of catalog.servedBy(model)) {
    const { price } = offer;
    if (price === null || !isTwin(offer) || !isKind(catalog, offer)) continue;
    if (best === null || isLower(price, best.price)) best = { offer, price };
  }
  return best === null ? null : { ...priceView(best.price), provider: best.offer.kind };
}

function isLower(one: Price, other: Price): boolean {
  const [first, second] = [blendedUsd(one), blendedUsd(other)];
  return second === 0 ? first > 0 : first > 0 && first < second;
}

function priceView({ input, output, cachedInput, cacheWrite }: Price): Omit<PriceView, "provider"> {
  return { input, output, cached_input: cachedInput ?? null, cache_write: cacheWrite ?? null };
}

/** All that is known of one model. */
export function modelPage(scope: ModelsScope, name: string): ModelPage {
  const { catalog } = scope;
  const model = catalog.model(name);
  const [first] = deploymentsOf(scope, name);
  const capabilities = model?.capabilities ?? first?.capabilities ?? null;
  const offers = catalog.servedBy(name).map((offer) => offerView(catalog, offer, model));
  return {
    ...modelLine(scope, name),
    title: model?.title ?? name,
    aliases: model?.aliases ?? [],
    max_output: model?.outputTokens ?? first?.outputTokens ?? null,
    capabilities: capabilities === null ? null : [...capabilities],
    hidden_reasoning: model?.hiddenReasoning ?? false,
    open_weights: model?.openWeights ?? null,
    tokenizer: model?.tokenizerFamily ?? null,
    dimensions: model?.dimensions ?? null,
    normalized: model?.normalized ?? null,
    tier: model?.tier ?? null,
    quirks: model?.quirks ?? [],
    verified_at: model?.verifiedAt ?? null,
    deployments: deploymentsOf(scope, name).map(({ id, upstreamModel, price, contextTokens, region }) => ({
      deployment: id,
      id: upstreamModel,
      price: price === null ? null : priceView(price),
      context: contextTokens,
      region,
    })),
    served_by: offers.filter(({ link }) => link !== "name"),
    same_name_unverified: offers.filter(({ link }) => link === "name"),
    equivalents: equivalentsOf(scope, name),
  };
}

function offerView(catalog: Catalog, offer: Offer, model: CatalogModel | null): OfferView {
  const { kind, id, price, region, quantization, link } = offer;
  return {
    provider: kind,
    is_kind: isKind(catalog, offer),
    id,
    price: price === null ? null : priceView(price),
    context: offer.contextTokens ?? model?.contextTokens ?? null,
    region,
    quantization,
    link,
    automatic: isTwin(offer) && isKind(catalog, offer),
    why_not: whyNot(catalog, offer),
    only_dialect: offer.onlyDialect,
  };
}

function whyNot(catalog: Catalog, offer: Offer): string | null {
  if (offer.link === "name") return "only the names are equal";
  if (offer.variant !== null) return offer.variant;
  if (offer.trial !== null) return offer.trial;
  if (!offer.answered) return "served under its ids for parts of the world only";
  return isKind(catalog, offer) ? null : "no kind of provider: declare it";
}

const leastCloseness = 0.6;
const mostShown = 8;

/** The nearest models of the catalog, by the score that `equivalents: nearest` goes by. Vectors of two models can't be compared. */
function equivalentsOf({ catalog, snapshot }: ModelsScope, name: string): ModelPage["equivalents"] {
  const asked = snapshot?.models.get(name)?.compared ?? comparedOf(catalog, catalog.model(name));
  if (asked === null || (catalog.model(name) ?? snapshot?.models.get(name))?.operation === "embeddings") return [];
  const others = catalog.models.flatMap((model) =>
    model.operation === "chat" && model.author !== "tuloy" ? (comparedOf(catalog, model) ?? []) : [],
  );
  const nearest = nearestModels(asked, others, { least: leastCloseness, most: mostShown });
  return nearest.map(({ name: model, score, why }) => ({ model, score, why }));
}

function comparedOf(catalog: Catalog, model: CatalogModel | null): ComparedModel | null {
  if (model === null) return null;
  const { name, capabilities, hiddenReasoning, tier, contextTokens } = model;
  const price = bestPrice(catalog, name);
  return {
    name,
    capabilities,
    hiddenReasoning,
    tier,
    contextTokens,
    usdPerMillion: price === null ? null : blendedUsd(price),
  };
}
