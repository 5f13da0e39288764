import type { Failure } from "@tuloy/contract";

import { continuationProbeSize } from "./attempt.ts";
import type { Call, CourseInput } from "./attempt.ts";
import { failureEffects, keyEffect } from "./effects.ts";
import type { KeyEffect } from "./effects.ts";
import type { LatencyWindow } from "./first-token.ts";
import type { Health } from "./health.ts";
import { LiveCall } from "./live-call.ts";

/** The speed of a shorter answer is mostly that of its way. */
const enoughTokens = 16;

/** What becomes of a call, carried over to the breaker, the key and the latencies. Each call ends once. */
export class Settlement {
  readonly #input: CourseInput;
  readonly #health: Health;

  constructor(input: CourseInput, health: Health) {
    this.#input = input;
    this.#health = health;
  }

  /** A trial, and a last resort, succeeds here; an ordinary call only when its stream is whole. */
  committed(call: Call, now: number, firstTokenMs: number): void {
    if (!(call instanceof LiveCall) || call.ended) return;
    call.committedAt = now;
    const { deployment, key, permit, pace } = call;
    pace.firstToken.record(firstTokenMs, now);
    this.#remember(deployment.id);
    this.#health.latency(deployment.id).record(firstTokenMs, now);
    this.#health.keyPool(deployment.provider).report(key, "ok", now, null);
    const { slowMs } = this.#input.settings.breaker;
    call.late = slowMs !== null && firstTokenMs > slowMs;
    if (permit.kind === "closed" || call.slow || call.proven) return;
    call.proven = true;
    this.#health.breaker(deployment.id).settle(permit, resultOf(call), this.#input.settings.breaker, now);
  }

  finished(call: Call, now: number, tokens: number | null): void {
    const live = endOf(call);
    if (live === null) return;
    const { deployment, key, permit, pace } = live;
    if (live.committedAt === null && !isProbe(live)) {
      pace.answer.record(now - live.startedAt, now);
      this.#remember(deployment.id);
    }
    const written = isProbe(live) ? 0 : (tokens ?? 0) - this.#input.inputTokens;
    if (written >= enoughTokens) pace.recordOutput((now - (live.committedAt ?? live.startedAt)) / written);
    this.#health.breaker(deployment.id).settle(permit, resultOf(live), this.#input.settings.breaker, now);
    this.#health.keyPool(deployment.provider).report(key, "ok", now, null);
    if (!this.#input.stream && this.#input.settings.hedge === "p95") {
      this.#health.answerTime(deployment.id).record(now - live.startedAt, now);
    }
    key.release(now, tokens);
  }

