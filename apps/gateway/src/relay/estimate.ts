import type { Usage } from "@tuloy/contract";

import type { Asked } from "./read.ts";

/** Four characters a token is what English text comes to. */
export const charactersPerToken = 4;

/**
 * Usage when the provider sent none.
 * @param written characters of output that arrived
 */
export function estimateUsage({ request }: Asked, written: number): Usage {
  const generates = request.operation === "chat";
  return {
    input_tokens: request.facts.inputTokens,
    cached_input_tokens: 0,
    output_tokens: generates ? Math.ceil(written / charactersPerToken) : 0,
    reasoning_tokens: 0,
    source: "estimate",
  };
}
