import type { AttemptKind, Deployment, Exclusion, Failure } from "@tuloy/contract";

import { continuationProbeSize } from "./attempt.ts";
import type { Call, CourseInput, Step } from "./attempt.ts";
import type { Breaker } from "./breaker.ts";
import { Calls } from "./course/calls.ts";
import { Choice } from "./course/choice.ts";
import { Verdict } from "./course/verdict.ts";
import { keysSpent } from "./failed-calls.ts";
import type { Health } from "./health.ts";
import type { AcquireOptions } from "./key-pool.ts";
import { mayRace, Race } from "./race.ts";
import type { RaceMoves } from "./race.ts";
import { Settlement } from "./settlement.ts";
import { Waiting } from "./waiting.ts";

/**
 * The attempt law for one request, as a state machine: the caller asks `next`, makes the call or waits, reports what
 * became of it, and asks again. It holds no timer and does no I/O.
 *
 * In order: a sibling key after a failure that is the key's; the untried twins, at once; with none left, one more call
 * to a deployment that failed for a passing reason, or one wait for a Retry-After within `patience`; then the equivalents,
 * since leaving the model is a last resort; at last one call past an open breaker. Never more than `attempts` calls (sibling keys aside), never past the deadline.
 */
export class Course {
  /** Two calls side by side, to be asked what to do while calls run; null for a request that never has two. */
  readonly race: Race | null;
  readonly #input: CourseInput;
  readonly #health: Health;
  readonly #settlement: Settlement;
  readonly #waiting: Waiting;
  readonly #calls: Calls;
  readonly #verdict: Verdict;
  readonly #choice: Choice;
  #begun = false;

