const baseMs = 250;
const capMs = 8000;

/**
 * Full jitter: anything between nothing and the exponential limit, which spreads retries best
 * (AWS Architecture Blog, "Exponential Backoff And Jitter").
 * @param retry 0 for the first retry
 * @returns milliseconds, below 250 × 2^`retry` and never above 8000
 */
export function backoffMs(retry: number, random: () => number): number {
  return random() * Math.min(capMs, baseMs * 2 ** retry);
}
