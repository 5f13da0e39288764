import type { Dialect } from "@tuloy/contract";

/** A server may be replaced by one that can do more. Milliseconds. */
const believedMs = 3_600_000;
/** Where nothing else was answered either, the server itself is gone: asking twice each time would double an outage's calls. Milliseconds. */
const vainMs = 60_000;

interface Found {
  readonly speaksNot: boolean;
  readonly until: number;
}

/**
 * In which dialects deployments were found not to be spoken to, though their kind is: an older version of a server has no path for it. By
 * deployment id, so it outlives configuration changes. Times by one monotonic clock.
 */
export class Unspoken {
  readonly #found = new Map<string, Map<Dialect, Found>>();

  /** Nothing was ever found, which is the common case. */
  get isEmpty(): boolean {
    return this.#found.size === 0;
  }

  /** It answered in another dialect what it had no path for in this one. */
  learn(deploymentId: string, dialect: Dialect, now: number): void {
    this.#note(deploymentId, dialect, { speaksNot: true, until: now + believedMs });
  }

  /** It had no path for another dialect either. */
  askedInVain(deploymentId: string, dialect: Dialect, now: number): void {
    this.#note(deploymentId, dialect, { speaksNot: false, until: now + vainMs });
  }

  /** Whether the deployment is known not to speak it. */
  includes(deploymentId: string, dialect: Dialect, now: number): boolean {
    return this.#known(deploymentId, dialect, now)?.speaksNot === true;
  }

  /** Whether it is worth a call to find out: nothing is known, or no longer. */
  mayAskOtherwise(deploymentId: string, dialect: Dialect, now: number): boolean {
    return this.#known(deploymentId, dialect, now) === null;
  }

  #note(deploymentId: string, dialect: Dialect, found: Found): void {
    let dialects = this.#found.get(deploymentId);
    if (dialects === undefined) this.#found.set(deploymentId, (dialects = new Map()));
    dialects.set(dialect, found);
  }

  #known(deploymentId: string, dialect: Dialect, now: number): Found | null {
    const found = this.#found.get(deploymentId)?.get(dialect);
    return found === undefined || now >= found.until ? null : found;
  }
}
