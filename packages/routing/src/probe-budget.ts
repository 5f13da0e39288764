const dayMs = 24 * 3_600_000;

/** What the probes of a provider did today (UTC). */
export interface ProbeBudgetView {
  readonly spentUsd: number;
  readonly sent: number;
  /** A probe was not sent because too little was left for it. */
  readonly exhausted: boolean;
}

/** What the probes of one provider may cost on a day, by the calendar of UTC. A probe that costs nothing is always allowed. */
export class ProbeBudget {
  #day = 0;
  #spentUsd = 0;
  #reservedUsd = 0;
  #sent = 0;
  #exhausted = false;

  /**
   * Takes a probe's estimated cost, or refuses it. What is taken must be settled.
   * @param wall milliseconds since 1970
   */
  reserve(estimateUsd: number, capUsd: number, wall: number): boolean {
    this.#turn(wall);
    if (estimateUsd > 0 && this.#spentUsd + this.#reservedUsd + estimateUsd > capUsd) {
      this.#exhausted = true;
      return false;
    }
    this.#reservedUsd += estimateUsd;
    this.#sent += 1;
    return true;
  }

  /** The probe is over; null: it was not sent after all. It counts on the day on which it ended. */
  settle(estimateUsd: number, costUsd: number | null, wall: number): void {
    this.#turn(wall);
    this.#reservedUsd = Math.max(0, this.#reservedUsd - estimateUsd);
    if (costUsd === null) this.#sent = Math.max(0, this.#sent - 1);
    else this.#spentUsd += costUsd;
  }

  view(wall: number): ProbeBudgetView {
    this.#turn(wall);
    return { spentUsd: this.#spentUsd, sent: this.#sent, exhausted: this.#exhausted };
  }

  #turn(wall: number): void {
    const day = Math.floor(wall / dayMs);
    if (day === this.#day) return;
    this.#day = day;
    this.#spentUsd = 0;
    this.#sent = 0;
    this.#exhausted = false;
  }
}
