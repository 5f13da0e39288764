const hour = 3_600_000;

/** What is found out about a server may change with its next version. */
const believedMs = { continues: 24 * hour, cannot: hour };

interface Learned {
  readonly continues: boolean;
  readonly until: number;
}

/** What was found out about deployments' going on with an answer that broke off, by deployment id. Times by one monotonic clock. */
export class Continuations {
  readonly #learned = new Map<string, Learned>();

  /** A probe, or a real request, showed whether the deployment goes on exactly. */
  learn(deploymentId: string, continues: boolean, now: number): void {
    const until = now + (continues ? believedMs.continues : believedMs.cannot);
    this.#learned.set(deploymentId, { continues, until });
  }

  /** Null: nothing is known, or no longer. */
  known(deploymentId: string, now: number): boolean | null {
    const learned = this.#learned.get(deploymentId);
    return learned === undefined || now >= learned.until ? null : learned.continues;
  }
}
