import type { AttemptKind, Deployment, Exclusion, ExclusionReason, Failure } from "@tuloy/contract";

import { continuationProbeSize, demandOf } from "./attempt.ts";
import type { Call, CourseInput, Step, Stop, StopCause } from "./attempt.ts";
import type { Breaker, Permit } from "./breaker.ts";
import { commitLimitMs } from "./commit-limit.ts";
import { failureEffects } from "./effects.ts";
import type { Effect } from "./effects.ts";
import { keysSpent, keysUsed, lastFailures, noteFailure, surfacedFailure } from "./failed-calls.ts";
import type { FailedCall } from "./failed-calls.ts";
import type { Health } from "./health.ts";
import type { AcquireOptions } from "./key-pool.ts";
import { LiveCall } from "./live-call.ts";
import { passedOver } from "./passed-over.ts";
import type { PlannedEquivalent } from "./plan/shapes.ts";
import { mayRace, Race } from "./race.ts";
import type { RaceMoves } from "./race.ts";
import { Settlement } from "./settlement.ts";
import { Waiting } from "./waiting.ts";

/** What is looked for among the untried. */
interface Pass {
  readonly kind: AttemptKind;
  /** Only this model; null: any. */
  readonly model: string | null;
  readonly closedOnly: boolean;
  readonly ignoreAdaptive: boolean;
  readonly ignoreAnnounced?: boolean;
}

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
  readonly #keyOptions: AcquireOptions;
  readonly #tried: Deployment[] = [];
  readonly #failed: FailedCall[] = [];
  readonly #siblingsUsed = new Set<string>();
  #exclusions: Exclusion[] = [];
  /** All calls, and those that count against `attempts`. */
  #made = 0;
  #counted = 0;
  #begun = false;
  #siblingOf: Deployment | null = null;
  /** A last resort was called: allowed once a request. */
  #forced = false;
  #movedToTwin = false;
  #budgetSpent = false;
  /** Only windows larger than this are worth a call, after `context_length`; -1: any, Infinity: none. */
  #tooSmallWindow = -1;
  #sawEmpty = false;
  #digest: string | null = null;
  #stop: Stop | null = null;

  constructor(input: CourseInput, health: Health, random: () => number) {
    this.#input = input;
    this.#health = health;
    this.#settlement = new Settlement(input, health);
    this.#waiting = new Waiting(input, health, random);
    this.#keyOptions = demandOf(input);
    this.race = mayRace(input) ? new Race(input, health, this.#settlement, this.#moves()) : null;
  }

  /** Deployments that were passed over on the way, for the trace. */
  get exclusions(): readonly Exclusion[] {
    return this.#exclusions;
  }

  /** What to do now. After a call or a wait, ask again. A stop is final. */
  next(now: number): Step {
    if (!this.#begun) {
      this.#begun = true;
      this.#health.retryBudget.request(now);
    }
    if (this.#stop !== null) return { do: "stop", stop: this.#stop };
    if (now >= this.#input.deadlineAt) return this.#stopWith("deadline_exceeded", "the deadline has passed", null);
    const leftMs = this.#waiting.leftMs(now);
    if (leftMs > 0) return { do: "wait", ms: leftMs };
    const call =
      this.#callAgain(now) ?? this.#callSibling(now) ?? this.#callUntried(now) ?? this.#callEquivalentWithLast(now);
    if (call !== null) return { do: "call", call };
    if (this.#planWait(now)) {
      const ms = this.#waiting.leftMs(now);
      if (ms > 0) return { do: "wait", ms };
      const again = this.#callAgain(now);
      if (again !== null) return { do: "call", call: again };
    }
    const last = this.#callEquivalent(now, false) ?? this.#callPastAnnounced(now) ?? this.#callLastResort(now);
    return last === null ? this.#giveUp(now) : { do: "call", call: last };
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
    if (!this.#settlement.failed(call, failure, now, this.#suspectedDigest(failure))) return;
    this.race?.ended(call);
    noteFailure(this.#failed, call, failure, now);
    this.#decide(call, failure, now);
  }

  /** The stream broke after the commit: the course ends. A deadline that passes then is `cancelled`: output was coming. */
  broke(call: Call, failure: Failure, now: number): void {
    if (!this.#settlement.failed(call, failure, now, this.#suspectedDigest(failure))) return;
    this.#stopWith("upstream_failed", `the stream broke: ${failure.reason}`, null);
  }

  /** The client went away, during a call or (null) a wait: nobody is to blame. */
  cancelled(call: Call | null, now: number): void {
    if (call !== null) {
      this.race?.ended(call);
      this.#settlement.cancelled(call, now);
    }
    this.#stopWith("cancelled", "the client went away", null);
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
    return this.#failed.some((failed) => failed.deployment === deployment);
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
    const call = this.#start(deployment, breaker.acquire(now), kind, this.#completingKey(deployment, kind), now);
    if (call === null) return null;
    if (costs) this.#payRetry(now);
    else this.#movedToTwin = true;
    return call;
  }

  /** Whether `callToComplete` would give a call. Takes nothing. */
  couldComplete(deployment: Deployment, kind: AttemptKind, now: number): boolean {
    if (now >= this.#input.deadlineAt) return false;
    const breaker = this.#health.breaker(deployment.id);
    if (!breaker.wouldAcquire(now)) return false;
    if (this.#completingCosts(deployment, kind, breaker) && !this.#health.retryBudget.has(now)) return false;
    return this.#health.keyPool(deployment.provider).usable(deployment.id, now, this.#completingKey(deployment, kind));
  }

  /**
   * Whether there would be somewhere to go if the running call were cut now. When not, the first-token limit must not
   * cut it: waiting is better than failing. An open breaker's last resort, or one more call to what
   * failed already, is no better than waiting.
   * @param model only to a deployment of this model
   */
  canMoveOn(now: number, model: string | null = null): boolean {
    if (this.#stop !== null || now >= this.#input.deadlineAt || !this.#mayCall()) return false;
    const { candidates, equivalents } = this.#input.plan;
    const couldTake = (deployment: Deployment, costsRetry: boolean): boolean => {
      if (model !== null && deployment.model !== model) return false;
      if (!this.#health.breaker(deployment.id).wouldAcquire(now)) return false;
      if (costsRetry && !this.#health.retryBudget.has(now)) return false;
      const options = { ...this.#keyOptions, ignoreAdaptive: true };
      return this.#health.keyPool(deployment.provider).usable(deployment.id, now, options);
    };
    return (
      candidates.some(
        (twin) => this.#isUntried(twin) && couldTake(twin, this.#costsRetry(this.#health.breaker(twin.id))),
      ) ||
      (equivalents?.some((equivalent) => this.#mayStandIn(equivalent) && couldTake(equivalent.deployment, true)) ??
        false)
    );
  }

  #moves(): RaceMoves {
    return {
      stopped: () => this.#stop !== null,
      allowed: (now) => !this.#sawEmpty && this.#mayCall() && now < this.#input.deadlineAt,
      canMoveOn: (now, model) => this.canMoveOn(now, model ?? null),
      isUntried: (deployment) => this.#isUntried(deployment),
      next: (now, running) => this.#callUntried(now, running),
      hedge: (to, now) => this.#start(to, this.#health.breaker(to.id).acquire(now), "hedge", this.#keyOptions, now),
    };
  }

  #mayCall(): boolean {
    return this.#counted < this.#input.settings.attempts;
  }

  #isUntried(deployment: Deployment): boolean {
    if (this.#tried.includes(deployment) || this.#isObstructed(deployment)) return false;
    return this.#tooSmallWindow < 0 || (deployment.contextTokens ?? 0) > this.#tooSmallWindow;
  }

  /** No attempt is spent on who can't be told the request. */
  #isObstructed(deployment: Deployment): boolean {
    const { obstacle } = this.#input;
    if (obstacle === undefined || obstacle === null) return false;
    const why = obstacle(deployment);
    if (why === null) return false;
    if (!this.#exclusions.some((known) => known.deployment === deployment.id))
      this.#exclusions.push({ deployment: deployment.id, reason: "capability", detail: why });
    return true;
  }

  /** All but a request's first call, and its first move to a closed twin, are retries in the budget's sense. */
  #costsRetry(breaker: Breaker): boolean {
    if (this.#made === 0) return false;
    return this.#movedToTwin || !breaker.isClosed;
  }

  /** When a provider dies, all its streams break at once: the budget must not keep a healthy twin from completing them. */
  #completingCosts(deployment: Deployment, kind: AttemptKind, breaker: Breaker): boolean {
    return kind === "continuation_probe" || !this.#isUntried(deployment) || this.#costsRetry(breaker);
  }

  #completingKey(deployment: Deployment, kind: AttemptKind): AcquireOptions {
    const size = kind === "continuation_probe" ? continuationProbeSize : null;
    return { ...this.#keyOptions, ...size, exclude: keysSpent(this.#failed, deployment), ignoreAdaptive: true };
  }

  /** Takes a retry from the budget, and notes for the stop's words when there is none. */
  #payRetry(now: number): boolean {
    const paid = this.#health.retryBudget.tryRetry(now);
    if (!paid) this.#budgetSpent = true;
    return paid;
  }

  /** @param running a call to it is under way: only its twins, and it is no first choice that is beside it */
  #callUntried(now: number, running: Deployment | null = null): Call | null {
    if (!this.#mayCall()) return null;
    const { attempts } = this.#input.settings;
    const kind =
      this.#made === 0 ? "first" : running === null || this.#input.settings.onLimit === "next" ? "twin" : "race";
    const model = running?.model ?? null;
    // The last of several calls is no place for a guess: a closed breaker goes before a trial.
    if (this.#counted > 0 && this.#counted === attempts - 1) {
      const sure = this.#firstUntried(now, { kind, model, closedOnly: true, ignoreAdaptive: false });
      const surely = sure ?? this.#firstUntried(now, { kind, model, closedOnly: true, ignoreAdaptive: true });
      if (surely !== null) return surely;
    }
    return (
      this.#firstUntried(now, { kind, model, closedOnly: false, ignoreAdaptive: false }) ??
      this.#firstUntried(now, { kind, model, closedOnly: false, ignoreAdaptive: true })
    );
  }

  #firstUntried(now: number, pass: Pass): Call | null {
    for (const deployment of this.#input.plan.candidates) {
      if (!this.#isUntried(deployment) || (pass.model !== null && deployment.model !== pass.model)) continue;
      const breaker = this.#health.breaker(deployment.id);
      if (pass.closedOnly && !breaker.isClosed) continue;
      const costs = this.#costsRetry(breaker);
      if (costs && !this.#health.retryBudget.has(now)) {
        this.#budgetSpent = true;
        continue;
      }
      const { ignoreAdaptive, ignoreAnnounced } = pass;
      const options = ignoreAdaptive ? { ...this.#keyOptions, ignoreAdaptive, ignoreAnnounced } : this.#keyOptions;
      const call = this.#start(deployment, breaker.acquire(now), pass.kind, options, now);
      if (call === null) continue;
      if (costs) this.#payRetry(now);
      else if (pass.kind !== "first") this.#movedToTwin = true;
      return call;
    }
    return null;
  }

  /** With nothing else left, what a provider announced about its keys is not worth failing for: it may be wrong. */
  #callPastAnnounced(now: number): Call | null {
    if (!this.#mayCall()) return null;
    const kind = this.#made === 0 ? "first" : "twin";
    const pass = { kind, model: null, closedOnly: false, ignoreAdaptive: true, ignoreAnnounced: true } as const;
    return this.#firstUntried(now, pass);
  }

  /**
   * With one call left and two ways to use it, a closed equivalent is better than what just failed: the law's one retry
   * before leaving the model is for requests that can still leave it afterwards.
   */
  #callEquivalentWithLast(now: number): Call | null {
    const { attempts } = this.#input.settings;
    return this.#counted > 0 && this.#counted === attempts - 1 ? this.#callEquivalent(now, true) : null;
  }

  #callEquivalent(now: number, closedOnly: boolean): Call | null {
    const { equivalents } = this.#input.plan;
    if (equivalents === undefined || !this.#mayCall()) return null;
    for (const equivalent of equivalents) {
      const { deployment } = equivalent;
      if (!this.#mayStandIn(equivalent)) continue;
      const breaker = this.#health.breaker(deployment.id);
      if (closedOnly && !breaker.isClosed) continue;
      if (this.#made > 0 && !this.#health.retryBudget.has(now)) {
        this.#budgetSpent = true;
        continue;
      }
      const options = { ...this.#keyOptions, ignoreAdaptive: true };
      const isFirst = this.#made === 0;
      const call = this.#start(deployment, breaker.acquire(now), "equivalent", options, now);
      if (call === null) continue;
      if (!isFirst) this.#payRetry(now);
      return call;
    }
    return null;
  }

  /** After `context_length`, one that somebody listed may stand in unless its window is known to be too small as well. */
  #mayStandIn({ deployment, listed }: PlannedEquivalent): boolean {
    if (this.#tried.includes(deployment) || this.#sawEmpty || this.#isObstructed(deployment)) return false;
    if (this.#tooSmallWindow < 0) return true;
    const window = deployment.contextTokens ?? (listed ? Infinity : 0);
    return window > this.#tooSmallWindow || (listed && this.#tooSmallWindow === Infinity);
  }

  #callSibling(now: number): Call | null {
    const deployment = this.#siblingOf;
    if (deployment === null) return null;
    this.#siblingOf = null;
    const options = { ...this.#keyOptions, exclude: keysUsed(this.#failed, deployment) };
    if (!this.#health.keyPool(deployment.provider).usable(deployment.id, now, options)) return null;
    const breaker = this.#health.breaker(deployment.id);
    if (!breaker.wouldAcquire(now) || !this.#payRetry(now)) return null;
    this.#siblingsUsed.add(deployment.id);
    return this.#start(deployment, breaker.acquire(now), "sibling_key", options, now);
  }

  #callAgain(now: number): Call | null {
    const deployment = this.#waiting.takeAgain();
    if (deployment === null) return null;
    const options = { ...this.#keyOptions, exclude: keysSpent(this.#failed, deployment), ignoreAdaptive: true };
    const permit = this.#health.breaker(deployment.id).acquire(now);
    return this.#start(deployment, permit, "same_deployment", options, now);
  }

  #callLastResort(now: number): Call | null {
    if (this.#forced || !this.#mayCall()) return null;
    const { candidates, equivalents = [] } = this.#input.plan;
    const best =
      this.#bestOpen(
        candidates.filter((twin) => this.#isUntried(twin)),
        now,
      ) ??
      this.#bestOpen(
        equivalents.filter((each) => this.#mayStandIn(each)).map(({ deployment }) => deployment),
        now,
      );
    if (best === null || (this.#made > 0 && !this.#payRetry(now))) return null;
    this.#forced = true;
    const options = { ...this.#keyOptions, ignoreAdaptive: true };
    return this.#start(best, this.#health.breaker(best.id).force(now), "last_resort", options, now);
  }

  #bestOpen(deployments: readonly Deployment[], now: number): Deployment | null {
    const options = { ...this.#keyOptions, ignoreAdaptive: true };
    let best: Deployment | null = null;
    let bestSlow = false;
    let bestAt = Infinity;
    for (const deployment of deployments) {
      const breaker = this.#health.breaker(deployment.id);
      if (breaker.isClosed || breaker.isIsolated) continue;
      const failedAt = breaker.lastFailureAt ?? -Infinity;
      // A slow answer is better than a fast error: when the only twin that works is slow under the others' load, all go there.
      const better = breaker.isSlow === bestSlow ? failedAt < bestAt : breaker.isSlow;
      if (best !== null && !better) continue;
      if (!this.#health.keyPool(deployment.provider).usable(deployment.id, now, options)) continue;
      best = deployment;
      bestSlow = breaker.isSlow;
      bestAt = failedAt;
    }
    return best;
  }

  #start(
    deployment: Deployment,
    permit: Permit | null,
    kind: AttemptKind,
    options: AcquireOptions,
    now: number,
  ): Call | null {
    if (permit === null) {
      this.#passOver(deployment, this.#health.breaker(deployment.id).isIsolated ? "isolated" : "breaker_open", now);
      return null;
    }
    const key = this.#health.keyPool(deployment.provider).acquire(deployment.id, now, options);
    if (key === null) {
      this.#health.breaker(deployment.id).settle(permit, "neutral", this.#input.settings.breaker, now);
      this.#passOver(deployment, "no_usable_key", now);
      return null;
    }
    this.#made += 1;
    if (kind !== "sibling_key") this.#counted += 1;
    if (!this.#tried.includes(deployment)) this.#tried.push(deployment);
    const firstTokenMs = commitLimitMs(this.#input, this.#health, deployment, permit.kind === "trial", now);
    const pace = this.#health.pace(deployment.id);
    const call = new LiveCall(deployment, { key, permit }, kind, { startedAt: now, firstTokenMs, pace });
    this.race?.started(call, now);
    return call;
  }

  #passOver(deployment: Deployment, reason: ExclusionReason, now: number): void {
    if (this.#exclusions.some((known) => known.deployment === deployment.id)) return;
    this.#exclusions.push(passedOver(this.#health, deployment, reason, this.#keyOptions, now));
  }

  /** @returns whether a wait was planned, or one more call to what failed */
  #planWait(now: number): boolean {
    if (!this.#mayCall() || this.#sawEmpty) return false;
    if (this.#made === 0) return this.#waiting.planForKey(now);
    return this.#waiting.planRetry(this.#failed, now, (at) => this.#payRetry(at));
  }

  /** The digest of a body can cost a millisecond: it is made only when the request is a suspect. */
  #suspectedDigest(failure: Failure): string | undefined {
    return failureEffects[failure.class].suspectsRequest ? this.#fingerprint() : undefined;
  }

  #fingerprint(): string {
    this.#digest ??= this.#input.fingerprint();
    return this.#digest;
  }

  #decide(call: Call, failure: Failure, now: number): void {
    const { deployment } = call;
    const effect = failureEffects[failure.class];
    if (effect.next === "stop") {
      // A fault of ours with one call is no reason to end another that runs well.
      if (failure.class !== "internal" || !this.race?.alone) this.#stopFor(failure);
    } else if (this.#sawEmpty) {
      this.#stopEmpty();
    } else if (effect.next === "once_elsewhere") {
      this.#sawEmpty = true;
    } else if (effect.next === "larger_window") {
      // Unknown against unknown proves nothing: only a window known to be larger than a known one is.
      this.#tooSmallWindow = Math.max(this.#tooSmallWindow, deployment.contextTokens ?? Infinity);
    } else if (effect.next === "surface_if_primary" && this.#isPrimarys(call)) {
      this.#stopWith("surface", failure.reason, failure);
    } else if (effect.suspectsRequest && this.#blamesRequest(failure, now)) {
      this.#stopForRequest(failure);
    } else {
      this.#queueSibling(deployment, effect);
    }
  }

  /** What the deployment that was tried first says, before any other failed or beside one that runs. */
  #isPrimarys({ deployment, kind }: Call): boolean {
    if (this.#tried.length === 1) return true;
    return this.race !== null && deployment === this.#tried[0] && kind !== "same_deployment";
  }

  #queueSibling(deployment: Deployment, effect: Effect): void {
    if (effect.siblingFirst && !this.#siblingsUsed.has(deployment.id)) this.#siblingOf = deployment;
  }

  /**
   * Two different deployments failed alike, and at neither is there a sign that others fail too: then it is this
   * request, and going on would carry it to every server.
   */
  #blamesRequest(failure: Failure, now: number): boolean {
    const alike = lastFailures(this.#failed.filter((failed) => failed.failure.class === failure.class));
    if (alike.length < 2) return false;
    return alike.every(({ deployment }) => {
      const breaker = this.#health.breaker(deployment.id);
      return breaker.isClosed && !breaker.failedForOthers(this.#fingerprint(), now);
    });
  }

  #stopForRequest(failure: Failure): void {
    for (const failed of this.#failed) {
      if (failed.failure.class !== failure.class) continue;
      this.#health.breaker(failed.deployment.id).forgive(this.#fingerprint());
    }
    const surfaced = surfacedFailure(this.#failed);
    const detail = `two deployments failed alike (${failure.class}) while nothing else fails there: the request itself is the likely cause`;
    this.#stopWith(surfaced === null ? "upstream_failed" : "surface", detail, surfaced);
    if (this.#stop !== null) this.#stop = { ...this.#stop, suspectsRequest: true };
  }

  #stopFor(failure: Failure): void {
    if (failure.class === "cancelled") this.#stopWith("cancelled", "the client went away", null);
    else this.#stopWith(failure.class === "internal" ? "internal" : "surface", failure.reason, failure);
  }

  #stopEmpty(): void {
    this.#stopWith("empty_answer", "the answer was empty, and no other deployment had more", null);
  }

  #giveUp(now: number): Step {
    const surfaced = surfacedFailure(this.#failed);
    if (this.#sawEmpty) {
      this.#stopEmpty();
    } else if (surfaced !== null && failureEffects[surfaced.class].surfacing === "always") {
      this.#stopWith("surface", surfaced.reason, surfaced);
    } else {
      const because = surfaced !== null ? "surface" : this.#made === 0 ? "no_healthy_deployment" : "upstream_failed";
      this.#stopWith(because, this.#words(), surfaced, this.#waiting.forClientMs(this.#made > 0, surfaced, now));
    }
    return this.next(now);
  }

  #words(): string {
    const budget = this.#budgetSpent ? "; the process's retry budget is spent" : "";
    if (this.#made === 0) return `no deployment can take a call now${budget}`;
    return this.#mayCall() ? `no deployment is left to try${budget}` : "the allowed attempts are used up";
  }

  #stopWith(because: StopCause, detail: string, failure: Failure | null, retryAfterMs: number | null = null): Step {
    this.#stop ??= { because, failure, detail, retryAfterMs, suspectsRequest: false };
    return { do: "stop", stop: this.#stop };
  }
}
