import type { Usage } from "@tuloy/contract";

import { count, isObject } from "../json/value.ts";

/**
 * `usageMetadata`. The prompt's count holds what was cached; thoughts and what tools of the server read stand beside the other
 * counts, and are billed as output and input (https://ai.google.dev/api/generate-content#UsageMetadata).
 * @returns null when it is none
 */
export function readUsage(value: unknown): Usage | null {
  if (!isObject(value)) return null;
  const prompt = count(value.promptTokenCount);
  const candidates = count(value.candidatesTokenCount);
  const thoughts = count(value.thoughtsTokenCount) ?? 0;
  if (prompt === null && candidates === null && thoughts === 0) return null;
  return {
    input_tokens: (prompt ?? 0) + (count(value.toolUsePromptTokenCount) ?? 0),
    cached_input_tokens: count(value.cachedContentTokenCount) ?? 0,
    output_tokens: (candidates ?? 0) + thoughts,
    reasoning_tokens: thoughts,
    source: "provider",
  };
}
