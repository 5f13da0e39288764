import type { Price, Usage } from "@tuloy/contract";

/**
 * Writing to a cache for an hour costs twice the input, and for five minutes, which is what price lists give, 1.25 times. Only Claude has it,
 * wherever it is served (https://platform.claude.com/docs/en/build-with-claude/prompt-caching, "Pricing").
 */
const hourOfCache = 2;

/**
 * What an answer costs: the only place where prices meet usage. Cached input is charged at its own price where the
 * deployment has one, and so is what was written to the cache; reasoning tokens are part of the output tokens and charged as such.
 * @returns USD
 */
export function costUsd(price: Price, usage: Usage): number {
  const cached = Math.min(usage.cached_input_tokens, usage.input_tokens);
  const written = Math.min(usage.cache_write_tokens ?? 0, usage.input_tokens - cached);
  const fresh = usage.input_tokens - cached - written;
  // Where writing has no price of its own it is charged as input, for however long.
  const long = price.cacheWrite === undefined ? 0 : Math.min(usage.cache_write_1h_tokens ?? 0, written);
  return (
    (fresh * price.input +
      cached * (price.cachedInput ?? price.input) +
      (written - long) * (price.cacheWrite ?? price.input) +
      long * price.input * hourOfCache +
      usage.output_tokens * price.output) /
    1_000_000
  );
}

/**
 * What an answer would cost with nothing read from a prompt cache.
 * @returns USD
 */
export function estimateUsd(price: Price, inputTokens: number, outputTokens: number): number {
  return (inputTokens * price.input + outputTokens * price.output) / 1_000_000;
}