  constructor(input: CourseInput, health: Health, random: () => number) {
    this.#input = input;
    this.#health = health;
    this.#settlement = new Settlement(input, health);
    this.#waiting = new Waiting(input, health, random);
    this.race = mayRace(input) ? new Race(input, health, this.#settlement, this.#moves()) : null;
    this.#calls = new Calls(input, health, this.race);
    this.#verdict = new Verdict(input, health, this.#calls);
    this.#choice = new Choice(input, health, this.#calls, this.#verdict);
  }

  /** Deployments that were passed over on the way, for the trace. */
  get exclusions(): readonly Exclusion[] {
    return this.#calls.exclusions;
  }

  /** What to do now. After a call or a wait, ask again. A stop is final. */
  next(now: number): Step {
    if (!this.#begun) {
      this.#begun = true;
      this.#health.retryBudget.request(now);
    }
    const { stop } = this.#verdict;
    if (stop !== null) return { do: "stop", stop };
    if (now >= this.#input.deadlineAt)
      return { do: "stop", stop: this.#verdict.stopWith("deadline_exceeded", "the deadline has passed", null) };
    const leftMs = this.#waiting.leftMs(now);
    if (leftMs > 0) return { do: "wait", ms: leftMs };
    const choice = this.#choice;
    const call = this.#again(now) ?? choice.sibling(now) ?? choice.untried(now) ?? choice.equivalentWithLast(now);
    if (call !== null) return { do: "call", call };
    if (this.#planWait(now)) {
      const ms = this.#waiting.leftMs(now);
      if (ms > 0) return { do: "wait", ms };
      const again = this.#again(now);
      if (again !== null) return { do: "call", call: again };
    }
    const last = choice.equivalent(now, false) ?? choice.pastAnnounced(now) ?? choice.lastResort(now);
    if (last !== null) return { do: "call", call: last };
    const forClient = (surfaced: Failure | null): number | null =>
      this.#waiting.forClientMs(this.#calls.made > 0, surfaced, now);
    return { do: "stop", stop: this.#verdict.giveUp(forClient) };
  }

  /** The first content is on its way to the client, `firstTokenMs` after the call's start. For streams. */
  committed(call: Call, now: number, firstTokenMs: number): void {
    this.#settlement.committed(call, now, firstTokenMs);
  }

  /** A whole answer. `tokens`: input plus output used, or null when unknown. */
  finished(call: Call, now: number, tokens: number | null): void {
    this.#settlement.finished(call, now, tokens);
  }

  /** The call failed before the commit. */
  failed(call: Call, failure: Failure, now: number): void {
    if (!this.#settlement.failed(call, failure, now, this.#verdict.suspectedDigest(failure))) return;
    this.race?.ended(call);
    this.#verdict.note(call, failure, { racing: this.race !== null, beside: Boolean(this.race?.alone) }, now);
  }

  /** The stream broke after the commit: the course ends. A deadline that passes then is `cancelled`: output was coming. */
  broke(call: Call, failure: Failure, now: number): void {
    if (!this.#settlement.failed(call, failure, now, this.#verdict.suspectedDigest(failure))) return;
    this.#verdict.stopWith("upstream_failed", `the stream broke: ${failure.reason}`, null);
  }

  /** The client went away, during a call or (null) a wait: nobody is to blame. */
  cancelled(call: Call | null, now: number): void {
    if (call !== null) {
      this.race?.ended(call);
      this.#settlement.cancelled(call, now);
    }
    this.#verdict.stopWith("cancelled", "the client went away", null);
  }

  /** The first-token limit passed, but the call goes on because `canMoveOn` is false: it still counts as slow. */
  slow(call: Call, now: number): void {
    this.#settlement.slow(call, now);
  }

  get deadlineAt(): number {
    return this.#input.deadlineAt;
  }

  /** Whether a call of this request to the deployment failed before its commit. */
  hasFailed(deployment: Deployment): boolean {
    return this.#verdict.failed.some((failed) => failed.deployment === deployment);
  }

  /**
   * A call to complete a stream that broke, which is beyond the allowed attempts. The breaker, the keys, the retry budget (a
   * first move to a closed twin is free here too) and the deadline have their say as ever. Its end is told by `finished`, `broke` or `cancelled`.
   */
  callToComplete(deployment: Deployment, kind: AttemptKind, now: number): Call | null {
    if (now >= this.#input.deadlineAt) return null;
    const breaker = this.#health.breaker(deployment.id);
    const costs = this.#completingCosts(deployment, kind, breaker);
    if (costs && !this.#health.retryBudget.has(now)) return null;
    const key = this.#completingKey(deployment, kind);
    const call = this.#calls.start(deployment, breaker.acquire(now), kind, key, now);
    if (call === null) return null;
    if (costs) this.#calls.payRetry(now);
    else this.#calls.moved();
    return call;
  }

  /** Whether `callToComplete` would give a call. Takes nothing. */
  couldComplete(deployment: Deployment, kind: AttemptKind, now: number): boolean {
    if (now >= this.#input.deadlineAt) return false;
    const breaker = this.#health.breaker(deployment.id);
    if (!breaker.wouldAcquire(now)) return false;
    if (this.#completingCosts(deployment, kind, breaker) && !this.#health.retryBudget.has(now)) return false;
    const key = this.#completingKey(deployment, kind);
    return this.#health.keyPool(deployment.provider).usable(deployment.id, now, key);
  }

  /**
   * Whether there would be somewhere to go if the running call were cut now. When not, the first-token limit must not
   * cut it: waiting is better than failing. An open breaker's last resort, or one more call to what
   * failed already, is no better than waiting.
   * @param model only to a deployment of this model
   */
  canMoveOn(now: number, model: string | null = null): boolean {
    if (this.#verdict.stop !== null || now >= this.#input.deadlineAt || this.#calls.left <= 0) return false;
    const { candidates, equivalents } = this.#input.plan;
    const couldTake = (deployment: Deployment, costsRetry: boolean): boolean => {
      if (model !== null && deployment.model !== model) return false;
      if (!this.#health.breaker(deployment.id).wouldAcquire(now)) return false;
      if (costsRetry && !this.#health.retryBudget.has(now)) return false;
      const options = { ...this.#calls.keyOptions, ignoreAdaptive: true };
      return this.#health.keyPool(deployment.provider).usable(deployment.id, now, options);
    };
    return (
      candidates.some(
        (twin) =>
          this.#verdict.isUntried(twin) && couldTake(twin, this.#calls.costsRetry(this.#health.breaker(twin.id))),
      ) ||
      (equivalents?.some(
        (equivalent) => this.#verdict.mayStandIn(equivalent) && couldTake(equivalent.deployment, true),
      ) ??
        false)
    );
  }

  #moves(): RaceMoves {
    return {
      stopped: () => this.#verdict.stop !== null,
      allowed: (now) => !this.#verdict.sawEmpty && this.#calls.left > 0 && now < this.#input.deadlineAt,
      canMoveOn: (now, model) => this.canMoveOn(now, model ?? null),
      isUntried: (deployment) => this.#verdict.isUntried(deployment),
      next: (now, running) => this.#choice.untried(now, running),
      hedge: (to, now) =>
        this.#calls.start(to, this.#health.breaker(to.id).acquire(now), "hedge", this.#calls.keyOptions, now),
    };
  }

  /** When a provider dies, all its streams break at once: the budget must not keep a healthy twin from completing them. */
  #completingCosts(deployment: Deployment, kind: AttemptKind, breaker: Breaker): boolean {
    return kind === "continuation_probe" || !this.#verdict.isUntried(deployment) || this.#calls.costsRetry(breaker);
  }

  #completingKey(deployment: Deployment, kind: AttemptKind): AcquireOptions {
    const size = kind === "continuation_probe" ? continuationProbeSize : null;
    const exclude = keysSpent(this.#verdict.failed, deployment);
    return { ...this.#calls.keyOptions, ...size, exclude, ignoreAdaptive: true };
  }

  #again(now: number): Call | null {
    const deployment = this.#waiting.takeAgain();
    return deployment === null ? null : this.#choice.again(deployment, now);
  }

  /** @returns whether a wait was planned, or one more call to what failed */
  #planWait(now: number): boolean {
    if (this.#calls.left <= 0 || this.#verdict.sawEmpty) return false;
    if (this.#calls.made === 0) return this.#waiting.planForKey(now);
    return this.#waiting.planRetry(this.#verdict.failed, now, (at) => this.#calls.payRetry(at));
  }
}
