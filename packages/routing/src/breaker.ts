import type { BreakerSettings } from "@tuloy/contract";

import { FailureEvidence } from "./evidence.ts";
import { RollingSum } from "./window.ts";

/**
 * Leave to call a deployment once; it counts once, when it is settled.
 * - `closed`: an ordinary call.
 * - `trial`: the one call (or probe) that a half-open breaker lets through.
 * - `forced`: a last resort past an open breaker; its success counts as a trial's.
 */
export interface Permit {
  readonly kind: "closed" | "trial" | "forced";
}

/**
 * What became of a call. `slow`: an answer, whose first content came later than the settings call normal. `neutral` says nothing
 * about the deployment: the client left, or the request or key was at fault.
 */
export type PermitResult = "success" | "slow" | "failure" | "slow_failure" | "soft" | "neutral";

/** What can be seen of a breaker. Times are of the clock that is passed in. */
export type BreakerView =
  | { readonly state: "closed"; readonly consecutiveFailures: number; readonly lastFailureAt: number | null }
  | {
      readonly state: "open";
      readonly openedAt: number;
      readonly until: number;
      /** Timeouts and stalls make it `slow`: recovery is tried by probes. */
      readonly cause: "fast" | "slow";
      /** How many times in a row it opened before, without a quiet time in between. */
      readonly reopened: number;
    }
  | {
      readonly state: "half_open";
      readonly since: number;
      readonly cause: "fast" | "slow";
      readonly trialInFlight: boolean;
      /** Of the three that close it. */
      readonly trialSuccesses: number;
    }
  | { readonly state: "isolated" };

export interface BreakerOptions {
  /** Called when it opens from closed and when it closes; not for each further open period of the same outage. */
  readonly onChange?: (view: BreakerView) => void;
  /** A trial that was never settled frees its place after this long. Default: the 2 minutes of a JSON answer, and some. */
  readonly trialExpiryMs?: number;
}

const successesToClose = 3;
const jitter = 0.2;
const defaultTrialExpiryMs = 150_000;
/**
 * After slow failures the trial is a probe. When none comes for this long (no probe is configured, or its daily cost is
 * spent), a real request goes instead: a deployment must not stay out for ever.
 */
const probeGraceMs = 10_000;
/** One-second buckets; a longer `window` in the settings is cut to this. */
const longestWindowSeconds = 300;

interface OpenState {
  readonly openedAt: number;
  readonly until: number;
  readonly slow: boolean;
  readonly level: number;
  trial: { readonly permit: LivePermit; readonly startedAt: number } | null;
  trialSuccesses: number;
  lastProbeAt: number;
}

class LivePermit implements Permit {
  readonly kind: Permit["kind"];
  /** Of the breaker when this was handed out: what belongs to an earlier period counts no more. */
  readonly period: number;
  /** It was a probe's: it is no traffic. */
  readonly probe: boolean;
  settled = false;

  constructor(kind: Permit["kind"], period: number, probe = false) {
    this.kind = kind;
    this.period = period;
    this.probe = probe;
  }
}

/**
 * The circuit breaker of one deployment, shared by all requests and routes; the settings come in at each call because
 * routes differ.
 *
 * It opens on `failures` in a row, or on a share of `rate` among at least `of` attempts within the window; for
 * `openMs` × 2ⁿ, at most `openMaxMs`, ±20%. Then exactly one trial at a time; three successes close it, a failure opens
 * it again with the next doubling. Where `slowMs` is set, a share of `slowRate` of slow answers opens it too. n starts from 0 again once it has been closed for a whole window, so that a
 * deployment that flaps waits longer each time.
 */
