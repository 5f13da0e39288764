import type { Deployment, FailureClass, ProbeSettings } from "@tuloy/contract";

import type { Breaker } from "./breaker.ts";
import type { Health } from "./health.ts";

/** What came of one probe. */
export interface ProbeResult {
  /** Null: it says nothing about the deployment, since the key was at fault. */
  readonly up: boolean | null;
  /** Milliseconds to its one token, or null when none came. */
  readonly firstTokenMs: number | null;
  readonly failure: FailureClass | null;
}

/** After a failed probe, and until its breaker is closed again, the next one comes after a tenth of the interval. */
const unsettledShare = 0.1;
const shortestIntervalMs = 1000;
const day = 24 * 3_600_000;

/** The probes of one deployment: when the next is due, and what the last one showed. One runs at a time. */
export class ProbeState {
  readonly #random: () => number;
  /** Since when it is known; idle time counts from here at the earliest. */
  readonly #since: number;
  #dice: number;
  #running = false;
  #last: { readonly at: number; readonly result: ProbeResult } | null = null;
  /** The last probe that said something. */
  #up: boolean | null = null;
  #dearestUsd = 0;

  constructor(random: () => number, now: number) {
    this.#random = random;
    this.#since = now;
    this.#dice = random();
  }

  /** The most that one probe has cost here so far, in USD: a server may ignore that one token was asked for. */
  get dearestUsd(): number {
    return this.#dearestUsd;
  }

  /** Up or down by the last probe that said something; null: none did yet. */
  get up(): boolean | null {
    return this.#up;
  }

  /**
   * Whether a probe should be sent: half-open after slow failures at once, otherwise when neither traffic nor a probe
   * reached the deployment for a whole interval.
   */
  isDue(settings: ProbeSettings, breaker: Breaker, now: number): boolean {
    const { everyMs, jitter } = settings;
    if (everyMs === null || this.#running) return false;
    if (breaker.dueForProbe(now)) return true;
    const settled = this.#up !== false && breaker.isClosed;
    const full = settled ? everyMs : Math.max(shortestIntervalMs, everyMs * unsettledShare);
    const reachedAt = Math.max(this.#since, this.#last?.at ?? 0, breaker.lastTrafficAt ?? 0);
    return now - reachedAt >= full * (1 + jitter * (2 * this.#dice - 1));
  }

  begin(): void {
    this.#running = true;
  }

  end(result: ProbeResult, costUsd: number, now: number): void {
    this.#running = false;
    this.#last = { at: now, result };
    this.#dice = this.#random();
    if (result.up !== null) this.#up = result.up;
    this.#dearestUsd = Math.max(this.#dearestUsd, costUsd);
  }

  view(now: number): ProbeView | null {
    if (this.#last === null) return null;
    return { ...this.#last.result, agoMs: now - this.#last.at };
  }
}

/** The last probe of a deployment. */
export interface ProbeView extends ProbeResult {
  /** Milliseconds since it ended. */
  readonly agoMs: number;
}

/**
 * Whether a deployment may have to stand in: a twin answered within the last day, and later than it did itself. So it needs
 * no word about what is primary: the twin that answers is, whatever the strategy; and what nobody asks for is not probed.
 */
export function isStandby(health: Health, deployment: Deployment, twins: readonly Deployment[], now: number): boolean {
  const own = health.breaker(deployment.id).lastAnswerAt ?? -Infinity;
  return twins.some((twin) => {
    const at = health.breaker(twin.id).lastAnswerAt;
    return at !== null && at > own && now - at < day;
  });
}
