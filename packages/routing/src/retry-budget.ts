import { RollingSum } from "./window.ts";

const shareOfTraffic = 0.2;
const perSecond = 10;
const windowSeconds = 60;

/**
 * Bounds what retries add to an outage, for the whole process: 20% of traffic plus 10 a second.
 *
 * It is one bucket of tokens: a request adds 0.2, a second adds 10, a retry takes 1. The bucket holds one second's
 * allowance at the traffic averaged over the last 60 s. Counting retries against a plain 60 s sum instead would let 600
 * retries (or, after a busy minute, a fifth of all of it) go out within the first second of an outage, which is when the
 * upstream needs it least. So within any period: retries ≤ 0.2 × its requests + 10 × its seconds + one second's
 * allowance.
 */
export class RetryBudget {
  readonly #traffic = new RollingSum(1000, windowSeconds);
  #tokens = perSecond;
  #refilledAt: number | null = null;

  /** A client's request has begun. */
  request(now: number): void {
    this.#traffic.add(now, 1);
    this.#refill(now, shareOfTraffic);
  }

  /** Whether a retry would be allowed now. Takes nothing. */
  has(now: number): boolean {
    this.#refill(now, 0);
    return this.#tokens >= 1;
  }

  /** Called at the start of a retry: true, and counted, or false. */
  tryRetry(now: number): boolean {
    if (!this.has(now)) return false;
    this.#tokens -= 1;
    return true;
  }

  #refill(now: number, deposit: number): void {
    const elapsed = this.#refilledAt === null ? 0 : Math.max(0, now - this.#refilledAt) / 1000;
    this.#refilledAt = now;
    const capacity = perSecond + (shareOfTraffic * this.#traffic.total(now)) / windowSeconds;
    this.#tokens = Math.min(capacity, this.#tokens + deposit + elapsed * perSecond);
  }
}