export class Breaker {
  readonly #random: () => number;
  readonly #onChange: ((view: BreakerView) => void) | undefined;
  readonly #trialExpiryMs: number;
  readonly #attempts = new RollingSum(1000, longestWindowSeconds);
  readonly #failures = new RollingSum(1000, longestWindowSeconds);
  /** Made when a slow answer is first counted: most routes do not ask for it. */
  #slow: RollingSum | null = null;
  readonly #evidence = new FailureEvidence();
  #consecutive = 0;
  /** Grows with each success, so that forgiving a failure does not shorten a later run of failures. */
  #run = 0;
  /** Grows at each opening, closing and restoring. */
  #period = 0;
  #open: OpenState | null = null;
  #isolated = false;
  #lastFailureAt: number | null = null;
  #lastTrafficAt: number | null = null;
  #lastAnswerAt: number | null = null;
  #closedAt = -Infinity;
  #level = 0;

  constructor(random: () => number, options: BreakerOptions = {}) {
    this.#random = random;
    this.#onChange = options.onChange;
    this.#trialExpiryMs = options.trialExpiryMs ?? defaultTrialExpiryMs;
  }

  /** Null: it never failed. */
  get lastFailureAt(): number | null {
    return this.#lastFailureAt;
  }

  /** When a request, not a probe, last ended here with a result that says something. Null: none ever did. */
  get lastTrafficAt(): number | null {
    return this.#lastTrafficAt;
  }

  /** When a request, not a probe, was last answered here. Null: none ever was. */
  get lastAnswerAt(): number | null {
    return this.#lastAnswerAt;
  }

  /** Neither open, half-open nor isolated. */
  get isClosed(): boolean {
    return this.#open === null && !this.#isolated;
  }

  /** Open or half-open after timeouts or stalls: it still answers, but slowly. */
  get isSlow(): boolean {
    return this.#open?.slow ?? false;
  }

  get isIsolated(): boolean {
    return this.#isolated;
  }