  /**
   * Another call of the same request was quicker. It says nothing about the deployment, except that it takes at least as
   * long as this: left out, the slowest would never be seen, and a 95th percentile would fall with each hedge. What passed
   * its limit is left out all the same, since it is no measure of a healthy deployment; and of what was being answered it is
   * the first content that these times are about, which was long here.
   */
  lost(call: Call, now: number): void {
    if (call instanceof LiveCall && !call.ended && !call.slow && !call.answering) {
      const times = usualTimes(this.#input, this.#health, call.deployment.id);
      const ran = now - call.startedAt;
      if (ran > (times.p95(now) ?? Infinity)) times.record(ran, now);
      const mean = this.#input.stream ? call.pace.firstToken : call.pace.answer;
      if (ran > (mean.ms ?? 0)) mean.record(ran, now);
    }
    this.cancelled(call, now);
  }

  cancelled(call: Call, now: number): void {
    const live = endOf(call);
    if (live === null) return;
    const { deployment, key, permit } = live;
    this.#health.breaker(deployment.id).settle(permit, "neutral", this.#input.settings.breaker, now);
    // Until then only the prompt is known to be used: a large max_tokens must not keep the key from others.
    const { inputTokens } = isProbe(live) ? continuationProbeSize : this.#input;
    key.release(now, live.committed ? null : inputTokens);
  }

  /** It goes on, but was slow: that is counted now, and whatever becomes of it counts no more. */
  slow(call: Call, now: number): void {
    if (!(call instanceof LiveCall) || call.ended || call.proven || call.slow) return;
    call.slow = true;
    this.#health.breaker(call.deployment.id).settle(call.permit, "slow_failure", this.#input.settings.breaker, now);
    this.#countAsSlow(call, now);
  }

  /**
   * Before or after the commit.
   * @param fingerprint the request's digest, when the request itself may be the cause
   * @returns false when the call had ended before: then nothing was done
   */
  failed(call: Call, failure: Failure, now: number, fingerprint: string | undefined): boolean {
    const live = endOf(call);
    if (live === null) return false;
    const { deployment, key, permit } = live;
    const { breaker: settings } = this.#input.settings;
    const { breaker: effect } = failureEffects[failure.class];
    const breaker = this.#health.breaker(deployment.id);
    const blameless = this.#isClientsTimer(live, failure);
    if (!blameless && (effect !== "none" || keyEffect(failure) !== "none")) this.#countAsSlow(live, now);
    if (effect === "none" || blameless) {
      breaker.settle(permit, "neutral", settings, now);
    } else if (live.proven && effect !== "soft") {
      const slow = effect === "slow_failure";
      breaker.fail(settings, now, { slow, trial: permit, ...(fingerprint === undefined ? {} : { fingerprint }) });
    } else {
      breaker.settle(permit, effect, settings, now, fingerprint);
    }
    this.#health.keyPool(deployment.provider).report(key, this.#keyEffect(failure), now, failure.retryAfterMs);
    // A refused call used nothing of the limit; if one that was cut did, the provider's 429 will say so.
    key.release(now, live.committed ? null : 0);
    return true;
  }

  /** A fast error is no quick answer: to the latencies it is a call that took its whole limit. After the commit it was quick. */
  #countAsSlow(call: LiveCall, now: number): void {
    if (call.committed || isProbe(call)) return;
    const mean = this.#input.stream ? call.pace.firstToken : call.pace.answer;
    mean.record(Math.max(call.firstTokenMs, now - call.startedAt), now);
  }

  /** The session's next turn goes to the deployment that answers this one. */
  #remember(deploymentId: string): void {
    const { affinity } = this.#input;
    if (affinity !== undefined && affinity !== null) this.#health.affinity.remember(affinity, deploymentId);
  }

  /** Whatever the failure is: a Retry-After longer than anybody waits for means not to ask until then. */
  #keyEffect(failure: Failure): KeyEffect {
    const effect = keyEffect(failure);
    const { patienceMs } = this.#input.settings;
    return effect === "none" && (failure.retryAfterMs ?? 0) > patienceMs ? "wait" : effect;
  }

  /** The client's own shorter limit came before the first-token limit: the deployment did not get its time. */
  #isClientsTimer(call: LiveCall, failure: Failure): boolean {
    const { clientShortened, deadlineAt } = this.#input;
    if (!clientShortened || failure.class !== "first_token_timeout") return false;
    return call.startedAt + call.firstTokenMs > deadlineAt;
  }
}

/** It is no turn of the session and no measure of how the deployment answers this request: only its breaker and its key learn of it. */
function isProbe({ kind }: LiveCall): boolean {
  return kind === "continuation_probe";
}

function resultOf(call: LiveCall): "success" | "slow" {
  return call.late ? "slow" : "success";
}

/** The live call behind a call, marked as ended; null when it ended before. */
function endOf(call: Call): LiveCall | null {
  if (!(call instanceof LiveCall) || call.ended) return null;
  call.ended = true;
  call.pace.inFlight -= 1;
  return call;
}

/** How long a deployment takes to what a request waits for: a stream's first content, or a whole answer. */
export function usualTimes(input: CourseInput, health: Health, deploymentId: string): LatencyWindow {
  return input.stream ? health.latency(deploymentId) : health.answerTime(deploymentId);
}
