import type { Usage } from "@tuloy/contract";

import { count, isObject, type JsonObject } from "../json/value.ts";

/**
 * Anthropic's usage. Its `input_tokens` are only those that were neither read from nor written to the cache
 * (https://platform.claude.com/docs/en/build-with-claude/prompt-caching, "Tracking cache performance").
 * @param before what the stream said earlier: the event at its end repeats only some counts, and all are totals
 * @returns null when it is none
 */
export function readUsage(value: unknown, before: Usage | null = null): Usage | null {
  if (!isObject(value)) return before;
  const input = count(value.input_tokens);
  const output = count(value.output_tokens);
  if (input === null && output === null) return before;
  const read = count(value.cache_read_input_tokens) ?? before?.cached_input_tokens ?? 0;
  const written = count(value.cache_creation_input_tokens) ?? before?.cache_write_tokens ?? 0;
  const split = isObject(value.cache_creation) ? value.cache_creation : null;
  const hour = count(split?.ephemeral_1h_input_tokens) ?? before?.cache_write_1h_tokens ?? 0;
  const fresh = input ?? freshTokens(before);
  const details = isObject(value.output_tokens_details) ? value.output_tokens_details : null;
  return {
    input_tokens: fresh + read + written,
    cached_input_tokens: read,
    output_tokens: output ?? before?.output_tokens ?? 0,
    reasoning_tokens: count(details?.thinking_tokens) ?? before?.reasoning_tokens ?? 0,
    source: "provider",
    ...(written === 0 ? {} : { cache_write_tokens: written }),
    ...(hour === 0 ? {} : { cache_write_1h_tokens: hour }),
  };
}

function freshTokens(usage: Usage | null): number {
  if (usage === null) return 0;
  return Math.max(0, usage.input_tokens - usage.cached_input_tokens - (usage.cache_write_tokens ?? 0));
}

/** The other way round. Counts that are zero where the provider has no cache are what Anthropic sends too. */
export function writeUsage(usage: Usage | null): JsonObject {
  const written = usage?.cache_write_tokens ?? 0;
  const hour = Math.min(usage?.cache_write_1h_tokens ?? 0, written);
  return {
    input_tokens: freshTokens(usage),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: usage?.cached_input_tokens ?? 0,
    output_tokens: usage?.output_tokens ?? 0,
    ...(hour === 0
      ? {}
      : { cache_creation: { ephemeral_5m_input_tokens: written - hour, ephemeral_1h_input_tokens: hour } }),
    ...(usage !== null && usage.reasoning_tokens > 0
      ? { output_tokens_details: { thinking_tokens: usage.reasoning_tokens } }
      : {}),
  };
}
