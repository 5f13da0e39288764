/** How fast an old peak fades: after so long without a worse one, it counts for 37%. */
const fadeMs = 10_000;
/** Weight of the newest answer in the mean speed of output. */
const newest = 0.2;

/**
 * A mean that believes a worse value at once and a better one slowly (a peak-EWMA, fading by time and not by count): a
 * deployment that turns slow is left with the first slow answer, and comes back as its answers prove it.
 */
export class PeakEwma {
  #ms: number | null = null;
  #at = 0;

  /** Milliseconds; null before the first. */
  get ms(): number | null {
    return this.#ms;
  }

  record(ms: number, now: number): void {
    const before = this.#ms;
    this.#ms = before === null || ms >= before ? ms : ms + (before - ms) * Math.exp((this.#at - now) / fadeMs);
    this.#at = now;
  }
}

/** How quickly a deployment answers now, and how much it has to do: what the `latency` strategy compares. */
export class Pace {
  /** Of streams: to the first content. */
  readonly firstToken = new PeakEwma();
  /** Of answers that are not streamed: to the whole. Nothing can be said of their first token, so they are kept apart. */
  readonly answer = new PeakEwma();
  /** Calls that have not ended. */
  inFlight = 0;
  #msPerToken: number | null = null;

  /** Milliseconds per output token, or null while unknown. */
  get msPerToken(): number | null {
    return this.#msPerToken;
  }

  /** The time to the first content of a request like this one, or, while that is unknown, of the other kind. */
  expectedMs(stream: boolean): number | null {
    return stream ? (this.firstToken.ms ?? this.answer.ms) : (this.answer.ms ?? this.firstToken.ms);
  }

  recordOutput(msPerToken: number): void {
    this.#msPerToken =
      this.#msPerToken === null ? msPerToken : this.#msPerToken + (msPerToken - this.#msPerToken) * newest;
  }
}
