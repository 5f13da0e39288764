import type { Operation } from "@tuloy/contract";

import { openaiChat, openaiEmbeddings } from "./data/openai.ts";
import { sandboxChat, sandboxEmbeddings } from "./data/sandbox.ts";
import type { CatalogModel, ModelFacts, Offer } from "./facts.ts";
import type { Tokenizer } from "./tokens/tokenizer.ts";

interface Source {
  readonly author: string;
  readonly operation: Operation;
  /** The provider kind that serves these at the rows' prices. */
  readonly kind: string;
  readonly tokenizer: Tokenizer | null;
  readonly rows: readonly ModelFacts[];
}

const sources: readonly Source[] = [
  { author: "openai", operation: "chat", kind: "openai", tokenizer: "o200k", rows: openaiChat },
  { author: "openai", operation: "embeddings", kind: "openai", tokenizer: "cl100k", rows: openaiEmbeddings },
  { author: "tuloy", operation: "chat", kind: "sandbox", tokenizer: null, rows: sandboxChat },
  { author: "tuloy", operation: "embeddings", kind: "sandbox", tokenizer: null, rows: sandboxEmbeddings },
];

/** Every model with built-in facts. */
export const catalogModels: readonly CatalogModel[] = sources.flatMap(({ author, operation, tokenizer, rows }) =>
  rows.map((row) => ({
    name: row.name,
    author,
    aliases: [`${author}/${row.name}`],
    operation,
    contextTokens: row.context,
    outputTokens: row.output,
    capabilities: new Set(row.capabilities),
    hiddenReasoning: row.hiddenReasoning,
    tokenizer: row.tokenizer ?? tokenizer,
    dimensions: row.dimensions ?? null,
    tier: row.tier ?? null,
  })),
);

const byName: ReadonlyMap<string, CatalogModel> = new Map(
  catalogModels.flatMap((model) => [model.name, ...model.aliases].map((name) => [name, model])),
);

const offersByKind: ReadonlyMap<string, readonly Offer[]> = Map.groupBy(
  sources.flatMap(({ kind, rows }) =>
    rows.map(({ name, price, refuses = [] }): Offer => ({
      kind,
      model: name,
      id: name,
      price,
      refuses: new Set(refuses),
    })),
  ),
  (offer) => offer.kind,
);

/** The model of this canonical name or exact alias (`gpt-4.1`, `openai/gpt-4.1`), or null when nothing is known of it. */
export function catalogModel(name: string): CatalogModel | null {
  return byName.get(name) ?? null;
}

/** What a kind of provider serves when its configuration names no models; empty for a kind that could serve anything. */
export function offersOf(kind: string): readonly Offer[] {
  return offersByKind.get(kind) ?? [];
}
