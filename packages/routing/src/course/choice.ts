import type { AttemptKind, Deployment } from "@tuloy/contract";

import type { Call, CourseInput } from "../attempt.ts";
import { keysSpent, keysUsed } from "../failed-calls.ts";
import type { Health } from "../health.ts";
import type { AcquireOptions } from "../key-pool.ts";
import type { Calls } from "./calls.ts";
import type { Verdict } from "./verdict.ts";

/** What is looked for among the untried. */
interface Pass {
  readonly kind: AttemptKind;
  /** Only this model; null: any. */
  readonly model: string | null;
  readonly closedOnly: boolean;
  readonly ignoreAdaptive: boolean;
  readonly ignoreAnnounced?: boolean;
}

/** Whom a request may call next. Each step gives a call, or null where it has none. */
export class Choice {
  readonly #input: CourseInput;
  readonly #health: Health;
  readonly #calls: Calls;
  readonly #verdict: Verdict;
  /** A last resort was called: allowed once a request. */
  #forced = false;

  constructor(input: CourseInput, health: Health, calls: Calls, verdict: Verdict) {
    this.#input = input;
    this.#health = health;
    this.#calls = calls;
    this.#verdict = verdict;
  }

  /** The same deployment with another key. */
  sibling(now: number): Call | null {
    const deployment = this.#verdict.takeSibling();
    if (deployment === null) return null;
    const options = { ...this.#calls.keyOptions, exclude: keysUsed(this.#verdict.failed, deployment) };
    if (!this.#health.keyPool(deployment.provider).usable(deployment.id, now, options)) return null;
    const breaker = this.#health.breaker(deployment.id);
    if (!breaker.wouldAcquire(now) || !this.#calls.payRetry(now)) return null;
    this.#verdict.siblingUsed(deployment);
    return this.#calls.start(deployment, breaker.acquire(now), "sibling_key", options, now);
  }

  /** One that failed for a passing reason, once more; its retry was paid when that was planned. */
  again(deployment: Deployment, now: number): Call | null {
    const exclude = keysSpent(this.#verdict.failed, deployment);
    const permit = this.#health.breaker(deployment.id).acquire(now);
    return this.#calls.start(deployment, permit, "same_deployment", { ...this.#patient, exclude }, now);
  }

  /** @param running a call to it is under way: only its twins, and it is no first choice that is beside it */
  untried(now: number, running: Deployment | null = null): Call | null {
    if (this.#calls.left <= 0) return null;
    const kind =
      this.#calls.made === 0 ? "first" : running === null || this.#input.settings.onLimit === "next" ? "twin" : "race";
    const model = running?.model ?? null;
    // The last of several calls is no place for a guess: a closed breaker goes before a trial.
    if (this.#calls.isLast) {
      const sure = this.#firstUntried(now, { kind, model, closedOnly: true, ignoreAdaptive: false });
      const surely = sure ?? this.#firstUntried(now, { kind, model, closedOnly: true, ignoreAdaptive: true });
      if (surely !== null) return surely;
    }
    return (
      this.#firstUntried(now, { kind, model, closedOnly: false, ignoreAdaptive: false }) ??
      this.#firstUntried(now, { kind, model, closedOnly: false, ignoreAdaptive: true })
    );
  }

  /** With nothing else left, what a provider announced about its keys is not worth failing for: it may be wrong. */
  pastAnnounced(now: number): Call | null {
    if (this.#calls.left <= 0) return null;
    const kind = this.#calls.made === 0 ? "first" : "twin";
    const pass = { kind, model: null, closedOnly: false, ignoreAdaptive: true, ignoreAnnounced: true } as const;
    return this.#firstUntried(now, pass);
  }

  /**
   * With one call left and two ways to use it, a closed equivalent is better than what just failed: the law's one retry
   * before leaving the model is for requests that can still leave it afterwards.
   */
  equivalentWithLast(now: number): Call | null {
    return this.#calls.isLast ? this.equivalent(now, true) : null;
  }

  equivalent(now: number, closedOnly: boolean): Call | null {
    const { equivalents } = this.#input.plan;
    if (equivalents === undefined || this.#calls.left <= 0) return null;
    for (const equivalent of equivalents) {
      const { deployment } = equivalent;
      if (!this.#verdict.mayStandIn(equivalent)) continue;
      const breaker = this.#health.breaker(deployment.id);
      if (closedOnly && !breaker.isClosed) continue;
      const isFirst = this.#calls.made === 0;
      if (!isFirst && !this.#calls.hasRetry(now)) continue;
      const call = this.#calls.start(deployment, breaker.acquire(now), "equivalent", this.#patient, now);
      if (call === null) continue;
      if (!isFirst) this.#calls.payRetry(now);
      return call;
    }
    return null;
  }

  /** Past an open breaker, the one that failed least recently. */
  lastResort(now: number): Call | null {
    if (this.#forced || this.#calls.left <= 0) return null;
    const { candidates, equivalents = [] } = this.#input.plan;
    const best =
      this.#bestOpen(
        candidates.filter((twin) => this.#verdict.isUntried(twin)),
        now,
      ) ??
      this.#bestOpen(
        equivalents.filter((each) => this.#verdict.mayStandIn(each)).map(({ deployment }) => deployment),
        now,
      );
    if (best === null || (this.#calls.made > 0 && !this.#calls.payRetry(now))) return null;
    this.#forced = true;
    return this.#calls.start(best, this.#health.breaker(best.id).force(now), "last_resort", this.#patient, now);
  }

  get #patient(): AcquireOptions {
    return { ...this.#calls.keyOptions, ignoreAdaptive: true };
  }

  #firstUntried(now: number, pass: Pass): Call | null {
    const { keyOptions } = this.#calls;
    for (const deployment of this.#input.plan.candidates) {
      if (!this.#verdict.isUntried(deployment) || (pass.model !== null && deployment.model !== pass.model)) continue;
      const breaker = this.#health.breaker(deployment.id);
      if (pass.closedOnly && !breaker.isClosed) continue;
      const costs = this.#calls.costsRetry(breaker);
      if (costs && !this.#calls.hasRetry(now)) continue;
      const { ignoreAdaptive, ignoreAnnounced } = pass;
      const options = ignoreAdaptive ? { ...keyOptions, ignoreAdaptive, ignoreAnnounced } : keyOptions;
      const call = this.#calls.start(deployment, breaker.acquire(now), pass.kind, options, now);
      if (call === null) continue;
      if (costs) this.#calls.payRetry(now);
      else if (pass.kind !== "first") this.#calls.moved();
      return call;
    }
    return null;
  }

  #bestOpen(deployments: readonly Deployment[], now: number): Deployment | null {
    const options = this.#patient;
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
}
