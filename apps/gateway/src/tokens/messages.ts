import type { Operation } from "@tuloy/contract";
import type { Tokenizer } from "@tuloy/catalog";
import type { PromptSize } from "@tuloy/dialects";

/** To the counting thread. */
export interface CountJob {
  readonly id: number;
  readonly tokenizer: Tokenizer;
  readonly operation: Operation;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** From it. */
export interface CountResult {
  readonly id: number;
  readonly size: PromptSize | null;
}
