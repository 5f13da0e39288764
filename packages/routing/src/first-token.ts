/** What the first-token limit of one streaming attempt depends on. */
export interface FirstTokenFacts {
  /** The route's `first_token`, in milliseconds. */
  readonly baseMs: number;
  readonly hiddenReasoning: boolean;
  readonly highEffort: boolean;
  readonly inputTokens: number;
  /** The deployment's observed 99th percentile, or null while too little was seen. */
  readonly p99Ms: number | null;
}

const hiddenReasoningFactor = 6;
const highEffortFactor = 18;
/** A slow server's prompt processing: 2,000 tokens a second. */
const inputTokensPerMs = 2;
/** Three times what it usually takes at worst: only the really stuck are cut. */
const observedFactor = 3;

/**
 * How long a stream may take to its first content, in milliseconds:
 * max(base × reasoning factor + input tokens / 2,000 s, 3 × the observed p99).
 */
export function firstTokenLimit(facts: FirstTokenFacts): number {
  const factor = facts.hiddenReasoning ? (facts.highEffort ? highEffortFactor : hiddenReasoningFactor) : 1;
  const expected = facts.baseMs * factor + facts.inputTokens / inputTokensPerMs;
  return facts.p99Ms === null ? expected : Math.max(expected, observedFactor * facts.p99Ms);
}

const perOctave = 8;
const octaves = 20;
const decayEveryMs = 60_000;
const decay = 0.8;
/** Below this weight a "99th percentile" would be one odd request. */
const enough = 20;

/**
 * The observed 95th and 99th percentile of how long one deployment takes to its first token, or to a whole answer. Latencies are counted on a logarithmic
 * scale (steps of 9%, 1 ms to 17 minutes), and old counts fade by a fifth each minute.
 */
export class LatencyWindow {
  readonly #counts = new Float64Array(perOctave * octaves);
  #weight = 0;
  #decayedAt: number | null = null;
  /** Undefined: not worked out since the last change; few ask for it. */
  #p95: number | null | undefined;
  #p99: number | null = null;
  #stale = true;

  /** O(1), but for one pass over 160 counters a minute. */
  record(ms: number, now: number): void {
    this.#fade(now);
    const step = Math.min(this.#counts.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, ms)) * perOctave)));
    this.#counts[step] = (this.#counts[step] ?? 0) + 1;
    this.#weight += 1;
    this.#stale = true;
  }

  /** Milliseconds, rounded up to a step of the scale; null while fewer than 20 recent ones are known. */
  p99(now: number): number | null {
    this.#refresh(now);
    return this.#p99;
  }

  /** As `p99`. */
  p95(now: number): number | null {
    this.#refresh(now);
    if (this.#p95 === undefined) this.#p95 = this.#weight < enough ? null : this.#percentile(0.05);
    return this.#p95;
  }

  #refresh(now: number): void {
    this.#fade(now);
    if (!this.#stale) return;
    this.#stale = false;
    this.#p99 = this.#weight < enough ? null : this.#percentile(0.01);
    this.#p95 = undefined;
  }

  #percentile(above: number): number {
    let left = this.#weight * above;
    let step = this.#counts.length - 1;
    while (step > 0) {
      left -= this.#counts[step] ?? 0;
      if (left < 0) break;
      step -= 1;
    }
    return 2 ** ((step + 1) / perOctave);
  }

  #fade(now: number): void {
    this.#decayedAt ??= now;
    const periods = Math.floor((now - this.#decayedAt) / decayEveryMs);
    if (periods <= 0) return;
    this.#decayedAt += periods * decayEveryMs;
    const factor = decay ** periods;
    for (let step = 0; step < this.#counts.length; step++) {
      this.#counts[step] = (this.#counts[step] ?? 0) * factor;
    }
    this.#weight *= factor;
    this.#stale = true;
  }
}
