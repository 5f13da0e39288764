import type { Usage } from "@tuloy/contract";

import type { Asked } from "./read.ts";

/** Four characters a token is what English text comes to. */
export const charactersPerToken = 4;

/**
 * Usage when the provider sent none.
 * @param written characters of output that arrived
 * @param begun tokens of an answer that the deployment was given to go on with
 */
export function estimateUsage({ request }: Asked, written: number, begun = 0): Usage {
  const generates = request.operation === "chat";
  return {
    input_tokens: request.facts.inputTokens + begun,
    cached_input_tokens: 0,
    output_tokens: generates ? Math.ceil(written / charactersPerToken) : 0,
    reasoning_tokens: 0,
    source: "estimate",
  };
}
