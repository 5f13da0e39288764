import type { AttemptKind, Deployment, Exclusion, ExclusionReason } from "@tuloy/contract";

import { demandOf } from "../attempt.ts";
import type { CourseInput } from "../attempt.ts";
import type { Breaker, Permit } from "../breaker.ts";
import { commitLimitMs } from "../commit-limit.ts";
import type { Health } from "../health.ts";
import type { AcquireOptions } from "../key-pool.ts";
import { LiveCall } from "../live-call.ts";
import { passedOver } from "../passed-over.ts";
import type { Race } from "../race.ts";

/** The calls that a request has made, and what its next one takes: a permit, a key, and perhaps a retry. */
export class Calls {
  /** What every call of the request asks of a key. */
  readonly keyOptions: AcquireOptions;
  readonly #input: CourseInput;
  readonly #health: Health;
  readonly #race: Race | null;
  readonly #tried: Deployment[] = [];
  readonly #exclusions: Exclusion[] = [];
  /** All calls, and those that count against `attempts`. */
  #made = 0;
  #counted = 0;
  #movedToTwin = false;
  #budgetSpent = false;

  /** @param race is told of each call */
  constructor(input: CourseInput, health: Health, race: Race | null) {
    this.#input = input;
    this.#health = health;
    this.#race = race;
    this.keyOptions = demandOf(input);
  }

  get made(): number {
    return this.#made;
  }

  /** Deployments that were called, in the order of their first call. */
  get tried(): readonly Deployment[] {
    return this.#tried;
  }

  /** Deployments that were passed over, each once. */
  get exclusions(): readonly Exclusion[] {
    return this.#exclusions;
  }

  /** A retry was wanted and there was none. */
  get budgetSpent(): boolean {
    return this.#budgetSpent;
  }

  /** Within the allowed attempts. */
  get left(): number {
    return this.#input.settings.attempts - this.#counted;
  }

  /** One call is left, and it is not the only one. */
  get isLast(): boolean {
    return this.#counted > 0 && this.left === 1;
  }

  /** All but a request's first call, and its first move to a closed twin, are retries in the budget's sense. */
  costsRetry(breaker: Breaker): boolean {
    if (this.#made === 0) return false;
    return this.#movedToTwin || !breaker.isClosed;
  }

  hasRetry(now: number): boolean {
    const has = this.#health.retryBudget.has(now);
    if (!has) this.#budgetSpent = true;
    return has;
  }

  /** Takes a retry from the budget. @returns whether there was one */
  payRetry(now: number): boolean {
    const paid = this.#health.retryBudget.tryRetry(now);
    if (!paid) this.#budgetSpent = true;
    return paid;
  }

  /** The free move to a twin is made. */
  moved(): void {
    this.#movedToTwin = true;
  }

  /** @returns null when there is no permit or no key; then the deployment was passed over */
  start(
    deployment: Deployment,
    permit: Permit | null,
    kind: AttemptKind,
    options: AcquireOptions,
    now: number,
  ): LiveCall | null {
    const breaker = this.#health.breaker(deployment.id);
    if (permit === null) {
      this.#passOver(deployment, breaker.isIsolated ? "isolated" : "breaker_open", now);
      return null;
    }
    const key = this.#health.keyPool(deployment.provider).acquire(deployment.id, now, options);
    if (key === null) {
      breaker.settle(permit, "neutral", this.#input.settings.breaker, now);
      this.#passOver(deployment, "no_usable_key", now);
      return null;
    }
    this.#made += 1;
    if (kind !== "sibling_key") this.#counted += 1;
    if (!this.#tried.includes(deployment)) this.#tried.push(deployment);
    const firstTokenMs = commitLimitMs(this.#input, this.#health, deployment, permit.kind === "trial", now);
    const pace = this.#health.pace(deployment.id);
    const call = new LiveCall(deployment, { key, permit }, kind, { startedAt: now, firstTokenMs, pace });
    this.#race?.started(call, now);
    return call;
  }

  /** Whether it can't be told the request, so that no attempt is spent on it. It is passed over then. */
  isObstructed(deployment: Deployment): boolean {
    const { obstacle } = this.#input;
    if (obstacle === undefined || obstacle === null) return false;
    const why = obstacle(deployment);
    if (why === null) return false;
    if (!this.#exclusions.some((known) => known.deployment === deployment.id))
      this.#exclusions.push({ deployment: deployment.id, reason: "capability", detail: why });
    return true;
  }

  #passOver(deployment: Deployment, reason: ExclusionReason, now: number): void {
    if (this.#exclusions.some((known) => known.deployment === deployment.id)) return;
    this.#exclusions.push(passedOver(this.#health, deployment, reason, this.keyOptions, now));
  }
}
