import type { Usage } from "@tuloy/contract";

import { count, isObject } from "../json/value.ts";

/**
 * Converse's usage. Its `inputTokens` are only those that were neither read from nor written to the cache
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html). Reasoning is counted as output, and not apart.
 * @returns null when it is none
 */
export function readUsage(value: unknown): Usage | null {
  if (!isObject(value)) return null;
  const input = count(value.inputTokens);
  const output = count(value.outputTokens);
  if (input === null && output === null) return null;
  const read = count(value.cacheReadInputTokens) ?? 0;
  const written = count(value.cacheWriteInputTokens) ?? 0;
  return {
    input_tokens: (input ?? 0) + read + written,
    cached_input_tokens: read,
    output_tokens: output ?? 0,
    reasoning_tokens: 0,
    source: "provider",
    ...(written === 0 ? {} : { cache_write_tokens: written }),
  };
}
