import { isTwin, servesRegion } from "@tuloy/catalog";
import type { Catalog, Offer } from "@tuloy/catalog";
import type { Dialect, Operation, ProviderConfig } from "@tuloy/contract";
import { dialectsFor } from "@tuloy/dialects";
import { isWithin } from "@tuloy/routing";

import { regionOf } from "./base-url.ts";
import { presetFor } from "./preset-for.ts";

/** What the catalog knows a provider of the configuration to serve: the offers of its kind, one a model. */
export function automaticOffers(provider: ProviderConfig, catalog: Catalog): Offer[] {
  const { kind } = provider;
  const offers = catalog.offers(kind).filter((offer) => {
    const operation = catalog.model(offer.model)?.operation ?? "chat";
    return isTwin(offer) && spokenFor({ kind }, operation, offer.id, offer).length > 0;
  });
  return [...Map.groupBy(offers, ({ model }) => model).values()].flatMap((same) => best(same, provider) ?? []);
}

/**
 * Under which id a provider whose configuration names a model serves it, as far as the catalog knows. That it serves the model is
 * the file's word, so an equal name is enough; a free tier is another thing than what the file names, and an id that is refused
 * serves nothing.
 */
export function offerFor(provider: ProviderConfig, model: string, catalog: Catalog): Offer | null {
  const offers = catalog
    .offers(provider.kind)
    .filter((offer) => offer.model === model && offer.variant === null && offer.answered);
  return best(offers, provider);
}

/** In which dialects a provider of this kind is reached for an id: some models are behind one of its endpoints only. */
export function spokenFor(
  { kind }: Pick<ProviderConfig, "kind">,
  operation: Operation,
  id: string,
  offer: Offer | null,
): readonly Dialect[] {
  const spoken = dialectsFor(presetFor(kind), operation, id);
  const only = offer?.onlyDialect ?? null;
  return only === null ? spoken : spoken.filter((dialect) => dialect === only);
}

export function offerOfId({ kind }: ProviderConfig, id: string, catalog: Catalog): Offer | null {
  return catalog.offers(kind).find((offer) => offer.id === id) ?? null;
}

/** Null: every offer computes in a place where the provider is not. */
function best(offers: readonly Offer[], provider: ProviderConfig): Offer | null {
  const region = regionOf(provider);
  // Where the file itself says where it computes, no id that computes anywhere may be put under that.
  const here = provider.region === undefined ? offers : offers.filter((offer) => offer.region !== "global");
  let chosen: Offer | null = null;
  for (const offer of here) {
    if (placeRank(offer, region) === null) continue;
    if (chosen === null || comesBefore(offer, chosen, region)) chosen = offer;
  }
  return chosen;
}

/**
 * Some providers have an id for each part of the world. Where the provider's region is known, the id for the part that holds it is
 * best, and one for another part is none at all; where it is not, the id that answers from anywhere.
 * @returns lower is better
 */
function placeRank({ kind, region: place }: Offer, region: string | null): number | null {
  if (region === null) return place === "global" ? 0 : place === null ? 1 : 2;
  if (place === null) return 1;
  const serves = servesRegion(kind, place, region);
  if (serves !== null) return serves ? 0 : null;
  if (place === "global") return 2;
  return isWithin([place], region) || isWithin([region], place) ? 0 : null;
}

function comesBefore(one: Offer, other: Offer, region: string | null): boolean {
  const difference =
    (placeRank(one, region) ?? 0) - (placeRank(other, region) ?? 0) ||
    // `us-gov` within `us`: the narrower place is the nearer one.
    (other.region?.length ?? 0) - (one.region?.length ?? 0) ||
    proofRank(one) - proofRank(other) ||
    precisionRank(one) - precisionRank(other);
  return difference !== 0 ? difference < 0 : one.id.length < other.id.length;
}

function proofRank({ link }: Offer): number {
  return link === "author" ? 0 : link === "name" ? 2 : 1;
}

function precisionRank({ quantization }: Offer): number {
  return quantization === null || quantization === "full" ? 0 : 1;
}
