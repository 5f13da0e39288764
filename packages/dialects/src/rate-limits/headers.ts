import type { RateLimits } from "@tuloy/contract";

/** The headers of one budget, in lower case. */
interface BudgetHeaders {
  readonly remaining: string;
  readonly limit: string;
  readonly reset: string;
}

/** How one family of providers tells with each answer what is left of a key's budgets. */
export interface RateLimitHeaders {
  readonly refill: RateLimits["refill"];
  /** Without this one the others are not looked for, so that a provider that sends none costs one look-up. */
  readonly requests: BudgetHeaders;
  readonly tokens: BudgetHeaders | null;
  readonly inputTokens: BudgetHeaders | null;
  readonly outputTokens: BudgetHeaders | null;
}

/**
 * OpenAI, and those that took over its names (Azure, Groq and others). The reset is when the budget is full again, as a
 * duration (`12ms`, `6m0s`); Azure sends whole seconds or none, and -1 for what it does not know.
 */
export const openaiRateLimits: RateLimitHeaders = {
  refill: "continuous",
  requests: openai("requests"),
  tokens: openai("tokens"),
  inputTokens: null,
  outputTokens: null,
};

/** Anthropic: a bucket that fills continuously; the reset is the moment when it is full, in RFC 3339. */
export const anthropicRateLimits: RateLimitHeaders = {
  refill: "continuous",
  requests: anthropic("requests"),
  // `anthropic-ratelimit-tokens-*` repeats whichever of these two is the nearer to its end.
  tokens: null,
  inputTokens: anthropic("input-tokens"),
  outputTokens: anthropic("output-tokens"),
};

/** Together and OpenRouter: requests only, without saying so in the names. */
export const plainRateLimits: RateLimitHeaders = {
  refill: "continuous",
  requests: { remaining: "x-ratelimit-remaining", limit: "x-ratelimit-limit", reset: "x-ratelimit-reset" },
  tokens: null,
  inputTokens: null,
  outputTokens: null,
};

/** Cerebras: requests of a day, tokens of a minute. */
export const cerebrasRateLimits: RateLimitHeaders = {
  refill: "continuous",
  requests: openai("requests-day"),
  tokens: openai("tokens-minute"),
  inputTokens: null,
  outputTokens: null,
};

function openai(of: string): BudgetHeaders {
  return {
    remaining: `x-ratelimit-remaining-${of}`,
    limit: `x-ratelimit-limit-${of}`,
    reset: `x-ratelimit-reset-${of}`,
  };
}

function anthropic(of: string): BudgetHeaders {
  return {
    remaining: `anthropic-ratelimit-${of}-remaining`,
    limit: `anthropic-ratelimit-${of}-limit`,
    reset: `anthropic-ratelimit-${of}-reset`,
  };
}
