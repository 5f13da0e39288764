import type { Usage } from "@tuloy/contract";

import { count, isObject } from "../json/value.ts";

/** Of what was written, what was written for an hour (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CacheDetail.html). */
function writtenForAnHour(details: unknown): number {
  if (!Array.isArray(details)) return 0;
  let tokens = 0;
  for (const detail of details) {
    if (isObject(detail) && detail.ttl === "1h") tokens += count(detail.inputTokens) ?? 0;
  }
  return tokens;
}

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
  const hour = writtenForAnHour(value.cacheDetails);
  return {
    input_tokens: (input ?? 0) + read + written,
    cached_input_tokens: read,
    output_tokens: output ?? 0,
    reasoning_tokens: 0,
    source: "provider",
    ...(written === 0 ? {} : { cache_write_tokens: written }),
    ...(hour === 0 ? {} : { cache_write_1h_tokens: hour }),
  };
}
