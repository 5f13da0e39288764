import type { Capability, Operation, Price } from "@tuloy/contract";

import type { Tokenizer } from "./tokens/tokenizer.ts";

/** A row of a data file: one model as its author serves it. */
export interface ModelFacts {
  readonly name: string;
  /** Tokens that fit, input and output together; for embeddings, of one input. */
  readonly context: number;
  /** The longest answer, in tokens; null for embeddings. */
  readonly output: number | null;
  readonly capabilities: readonly Capability[];
  readonly hiddenReasoning: boolean;
  /** Where it differs from its source's. */
  readonly tokenizer?: Tokenizer;
  readonly dimensions?: number;
  /** Parameters that the author's own endpoint answers with 400 for this model. */
  readonly refuses?: readonly string[];
  /** See `CatalogModel.tier`; absent for embeddings. */
  readonly tier?: number;
  /** The author's own list price. */
  readonly price: Price;
}

/** A canonical model: what holds whoever serves it. */
export interface CatalogModel {
  readonly name: string;
  /** Who made it; `author/name` is an alias. */
  readonly author: string;
  /** Exact other names of the same model. */
  readonly aliases: readonly string[];
  readonly operation: Operation;
  /** Input plus output tokens that fit; for embeddings, the tokens of one input. */
  readonly contextTokens: number;
  /** The longest answer in tokens, or null where that has no meaning. */
  readonly outputTokens: number | null;
  readonly capabilities: ReadonlySet<Capability>;
  readonly hiddenReasoning: boolean;
  /** What its tokens are counted with; null when no library has it. */
  readonly tokenizer: Tokenizer | null;
  /** Length of the vectors; null for anything but embeddings. */
  readonly dimensions: number | null;
  /**
   * How able it is, from 1 (smallest) to 5 (the best there is), as its author places it among its own models of all
   * generations. Only good enough to tell near from far; null when unknown.
   */
  readonly tier: number | null;
}

/** One model at one kind of provider. */
export interface Offer {
  /** The `kind` of the configuration file. */
  readonly kind: string;
  /** The canonical model's name. */
  readonly model: string;
  /** The provider's own id for it. */
  readonly id: string;
  readonly price: Price;
  /** Parameters that this provider does not take for this model. */
  readonly refuses: ReadonlySet<string>;
}
