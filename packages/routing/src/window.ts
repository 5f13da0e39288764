/**
 * A sum over the recent past in fixed buckets: adding is O(1) and allocates nothing. The covered time is `bucketMs` ×
 * `buckets`, of which the newest bucket is partly filled, so a full `total` may look back up to one bucket less.
 */
export class RollingSum {
  readonly #bucketMs: number;
  readonly #sums: Float64Array;
  /** The absolute number of the newest bucket. */
  #head = 0;
  #total = 0;

  constructor(bucketMs: number, buckets: number) {
    this.#bucketMs = bucketMs;
    this.#sums = new Float64Array(buckets);
  }

  /** Adds at a time, which may lie in the past (a correction); what is older than the window is dropped. */
  add(at: number, amount: number): void {
    const bucket = Math.floor(at / this.#bucketMs);
    if (bucket > this.#head) this.#advance(bucket);
    else if (bucket <= this.#head - this.#sums.length) return;
    const slot = bucket % this.#sums.length;
    this.#sums[slot] = (this.#sums[slot] ?? 0) + amount;
    this.#total += amount;
  }

  /** The sum over everything that is covered. */
  total(now: number): number {
    const bucket = Math.floor(now / this.#bucketMs);
    if (bucket > this.#head) this.#advance(bucket);
    return this.#total;
  }

  /** The sum over the last `windowMs`, rounded up to whole buckets and capped at what is covered. */
  within(windowMs: number, now: number): number {
    this.total(now);
    const size = this.#sums.length;
    const count = Math.min(size, Math.ceil(windowMs / this.#bucketMs));
    let sum = 0;
    for (let back = 0; back < count; back++) {
      const bucket = this.#head - back;
      if (bucket < 0) break;
      sum += this.#sums[bucket % size] ?? 0;
    }
    return sum;
  }

  /** How long until the total has fallen to `limit` or below if nothing is added, in milliseconds. */
  msUntilAtMost(limit: number, now: number): number {
    let total = this.total(now);
    const size = this.#sums.length;
    for (let back = size - 1; back >= 0 && total > limit; back--) {
      const bucket = this.#head - back;
      if (bucket < 0) continue;
      total -= this.#sums[bucket % size] ?? 0;
      if (total <= limit) return (bucket + size) * this.#bucketMs - now;
    }
    return 0;
  }

  clear(): void {
    this.#sums.fill(0);
    this.#total = 0;
  }

  #advance(bucket: number): void {
    const size = this.#sums.length;
    if (bucket - this.#head >= size) {
      this.#sums.fill(0);
      this.#total = 0;
    } else {
      for (let passed = this.#head + 1; passed <= bucket; passed++) {
        this.#total -= this.#sums[passed % size] ?? 0;
        this.#sums[passed % size] = 0;
      }
    }
    this.#head = bucket;
  }
}
