import type { Deployment, Failure } from "@tuloy/contract";

import { demandOf } from "./attempt.ts";
import type { CourseInput } from "./attempt.ts";
import type { FailedCall } from "./failed-calls.ts";
import type { Health } from "./health.ts";
import { soonestMs } from "./passed-over.ts";
import { soonestRetry } from "./retry.ts";

/** What one request waits for when there is nothing to call at once: one wait and one retry after a backoff, no more. */
export class Waiting {
  readonly #input: CourseInput;
  readonly #health: Health;
  readonly #random: () => number;
  #until = 0;
  /** To be called once more when the wait is over; paid for in the retry budget. */
  #again: Deployment | null = null;
  /** Each is allowed once a request. */
  #retried = false;
  #waited = false;

  constructor(input: CourseInput, health: Health, random: () => number) {
    this.#input = input;
    this.#health = health;
    this.#random = random;
  }

  /** What is left of the planned wait, in milliseconds; 0 or less: nothing. */
  leftMs(now: number): number {
    return this.#until - now;
  }

  /** The deployment that the planned wait was for, given once; null: the wait was for any key. */
  takeAgain(): Deployment | null {
    const again = this.#again;
    this.#again = null;
    return again;
  }

  /** Nothing was called: every key is cooling or at its limit, but perhaps not for long. @returns whether a wait was planned */
  planForKey(now: number): boolean {
    if (this.#waited) return false;
    let soonest = Infinity;
    const demand = demandOf(this.#input);
    for (const { id, provider } of this.#input.plan.candidates) {
      if (!this.#health.breaker(id).wouldAcquire(now)) continue;
      soonest = Math.min(soonest, this.#health.keyPool(provider).msUntilUsable(id, now, demand) ?? Infinity);
    }
    if (soonest > this.#input.settings.patienceMs || now + soonest >= this.#input.deadlineAt) return false;
    this.#waited = true;
    this.#until = now + soonest;
    return true;
  }

  /**
   * One more call to a deployment that failed for a passing reason.
   * @param pay takes the retry from the budget, or refuses it
   * @returns whether one was planned
   */
  planRetry(failed: readonly FailedCall[], now: number, pay: (now: number) => boolean): boolean {
    const allowed = { retry: !this.#retried, wait: !this.#waited };
    const again = soonestRetry(this.#input, this.#health, failed, allowed, now, this.#random);
    if (again === null || !pay(now)) return false;
    if (again.kind === "wait") this.#waited = true;
    else this.#retried = true;
    this.#until = again.at;
    this.#again = again.deployment;
    return true;
  }

  /**
   * How long the client had better wait before it asks again, in milliseconds, or null. A rate limit ends when its
   * provider said, and where nothing was called the client may do what we could not. But after calls that failed
   * otherwise nobody knows: an open breaker's end or a bad key's next trial is a guess, on which the official SDKs would
   * let the caller hang for up to a minute and then send everything again.
   */
  forClientMs(called: boolean, surfaced: Failure | null, now: number): number | null {
    if (called && surfaced?.class !== "rate_limited") return null;
    return soonestMs(this.#health, this.#input.plan.candidates, demandOf(this.#input), now);
  }
}
