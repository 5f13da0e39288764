/** A figure with the range that holds the true one with a confidence of 95%. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Two-sided 95% of the standard normal distribution. */
const z = 1.959964;

/**
 * The share of `count` among `of`, with Wilson's score interval: unlike the textbook one it stays within 0 to 1 and says
 * something useful when nothing (or everything) was counted. Null without observations.
 * (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.)
 */
export function shareEstimate(count: number, of: number): Estimate | null {
  if (of === 0) return null;
  const share = count / of;
  const scale = 1 + z ** 2 / of;
  const middle = (share + z ** 2 / (2 * of)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return { value: share, low: count === 0 ? 0 : middle - half, high: count === of ? 1 : middle + half };
}

/**
 * The difference of two shares, the second less the first, with Newcombe's hybrid score interval, which is made from the
 * two Wilson intervals. (R. G. Newcombe, "Interval estimation for the difference between independent proportions", 1998,
 * method 10.)
 */
export function shareDifference(first: Estimate, second: Estimate): Estimate {
  const value = second.value - first.value;
  return {
    value,
    low: value - Math.hypot(second.value - second.low, first.high - first.value),
    high: value + Math.hypot(second.high - second.value, first.value - first.low),
  };
}

/** What is known of a series of numbers without keeping them (B. P. Welford, 1962: no loss of digits in long series). */
export class Series {
  count = 0;
  mean = 0;
  #squares = 0;

  add(value: number): void {
    this.count += 1;
    const before = value - this.mean;
    this.mean += before / this.count;
    this.#squares += before * (value - this.mean);
  }

  get sum(): number {
    return this.mean * this.count;
  }

  /** The square of the mean's standard error; needs two values. */
  get meanVariance(): number {
    return this.#squares / (this.count - 1) / this.count;
  }

  /** The mean with Student's interval; null with fewer than two values, from which no spread is known. */
  estimate(): Estimate | null {
    if (this.count < 2) return null;
    const half = studentQuantile(this.count - 1) * Math.sqrt(this.meanVariance);
    return { value: this.mean, low: this.mean - half, high: this.mean + half };
  }
}

/**
 * The difference of two means, the second less the first, with Welch's interval, which does not ask for equal spreads.
 * Null where one of them has fewer than two values.
 */
export function meanDifference(first: Series, second: Series): Estimate | null {
  if (first.count < 2 || second.count < 2) return null;
  const [a, b] = [first.meanVariance, second.meanVariance];
  const value = second.mean - first.mean;
  if (a + b === 0) return { value, low: value, high: value };
  const freedom = (a + b) ** 2 / (a ** 2 / (first.count - 1) + b ** 2 / (second.count - 1));
  const half = studentQuantile(freedom) * Math.sqrt(a + b);
  return { value, low: value - half, high: value + half };
}

/** Coefficients of 1/freedom, 1/freedom², … in the expansion of Student's quantile around the normal one. */
const studentTerms = [
  (z ** 3 + z) / 4,
  (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
  (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92_160,
];

/**
 * Two-sided 95% of Student's distribution: exact for one and two degrees of freedom, right to two digits after the point
 * from three on. (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.)
 */
export function studentQuantile(freedom: number): number {
  if (freedom < 1.5) return 1 / Math.tan(Math.PI / 40);
  if (freedom < 2.5) return Math.sqrt(2 / (0.05 * 1.95) - 2);
  return studentTerms.reduce((sum, term, index) => sum + term / freedom ** (index + 1), z);
}
