import type { Capability, Operation, Price, Quantization } from "@tuloy/contract";

import type { Tokenizer } from "./tokens/tokenizer.ts";

/**
 * How it is known that an id at a provider is the model.
 * - `author`: the model's own author serves it there under the model's name.
 * - `id`: the id is an exact form of the model's name: prefixed with its author, dated, regional, or spelled otherwise.
 * - `database`: the source ties the two, and the id says nothing else.
 * - `name`: only the display names are equal. Not enough for a twin.
 */
export const links = ["author", "id", "database", "name"] as const;
export type Link = (typeof links)[number];

/** A canonical model: what holds whoever serves it. */
export interface CatalogModel {
  readonly name: string;
  /** Who made it; `author/name` is an alias. */
  readonly author: string;
  /** As its author writes it, for people. */
  readonly title: string;
  /** Exact other names of the same model. */
  readonly aliases: readonly string[];
  readonly operation: Operation;
  /** Input plus output tokens that fit; for embeddings, the tokens of one input. */
  readonly contextTokens: number;
  /** The longest answer in tokens, or null where that has no meaning. */
  readonly outputTokens: number | null;
  readonly capabilities: ReadonlySet<Capability>;
  readonly hiddenReasoning: boolean;
  /** Anybody may serve it, so that its precision differs from provider to provider. */
  readonly openWeights: boolean;
  /** What its tokens are counted with; null when no library here has it. */
  readonly tokenizer: Tokenizer | null;
  /** Models of one family split text into the same tokens, as far as is known: `claude`, `llama3`; null when unknown. */
  readonly tokenizerFamily: string | null;
  /** Length of the vectors that come without asking for another; null for anything but embeddings. */
  readonly dimensions: number | null;
  /** Whether its vectors have length 1 as they come; null when unknown, or not an embedding model. */
  readonly normalized: boolean | null;
  /**
   * How able it is, from 1 (smallest) to 5 (the best there is), as its author places it among its own models of all
   * generations. Only good enough to tell near from far; null when unknown.
   */
  readonly tier: number | null;
  /** Parameters that its author's own endpoint answers with 400, and so do those who serve it for the author. */
  readonly refuses: ReadonlySet<string>;
  /** What a person who moves to it should know, in words. */
  readonly quirks: readonly string[];
  /** The day somebody compared this with the author's documentation, as `2026-11-24`; null: taken from the source as it was. */
  readonly verifiedAt: string | null;
}

/** One model at one provider, under that provider's id. */
export interface Offer {
  /** The `kind` of the configuration file; for a provider without one, its name in the source. */
  readonly kind: string;
  /** The canonical model's name. */
  readonly model: string;
  /** The provider's own id for it. */
  readonly id: string;
  readonly link: Link;
  /** Null when the provider charges otherwise than by the token, or nobody told. */
  readonly price: Price | null;
  /** Where it computes, when the id says so: `eu`, or `global` for anywhere. Null: the id doesn't say. */
  readonly region: string | null;
  /** The precision of the weights, when it is known. */
  readonly quantization: Quantization | null;
  /** False: requests under this id are refused, as the model is served under ids for parts of the world only. */
  readonly answered: boolean;
  /** Why this is not simply the model, though its id names it: a free tier, a searching variant. Null: it is. */
  readonly variant: string | null;
  /** Why it is not capacity to count on: it is for trying models, so its price of 0 is none. Null: it is. */
  readonly trial: string | null;
  /** Where it differs from the model's. */
  readonly contextTokens: number | null;
  readonly outputTokens: number | null;
  /** What it can do here, where that differs from the model; null: as the model. */
  readonly capabilities: ReadonlySet<Capability> | null;
  /** Only this dialect reaches it, whatever else the provider speaks; null: any. */
  readonly onlyDialect: "openai-responses" | null;
  /** Parameters that this provider does not take for this model. */
  readonly refuses: ReadonlySet<string>;
}

/** Somebody in the catalog who serves models. */
export interface CatalogProvider {
  /** The `kind` of the configuration file, or the name in the source where there is none. */
  readonly name: string;
  readonly title: string;
  /** Whether `name` is a kind of provider; else it can be declared as `openai-compatible` or `anthropic-compatible`. */
  readonly isKind: boolean;
  /** Where its API is, when the source tells. */
  readonly baseUrl: string | null;
  /** Its page about its models. */
  readonly docs: string | null;
}

/** Whether the id means the model and nothing else, and is answered. Whoever names it under the model may do so. */
export function meansModel(offer: Offer): boolean {
  return offer.link !== "name" && offer.variant === null && offer.answered;
}

/** Whether requests for the model may go to this offer though nobody declared it. */
export function isTwin(offer: Offer): boolean {
  return meansModel(offer) && offer.trial === null;
}
