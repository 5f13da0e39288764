import type { Capability, Price } from "@tuloy/contract";

import type { CatalogData, ModelRow, OfferRow, PriceRow } from "./data-rows.ts";
import type { CatalogModel, CatalogProvider, Link, Offer } from "./facts.ts";
import { isAnswered } from "./knowledge/profiles.ts";
import { servesAsAuthor } from "./knowledge/traits.ts";
import { trialOf } from "./knowledge/trials.ts";

const nothing: ReadonlySet<string> = new Set();
const noAbilities: ReadonlySet<Capability> = new Set();

export function modelOf(row: ModelRow): CatalogModel {
  return {
    name: row.name,
    author: row.author,
    title: row.title,
    aliases: row.aliases,
    operation: row.embeds === undefined ? "chat" : "embeddings",
    contextTokens: row.context,
    outputTokens: row.output ?? null,
    capabilities: row.can === undefined ? noAbilities : new Set(row.can),
    hiddenReasoning: row.unseen === true,
    openWeights: row.open === true,
    tokenizer: row.tokenizer ?? null,
    tokenizerFamily: row.family ?? null,
    dimensions: row.embeds?.dimensions ?? null,
    normalized: row.embeds?.normalized ?? null,
    tier: row.tier ?? null,
    refuses: row.refuses === undefined ? nothing : new Set(row.refuses),
    quirks: row.quirks ?? [],
    verifiedAt: row.verified ?? null,
  };
}

export function offerOf(kind: string, row: OfferRow, model: CatalogModel): Offer {
  const [, id, link, priced, details] = row;
  const price = priced === null ? null : priceOf(priced);
  return {
    kind,
    model: model.name,
    id,
    link,
    price,
    region: details?.region ?? null,
    quantization: details?.precision ?? (isWhole(link, model) ? "full" : null),
    answered: isAnswered(kind, id),
    variant: details?.variant ?? null,
    trial: trialOf(kind, link, price),
    contextTokens: details?.context ?? null,
    outputTokens: details?.output ?? null,
    capabilities: details?.can === undefined ? null : new Set(details.can),
    onlyDialect: details?.only ?? null,
    refuses: servesAsAuthor(kind, model.author) ? model.refuses : nothing,
  };
}

/** As the author serves it: by the author, or because nobody else has the weights. */
function isWhole(link: Link, { openWeights }: CatalogModel): boolean {
  return link === "author" || (link !== "name" && !openWeights);
}

function priceOf([input, output, cached, write]: PriceRow): Price {
  return {
    input,
    output,
    ...(cached === undefined || cached === null ? {} : { cachedInput: cached }),
    ...(write === undefined ? {} : { cacheWrite: write }),
  };
}

export function providerOf({ name, title, kind, url, docs }: CatalogData["providers"][number]): CatalogProvider {
  return { name, title, isKind: kind === true, baseUrl: url ?? null, docs: docs ?? null };
}
