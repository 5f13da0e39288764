import type { Usage } from "@tuloy/contract";

import { count, isObject, type JsonObject } from "../json/value.ts";

/** @returns null when it is none: events before the last have `"usage":null` */
export function readUsage(value: unknown): Usage | null {
  if (!isObject(value)) return null;
  const input = count(value.input_tokens);
  const output = count(value.output_tokens);
  if (input === null && output === null) return null;
  const inputDetails = isObject(value.input_tokens_details) ? value.input_tokens_details : null;
  const written = count(inputDetails?.cache_write_tokens) ?? 0;
  const outputDetails = isObject(value.output_tokens_details) ? value.output_tokens_details : null;
  return {
    input_tokens: input ?? 0,
    cached_input_tokens: count(inputDetails?.cached_tokens) ?? 0,
    output_tokens: output ?? 0,
    reasoning_tokens: count(outputDetails?.reasoning_tokens) ?? 0,
    ...(written === 0 ? {} : { cache_write_tokens: written }),
    source: "provider",
  };
}

export function usageObject(usage: Usage): JsonObject {
  return {
    input_tokens: usage.input_tokens,
    input_tokens_details: {
      cached_tokens: usage.cached_input_tokens,
      cache_write_tokens: usage.cache_write_tokens ?? 0,
    },
    output_tokens: usage.output_tokens,
    output_tokens_details: { reasoning_tokens: usage.reasoning_tokens },
    total_tokens: usage.input_tokens + usage.output_tokens,
  };
}
