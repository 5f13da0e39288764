import type { Usage } from "@tuloy/contract";

import { count, isObject } from "../json/value.ts";

/**
 * OpenAI's usage object, of chat and of embeddings. DeepSeek's `prompt_cache_hit_tokens` and Moonshot's `cached_tokens` are
 * understood too.
 * @returns null when it is none (`"usage":null` stands in every chunk but the last)
 */
export function readUsage(value: unknown): Usage | null {
  if (!isObject(value)) return null;
  const input = count(value.prompt_tokens);
  const output = count(value.completion_tokens);
  if (input === null && output === null) return null;
  const inputDetails = isObject(value.prompt_tokens_details) ? value.prompt_tokens_details : null;
  const written = count(inputDetails?.cache_write_tokens) ?? 0;
  const outputDetails = isObject(value.completion_tokens_details) ? value.completion_tokens_details : null;
  return {
    input_tokens: input ?? 0,
    cached_input_tokens:
      count(inputDetails?.cached_tokens) ?? count(value.prompt_cache_hit_tokens) ?? count(value.cached_tokens) ?? 0,
    output_tokens: output ?? 0,
    reasoning_tokens: count(outputDetails?.reasoning_tokens) ?? 0,
    source: "provider",
    ...(written === 0 ? {} : { cache_write_tokens: written }),
  };
}
