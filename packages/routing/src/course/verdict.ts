import type { Deployment, Failure } from "@tuloy/contract";

import type { Call, CourseInput, Stop, StopCause } from "../attempt.ts";
import { failureEffects } from "../effects.ts";
import { lastFailures, noteFailure, surfacedFailure } from "../failed-calls.ts";
import type { FailedCall } from "../failed-calls.ts";
import type { Health } from "../health.ts";
import type { PlannedEquivalent } from "../plan/shapes.ts";
import type { Calls } from "./calls.ts";

/** What the failed calls of a request mean for what may follow: who is ruled out, whose sibling key is due, and whether it ends. */
export class Verdict {
  readonly #input: CourseInput;
  readonly #health: Health;
  readonly #calls: Calls;
  readonly #failed: FailedCall[] = [];
  /** Only windows larger than this are worth a call, after `context_length`; -1: any, Infinity: none. */
  #tooSmallWindow = -1;
  #sawEmpty = false;
  #siblingOf: Deployment | null = null;
  #siblingsUsed: Set<string> | null = null;
  #digest: string | null = null;
  #stop: Stop | null = null;

  constructor(input: CourseInput, health: Health, calls: Calls) {
    this.#input = input;
    this.#health = health;
    this.#calls = calls;
  }

  get stop(): Stop | null {
    return this.#stop;
  }

  get failed(): readonly FailedCall[] {
    return this.#failed;
  }

  /** One answer was empty: one more is asked elsewhere, and nothing after that. */
  get sawEmpty(): boolean {
    return this.#sawEmpty;
  }

  isUntried(deployment: Deployment): boolean {
    if (this.#calls.tried.includes(deployment) || this.#calls.isObstructed(deployment)) return false;
    return this.#tooSmallWindow < 0 || (deployment.contextTokens ?? 0) > this.#tooSmallWindow;
  }

  /** After `context_length`, one that somebody listed may stand in unless its window is known to be too small as well. */
  mayStandIn({ deployment, listed }: PlannedEquivalent): boolean {
    const { tried } = this.#calls;
    if (tried.includes(deployment) || this.#sawEmpty || this.#calls.isObstructed(deployment)) return false;
    if (this.#tooSmallWindow < 0) return true;
    const window = deployment.contextTokens ?? (listed ? Infinity : 0);
    return window > this.#tooSmallWindow || (listed && this.#tooSmallWindow === Infinity);
  }

  /** The deployment whose other key is to be tried next, told once. */
  takeSibling(): Deployment | null {
    const deployment = this.#siblingOf;
    this.#siblingOf = null;
    return deployment;
  }

  siblingUsed({ id }: Deployment): void {
    this.#siblingsUsed ??= new Set();
    this.#siblingsUsed.add(id);
  }

  /** The digest of a body can cost a millisecond: it is made only when the request is a suspect. */
  suspectedDigest(failure: Failure): string | undefined {
    return failureEffects[failure.class].suspectsRequest ? this.#fingerprint() : undefined;
  }

  /**
   * A call failed before its commit.
   * @param racing two calls may run side by side
   * @param beside a call still runs
   */
  note(call: Call, failure: Failure, { racing, beside }: { racing: boolean; beside: boolean }, now: number): void {
    noteFailure(this.#failed, call, failure, now);
    const { deployment } = call;
    const effect = failureEffects[failure.class];
    if (effect.next === "stop") {
      // A fault of ours with one call is no reason to end another that runs well.
      if (failure.class !== "internal" || !beside) this.#stopFor(failure);
    } else if (this.#sawEmpty) {
      this.#stopEmpty();
    } else if (effect.next === "once_elsewhere") {
      this.#sawEmpty = true;
    } else if (effect.next === "larger_window") {
      // Unknown against unknown proves nothing: only a window known to be larger than a known one is.
      this.#tooSmallWindow = Math.max(this.#tooSmallWindow, deployment.contextTokens ?? Infinity);
    } else if (effect.next === "surface_if_primary" && this.#isPrimarys(call, racing)) {
      this.stopWith("surface", failure.reason, failure);
    } else if (effect.suspectsRequest && this.#blamesRequest(failure, now)) {
      this.#stopForRequest(failure);
    } else if (effect.siblingFirst && this.#siblingsUsed?.has(deployment.id) !== true) {
      this.#siblingOf = deployment;
    }
  }

  /**
   * Nobody is left to ask.
   * @param forClientMs after how long asking again would help, as far as is known
   */
  giveUp(forClientMs: (surfaced: Failure | null) => number | null): Stop {
    const surfaced = surfacedFailure(this.#failed);
    if (this.#sawEmpty) return this.#stopEmpty();
    if (surfaced !== null && failureEffects[surfaced.class].surfacing === "always") {
      return this.stopWith("surface", surfaced.reason, surfaced);
    }
    const nothingMade = this.#calls.made === 0;
    const because = surfaced !== null ? "surface" : nothingMade ? "no_healthy_deployment" : "upstream_failed";
    return this.stopWith(because, this.#words(), surfaced, forClientMs(surfaced));
  }

  /** The first stop stands. */
  stopWith(because: StopCause, detail: string, failure: Failure | null, retryAfterMs: number | null = null): Stop {
    this.#stop ??= { because, failure, detail, retryAfterMs, suspectsRequest: false };
    return this.#stop;
  }

  /** What the deployment that was tried first says, before any other failed or beside one that runs. */
  #isPrimarys({ deployment, kind }: Call, racing: boolean): boolean {
    const { tried } = this.#calls;
    if (tried.length === 1) return true;
    return racing && deployment === tried[0] && kind !== "same_deployment";
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
    const stop = this.stopWith(surfaced === null ? "upstream_failed" : "surface", detail, surfaced);
    this.#stop = { ...stop, suspectsRequest: true };
  }

  #stopFor(failure: Failure): void {
    if (failure.class === "cancelled") this.stopWith("cancelled", "the client went away", null);
    else this.stopWith(failure.class === "internal" ? "internal" : "surface", failure.reason, failure);
  }

  #stopEmpty(): Stop {
    return this.stopWith("empty_answer", "the answer was empty, and no other deployment had more", null);
  }

  #words(): string {
    const budget = this.#calls.budgetSpent ? "; the process's retry budget is spent" : "";
    if (this.#calls.made === 0) return `no deployment can take a call now${budget}`;
    return this.#calls.left > 0 ? `no deployment is left to try${budget}` : "the allowed attempts are used up";
  }

  #fingerprint(): string {
    this.#digest ??= this.#input.fingerprint();
    return this.#digest;
  }
}
