import type { Dialect } from "@tuloy/contract";
import type { Tokenizer } from "@tuloy/catalog";
import type { PromptSize } from "@tuloy/dialects";

/** To the counting thread. */
export interface CountJob {
  readonly id: number;
  readonly tokenizer: Tokenizer;
  /** The body's. */
  readonly dialect: Dialect;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** From it. */
export interface CountResult {
  readonly id: number;
  readonly size: PromptSize | null;
}
