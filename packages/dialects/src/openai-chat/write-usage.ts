import type { Usage } from "@tuloy/contract";

/** OpenAI's usage object. */
export function writeUsage(usage: Usage): Record<string, unknown> {
  return {
    prompt_tokens: usage.input_tokens,
    completion_tokens: usage.output_tokens,
    total_tokens: usage.input_tokens + usage.output_tokens,
    prompt_tokens_details: {
      cached_tokens: usage.cached_input_tokens,
      ...(usage.cache_write_tokens === undefined ? {} : { cache_write_tokens: usage.cache_write_tokens }),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoning_tokens },
  };
}
