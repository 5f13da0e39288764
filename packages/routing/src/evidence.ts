/** How long another request's failure speaks against the deployment. */
const recentMs = 10_000;
/** Enough to know that others failed; bounded, because an outage brings thousands. */
const capacity = 32;

interface Entry {
  readonly fingerprint: string;
  at: number;
  /** The failures in the counts that can still be forgiven, newest last. */
  counted: CountedFailure[];
}

/** A failure as it went into the breaker's counts. */
export interface CountedFailure {
  readonly at: number;
  /** The run of consecutive failures that it belongs to. */
  readonly run: number;
}

/**
 * Which requests failed at a deployment lately, by their fingerprints. It tells one bad prompt (the same fingerprint
 * failing everywhere) from an outage (different fingerprints failing here).
 */
export class FailureEvidence {
  readonly #entries: Entry[] = [];

  /** @param run the breaker's current run, or null when the failure was not counted */
  add(fingerprint: string, at: number, run: number | null): void {
    let entry = this.#entries.find((known) => known.fingerprint === fingerprint);
    if (entry === undefined) {
      if (this.#entries.length >= capacity) this.#entries.shift();
      entry = { fingerprint, at, counted: [] };
      this.#entries.push(entry);
    }
    entry.at = at;
    if (run === null) return;
    if (entry.counted.length >= capacity) entry.counted.shift();
    entry.counted.push({ at, run });
  }

  /** Takes back the newest counted failure of a request, or null when there is none. The note of it stays. */
  forgive(fingerprint: string): CountedFailure | null {
    return this.#entries.find((known) => known.fingerprint === fingerprint)?.counted.pop() ?? null;
  }

  /** The counts were cleared: nothing in them can be forgiven any more. */
  forgetCounts(): void {
    for (const entry of this.#entries) entry.counted = [];
  }

  hasOther(fingerprint: string, now: number): boolean {
    return this.#entries.some((entry) => entry.fingerprint !== fingerprint && now - entry.at <= recentMs);
  }
}
