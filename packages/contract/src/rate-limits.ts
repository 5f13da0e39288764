/** What is left of one budget of a provider key, as the provider said with an answer. */
export interface RateBudget {
  readonly remaining: number;
  /** The whole of it, or null when the provider did not say. */
  readonly limit: number | null;
  /** Milliseconds from the answer until it is full again, or null when the provider did not say. */
  readonly resetMs: number | null;
}

/** What a provider says with an answer about the budgets of the key that was used. Null: it says nothing of that one. */
export interface RateLimits {
  /** `continuous`: what was used comes back bit by bit until the reset. `window`: all at once, at the reset. */
  readonly refill: "continuous" | "window";
  readonly requests: RateBudget | null;
  /** Input and output together. */
  readonly tokens: RateBudget | null;
  readonly inputTokens: RateBudget | null;
  readonly outputTokens: RateBudget | null;
}