  /** Leave for an ordinary request, or null. After an open period and fast failures, the one trial. */
  acquire(now: number): Permit | null {
    if (this.isClosed) return new LivePermit("closed", this.#period);
    return this.#takesRequest(now) ? this.#startTrial(now) : null;
  }

  /** Leave for a synthetic probe: an ordinary one while closed, the one trial when that is due. */
  acquireForProbe(now: number): Permit | null {
    if (this.isClosed) return new LivePermit("closed", this.#period, true);
    const permit = this.#trialDue(now) ? this.#startTrial(now, true) : null;
    if (permit !== null && this.#open !== null) this.#open.lastProbeAt = now;
    return permit;
  }

  /** Leave for a last resort, whatever the breaker says; null only when a person isolated the deployment. */
  force(now: number): Permit | null {
    if (this.#isolated) return null;
    return this.acquire(now) ?? new LivePermit("forced", this.#period);
  }

  /** Whether `acquire` would give leave. Takes nothing. */
  wouldAcquire(now: number): boolean {
    return this.isClosed || this.#takesRequest(now);
  }

  /** A probe should be sent now: half-open after slow failures, and no trial is under way. */
  dueForProbe(now: number): boolean {
    return this.#open !== null && this.#open.slow && this.#trialDue(now);
  }

  /**
   * Counts what became of a permit, once; settling it again does nothing, and so does settling one from before the last
   * opening. `soft` is half a failure in the rate, so that the next true failure weighs more; by itself it never opens
   * (an empty answer may be the model's honest one), and on a trial it only frees the place.
   * @param fingerprint a digest of the request, when the request itself may be the cause
   */
  settle(permit: Permit, result: PermitResult, settings: BreakerSettings, now: number, fingerprint?: string): void {
    if (!(permit instanceof LivePermit) || permit.settled) return;
    permit.settled = true;
    if (result !== "neutral" && !permit.probe) {
      this.#lastTrafficAt = now;
      if (result === "success" || result === "slow") this.#lastAnswerAt = now;
    }
    const failed = result === "failure" || result === "slow_failure";
    if (failed) this.#lastFailureAt = now;
    const counts = !this.#isolated && permit.period === this.#period;
    const counted = counts && permit.kind === "closed" && failed;
    if (failed && fingerprint !== undefined) this.#evidence.add(fingerprint, now, counted ? this.#run : null);
    if (!counts) return;
    if (this.#open === null) this.#count(result, settings, now);
    else this.#settleWhileOpen(this.#open, permit, result, settings, now);
  }

  /**
   * Counts a failure without a permit of its own: a stream that broke after its trial had succeeded at the commit. With
   * that trial's permit, and no closing since, the trial's success turns into a failure.
   */
  fail(
    settings: BreakerSettings,
    now: number,
    failure: { readonly slow: boolean; readonly fingerprint?: string; readonly trial?: Permit },
  ): void {
    this.#lastFailureAt = now;
    const counted = this.isClosed;
    if (failure.fingerprint !== undefined) {
      this.#evidence.add(failure.fingerprint, now, counted ? this.#run : null);
    }
    if (counted) {
      this.#count(failure.slow ? "slow_failure" : "failure", settings, now);
    } else if (this.#open !== null && failure.trial instanceof LivePermit && failure.trial.period === this.#period) {
      this.#openAgain(this.#open, failure.slow, settings, now);
    }
  }

  /** Takes one failure of this request out of the counts, but keeps a note of it. An open breaker stays open. */
  forgive(fingerprint: string): void {
    const forgiven = this.#evidence.forgive(fingerprint);
    if (forgiven === null) return;
    this.#attempts.add(forgiven.at, -1);
    this.#failures.add(forgiven.at, -1);
    if (forgiven.run === this.#run && this.#consecutive > 0) this.#consecutive -= 1;
  }

  /** Whether a different request failed here in the last 10 s, forgiven ones included: then it is the deployment, not the prompt. */
  failedForOthers(fingerprint: string, now: number): boolean {
    return this.#evidence.hasOther(fingerprint, now);
  }

  /** A person takes the deployment out of use, until `restore`. */
  isolate(): void {
    this.#isolated = true;
  }

  /** Back in use, closed and with a clean record: whoever restores it knows better than old counts. */
  restore(): void {
    const wasOpen = this.#open !== null;
    this.#isolated = false;
    this.#open = null;
    this.#level = 0;
    this.#startCleanPeriod();
    if (wasOpen) this.#onChange?.({ state: "closed", consecutiveFailures: 0, lastFailureAt: this.#lastFailureAt });
  }

  view(now: number): BreakerView {
    if (this.#isolated) return { state: "isolated" };
    const open = this.#open;
    if (open === null) {
      return { state: "closed", consecutiveFailures: this.#consecutive, lastFailureAt: this.#lastFailureAt };
    }
    const cause = open.slow ? "slow" : "fast";
    const { openedAt, until, level, trialSuccesses } = open;
    if (now < until) return { state: "open", openedAt, until, cause, reopened: level };
    return { state: "half_open", since: until, cause, trialInFlight: this.#trialInFlight(open, now), trialSuccesses };
  }

  /** How long until a trial can be made, in milliseconds: 0 when closed or due; null when isolated. */
  msUntilTrial(now: number): number | null {
    if (this.#isolated) return null;
    return this.#open === null ? 0 : Math.max(0, this.#open.until - now);
  }

  #takesRequest(now: number): boolean {
    const open = this.#open;
    if (open === null || !this.#trialDue(now)) return false;
    return !open.slow || now >= Math.max(open.until, open.lastProbeAt) + probeGraceMs;
  }

  #trialDue(now: number): boolean {
    const open = this.#open;
    return open !== null && !this.#isolated && now >= open.until && !this.#trialInFlight(open, now);
  }

  #trialInFlight(open: OpenState, now: number): boolean {
    return open.trial !== null && now < open.trial.startedAt + this.#trialExpiryMs;
  }

  #startTrial(now: number, probe = false): Permit | null {
    if (this.#open === null) return null;
    const permit = new LivePermit("trial", this.#period, probe);
    this.#open.trial = { permit, startedAt: now };
    return permit;
  }

  #settleWhileOpen(
    open: OpenState,
    permit: LivePermit,
    result: PermitResult,
    settings: BreakerSettings,
    now: number,
  ): void {
    const isTrial = open.trial?.permit === permit;
    // A trial that had expired and was replaced: its successor speaks for the deployment now.
    if (permit.kind === "trial" && !isTrial) return;
    if (isTrial) open.trial = null;
    if (result === "success") {
      open.trialSuccesses += 1;
      if (open.trialSuccesses >= successesToClose) this.#close(now);
    } else if (result === "failure" || result === "slow_failure" || result === "slow") {
      // A failed last resort must not lengthen the outage: only a trial, which waited its time, opens it again.
      if (isTrial) this.#openAgain(open, result !== "failure", settings, now);
      else open.trialSuccesses = 0;
    }
  }

  #count(result: PermitResult, settings: BreakerSettings, now: number): void {
    if (result === "neutral") return;
    this.#attempts.add(now, 1);
    if (result === "success" || result === "slow") {
      if (this.#consecutive > 0) {
        this.#consecutive = 0;
        this.#run += 1;
      }
      if (result === "slow") this.#countSlow(settings, now);
      return;
    }
    if (result === "soft") {
      this.#failures.add(now, 0.5);
      return;
    }
    this.#failures.add(now, 1);
    this.#consecutive += 1;
    if (this.#consecutive >= settings.failures || this.#rateExceeded(settings, now)) {
      this.#openFromClosed(result === "slow_failure", settings, now);
    }
  }

  #countSlow(settings: BreakerSettings, now: number): void {
    this.#slow ??= new RollingSum(1000, longestWindowSeconds);
    this.#slow.add(now, 1);
    const attempts = this.#attempts.within(settings.windowMs, now);
    if (attempts < settings.of || this.#slow.within(settings.windowMs, now) < settings.slowRate * attempts) return;
    this.#openFromClosed(true, settings, now);
  }

  #rateExceeded(settings: BreakerSettings, now: number): boolean {
    const attempts = this.#attempts.within(settings.windowMs, now);
    return attempts >= settings.of && this.#failures.within(settings.windowMs, now) >= settings.rate * attempts;
  }

  #openFromClosed(slow: boolean, settings: BreakerSettings, now: number): void {
    this.#level = now - this.#closedAt < settings.windowMs ? this.#level + 1 : 0;
    this.#startOpenPeriod(now, slow, settings, now);
    this.#onChange?.(this.view(now));
  }

  #openAgain(before: OpenState, slow: boolean, settings: BreakerSettings, now: number): void {
    this.#level += 1;
    this.#startOpenPeriod(before.openedAt, slow, settings, now, before.until);
  }

  #startOpenPeriod(openedAt: number, slow: boolean, settings: BreakerSettings, now: number, notBefore = 0): void {
    const full = Math.min(settings.openMaxMs, settings.openMs * 2 ** this.#level);
    const spread = full * (1 + jitter * (2 * this.#random() - 1));
    // A longer open period is never shortened by a later shorter one.
    const until = Math.max(notBefore, now + spread);
    this.#open = { openedAt, until, slow, level: this.#level, trial: null, trialSuccesses: 0, lastProbeAt: -Infinity };
    this.#startCleanPeriod();
  }

  #close(now: number): void {
    this.#open = null;
    this.#closedAt = now;
    this.#startCleanPeriod();
    this.#onChange?.(this.view(now));
  }

  /** What was counted before must neither open it again nor be forgiven from the new counts. */
  #startCleanPeriod(): void {
    this.#period += 1;
    this.#run += 1;
    this.#consecutive = 0;
    this.#attempts.clear();
    this.#failures.clear();
    this.#slow?.clear();
    this.#evidence.forgetCounts();
  }
}
