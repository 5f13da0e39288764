import type { Capability, Quantization } from "@tuloy/contract";

import type { Link } from "./facts.ts";
import type { Tokenizer } from "./tokens/tokenizer.ts";

/** How the catalog is written down: in the files of `data/`, and in what a sync keeps. What is absent is false, empty or unknown. */

export interface ModelRow {
  readonly name: string;
  readonly author: string;
  readonly title: string;
  readonly aliases: readonly string[];
  readonly embeds?: { readonly dimensions: number; readonly normalized: boolean | null };
  readonly context: number;
  readonly output?: number;
  readonly can?: readonly Capability[];
  readonly unseen?: true;
  readonly open?: true;
  readonly tokenizer?: Tokenizer;
  readonly family?: string;
  readonly tier?: number;
  readonly refuses?: readonly string[];
  readonly quirks?: readonly string[];
  readonly verified?: string;
}

/** USD per million tokens: input, output, input from the cache, input written to it. */
export type PriceRow = readonly [input: number, output: number, cached?: number | null, write?: number];

export interface OfferDetails {
  readonly region?: string;
  readonly precision?: Quantization;
  readonly variant?: string;
  readonly context?: number;
  readonly output?: number;
  readonly can?: readonly Capability[];
  readonly only?: "openai-responses";
}

export type OfferRow = readonly [model: string, id: string, link: Link, price: PriceRow | null, details?: OfferDetails];

export interface ProviderRow {
  readonly name: string;
  readonly title: string;
  readonly kind?: true;
  readonly url?: string;
  readonly docs?: string;
}

export interface CatalogData {
  readonly models: readonly ModelRow[];
  readonly providers: readonly ProviderRow[];
  /** By the provider's name. */
  readonly offers: Readonly<Record<string, readonly OfferRow[]>>;
}
