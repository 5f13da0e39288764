import type { RateBudget, RateLimits } from "@tuloy/contract";

/** What was taken of a key at one deployment since the process began: requests, tokens and input tokens. Only ever grows. */
export interface Taken {
  readonly requests: number;
  readonly tokens: number;
  readonly inputTokens: number;
}

/** What one call needs. */
export interface Need {
  /** Input and output together. Absent: unknown, and taken for none. */
  readonly tokens?: number | undefined;
  /** The part of `tokens` that is input. Absent: all of it. */
  readonly inputTokens?: number | undefined;
}

export function inputOf({ tokens, inputTokens }: Need): number {
  return inputTokens ?? tokens ?? 0;
}

/** A later reset is not believed: a wrong header must not keep a key out for longer than a wrong Retry-After does. */
const longestResetMs = 3_600_000;
/** Where a provider names no reset (Azure, mostly), its own windows are 1 to 10 s for requests. */
const guessedResetMs = 10_000;

/** What flows back is counted in fractions, which do not add up to the last digit. */
const rounding = 1e-9;

/**
 * One budget as its provider announced it with an answer. What was taken since then is subtracted, since an announcement
 * is about the past; what flows back meanwhile is added. After its reset it says nothing any more.
 */
class Announced {
  readonly #remaining: number;
  readonly #limit: number | null;
  readonly #at: number;
  readonly #resetAt: number;
  /** What had been taken, by our own count, when the call that brought this was made. */
  readonly #takenBefore: number;
  readonly #continuous: boolean;

  constructor(budget: RateBudget, takenBefore: number, continuous: boolean, now: number) {
    this.#remaining = budget.remaining;
    this.#limit = budget.limit;
    this.#at = now;
    // Whole milliseconds: by next to nothing cannot be divided.
    this.#resetAt = now + Math.ceil(Math.min(budget.resetMs ?? guessedResetMs, longestResetMs));
    this.#takenBefore = takenBefore;
    this.#continuous = continuous;
  }

  /** Never below 0; Infinity once the reset has passed. */
  left(taken: number, now: number): number {
    return Math.max(0, this.#balance(taken, now));
  }

  /** How long until so much is left, if nothing is taken meanwhile; never longer than until the reset. */
  msUntil(need: number, taken: number, now: number): number {
    if (this.hasRoom(need, taken, now)) return 0;
    const missing = this.#capped(need) - this.#balance(taken, now);
    const resetMs = this.#resetAt - now;
    const perMs = this.#refillPerMs();
    return perMs === 0 ? resetMs : Math.min(resetMs, Math.ceil(missing / perMs));
  }

  /** A request larger than the whole budget goes when that is full: otherwise it could never be sent. */
  hasRoom(need: number, taken: number, now: number): boolean {
    return this.#balance(taken, now) >= this.#capped(need) * (1 - rounding);
  }

  #capped(need: number): number {
    return this.#limit === null ? need : Math.min(need, this.#limit);
  }

  /** Below 0 when more was taken since than was left. */
  #balance(taken: number, now: number): number {
    if (now >= this.#resetAt) return Infinity;
    return this.#remaining + this.#refillPerMs() * (now - this.#at) - (taken - this.#takenBefore);
  }

  #refillPerMs(): number {
    if (!this.#continuous || this.#limit === null || this.#limit <= this.#remaining) return 0;
    return (this.#limit - this.#remaining) / (this.#resetAt - this.#at);
  }
}

/** Why the announced budgets do not allow a call, and for how long, in milliseconds. */
export interface Shortage {
  readonly words: string;
  readonly forMs: number;
}

/** All budgets that a provider announced for one key at one deployment. */
export class AnnouncedLimits {
  readonly #requests: Announced | null;
  readonly #tokens: Announced | null;
  readonly #inputTokens: Announced | null;
  readonly #outputTokens: Announced | null;
  /** Which call of the key brought this: the answer of an earlier call is older news, whenever it arrives. */
  readonly #broughtBy: number;

  /** @param taken our own count when the call was made that brought this, that call included */
  constructor(limits: RateLimits, taken: Taken, now: number) {
    const continuous = limits.refill === "continuous";
    const announced = (budget: RateBudget | null, before: number): Announced | null =>
      budget === null ? null : new Announced(budget, before, continuous, now);
    this.#requests = announced(limits.requests, taken.requests);
    this.#tokens = announced(limits.tokens, taken.tokens);
    this.#inputTokens = announced(limits.inputTokens, taken.inputTokens);
    // How long an answer will be nobody knows: as long as anything is left, a call may be made.
    this.#outputTokens = announced(limits.outputTokens, 0);
    this.#broughtBy = taken.requests;
  }

  isNewerThan(taken: Taken): boolean {
    return this.#broughtBy > taken.requests;
  }

  /** Whether one more call fits: the check of the hot path, without words. */
  hasRoom(need: Need, taken: Taken, now: number): boolean {
    return (
      (this.#requests === null || this.#requests.hasRoom(1, taken.requests, now)) &&
      (this.#tokens === null || this.#tokens.hasRoom(need.tokens ?? 0, taken.tokens, now)) &&
      (this.#inputTokens === null || this.#inputTokens.hasRoom(inputOf(need), taken.inputTokens, now)) &&
      (this.#outputTokens === null || this.#outputTokens.hasRoom(1, 0, now))
    );
  }

  /** Of all budgets that are short, the one that takes longest; null: there is room. */
  shortage(need: Need, taken: Taken, now: number): Shortage | null {
    let longest: Shortage | null = null;
    const consider = (budget: Announced | null, what: string, wanted: number, used: number): void => {
      if (budget === null) return;
      const forMs = budget.msUntil(wanted, used, now);
      if (forMs <= 0 || (longest !== null && longest.forMs >= forMs)) return;
      longest = { words: `left with ${Math.floor(budget.left(used, now))} ${what} by its provider's count`, forMs };
    };
    consider(this.#requests, "requests", 1, taken.requests);
    consider(this.#tokens, "tokens", need.tokens ?? 0, taken.tokens);
    consider(this.#inputTokens, "input tokens", inputOf(need), taken.inputTokens);
    consider(this.#outputTokens, "output tokens", 1, 0);
    return longest;
  }
}
