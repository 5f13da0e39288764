import type { CatalogData, OfferRow } from "../data-rows.ts";
import { bedrockProfiles } from "./bedrock-profiles.ts";
import { embeddingOffers, embeddings } from "./embeddings.ts";
import { moreChat, moreChatOffers } from "./more-chat.ts";
import { sandboxModels, sandboxOffers } from "./sandbox.ts";

/** What is described by hand. */
export const ownData: CatalogData = {
  models: [...sandboxModels, ...embeddings, ...moreChat],
  providers: [
    { name: "sambanova", title: "SambaNova", kind: true, docs: "https://docs.sambanova.ai" },
    { name: "sandbox", title: "Simulated", kind: true },
    { name: "jina", title: "Jina AI", url: "https://api.jina.ai/v1", docs: "https://jina.ai/embeddings" },
    { name: "voyage", title: "Voyage AI", url: "https://api.voyageai.com/v1", docs: "https://docs.voyageai.com" },
  ],
  offers: together([sandboxOffers, embeddingOffers, moreChatOffers, bedrockProfiles]),
};

function together(
  parts: readonly Readonly<Record<string, readonly OfferRow[]>>[],
): Record<string, readonly OfferRow[]> {
  const all: Record<string, OfferRow[]> = {};
  for (const part of parts) {
    for (const [kind, rows] of Object.entries(part)) (all[kind] ??= []).push(...rows);
  }
  return all;
}
