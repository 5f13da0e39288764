import type { AttemptKind, Deployment, Failure, FailureClass } from "@tuloy/contract";

import type { Call } from "./attempt.ts";
import type { Course } from "./course.ts";
import { failureEffects } from "./effects.ts";
import type { Health } from "./health.ts";

/** Calls that completing may make, beyond the attempts that the request had. */
const allowance = 2;

/** How a deployment can be asked to go on. `unknown`: a small request first finds out. */
export type ContinuationSkill = "exact" | "unknown" | "none";

/** What can be done with what was sent so far; it changes with what a completing stream adds. */
export interface CompletionModes {
  readonly exact: boolean;
  readonly replay: boolean;
  /** Only reasoning was sent: it is answered again, and nothing is compared. */
  readonly anew: boolean;
  readonly soft: boolean;
  /** Why it can't be continued; empty when it can. */
  readonly why: string;
}

export interface CompletionInput {
  /** All that the plan names, in its order: what stands in for the model that was asked for has twins too. */
  readonly planned: readonly Deployment[];
  /** By whom the stream was sent that broke. Only its model completes. */
  readonly from: Deployment;
  readonly failure: Failure;
  /** `on_partial: continue-soft`. */
  readonly softAllowed: boolean;
  /** What the deployment's provider can do, before anything was found out about it. */
  readonly skillOf: (deployment: Deployment) => ContinuationSkill;
}

/** What to do next to complete a stream. */
export type CompletionStep =
  | { readonly do: "probe" | "exact" | "replay" | "anew" | "soft"; readonly call: Call }
  /** It stays broken; the reason in words. */
  | { readonly do: "stop"; readonly why: string };

type Mode = Exclude<CompletionStep["do"], "stop">;
type CompletingMode = Exclude<Mode, "probe">;

const kinds: Readonly<Record<Mode, AttemptKind>> = {
  probe: "continuation_probe",
  exact: "continuation",
  replay: "replay",
  anew: "replay",
  soft: "soft_continuation",
};

/**
 * The mid-stream law for one request, as a state machine: the caller asks `next`, makes the call, reports what became of it to
 * the course and here, and asks again.
 *
 * In order: a deployment that goes on exactly; a replay, once; where the route allows it, a soft continuation. Within each, the
 * plan's order, with the deployment that broke last. Only the same model completes. At most two calls, probes aside; breakers,
 * keys, the retry budget and the deadline hold as ever.
 */
export class Completion {
  readonly #input: CompletionInput;
  readonly #course: Course;
  readonly #health: Health;
  readonly #order: readonly Deployment[];
  /** What each deployment was asked in vain. */
  readonly #spent = new Set<string>();
  #made = 0;
  #probed = false;
  #replayed = false;
  /** Nothing further is done; why. */
  #over: string | null;

  constructor(input: CompletionInput, course: Course, health: Health) {
    this.#input = input;
    this.#course = course;
    this.#health = health;
    this.#order = orderOf(input, course);
    this.#over = goesOn(input.failure.class) ? null : "no other deployment may be asked after that";
  }

  /** What to do now, with what was sent so far. */
  next(modes: CompletionModes, now: number): CompletionStep {
    if (this.#over !== null) return { do: "stop", why: this.#over };
    if (!modes.replay && !modes.anew) return { do: "stop", why: modes.why };
    if (this.#made >= allowance)
      return { do: "stop", why: `the ${allowance} calls that may complete an answer are used up` };
    const call =
      (modes.exact ? this.#exact(now) : null) ??
      this.#again(modes, now) ??
      (modes.soft && this.#input.softAllowed ? this.#first("soft", () => true, now) : null);
    return call ?? { do: "stop", why: this.#words(modes) };
  }

  /**
   * Whether another call could be made if the running one were cut at its first-token limit. When not, it must not be cut: waiting
   * is better than failing. A probe is none: it completes nothing.
   */
  canMoveOn(running: Call, modes: CompletionModes, now: number): boolean {
    if (this.#over !== null || this.#made >= allowance) return false;
    return this.#order.some((deployment) => {
      // A server that did not answer in one mode is not asked in another.
      if (deployment === running.deployment) return false;
      const could = (mode: CompletingMode): boolean =>
        this.#mayAsk(mode, deployment) && this.#course.couldComplete(deployment, kinds[mode], now);
      if (modes.exact && this.#skill(deployment, now) === "exact" && could("exact")) return true;
      if (!this.#replayed && (modes.replay || modes.anew) && could(modes.anew ? "anew" : "replay")) return true;
      return modes.soft && this.#input.softAllowed && could("soft");
    });
  }

  /** The call did not complete the answer. A 400 against the prefix, or a prefix that was ignored, is remembered of the deployment. */
  failed(step: Exclude<CompletionStep, { do: "stop" }>, failure: Failure, now: number): void {
    const { deployment } = step.call;
    this.#spent.add(`${step.do} ${deployment.id}`);
    // What is wrong with the server is wrong in every mode; what does not fit in one mode may fit in another.
    const aboutTheForm = failure.class === "invalid_request" || failure.class === "cancelled";
    if (!aboutTheForm) this.#spent.add(deployment.id);
    if (!goesOn(failure.class) && !aboutTheForm) this.#over = "no other deployment may be asked after that";
    if (step.do === "exact" && aboutTheForm) this.#health.continuations.learn(deployment.id, false, now);
  }

  /** A probe's result. */
  probed(step: Exclude<CompletionStep, { do: "stop" }>, continues: boolean, now: number): void {
    this.#health.continuations.learn(step.call.deployment.id, continues, now);
  }

  /** What the deployment can do, as far as is known now. */
  #skill(deployment: Deployment, now: number): ContinuationSkill {
    const skill = this.#input.skillOf(deployment);
    if (skill === "none") return skill;
    const known = this.#health.continuations.known(deployment.id, now);
    return known === null ? skill : known ? "exact" : "none";
  }

  #exact(now: number): CompletionStep | null {
    const exact = this.#first("exact", (deployment) => this.#skill(deployment, now) === "exact", now);
    if (exact !== null || this.#probed) return exact;
    // The one that just broke is no place to find things out, unless there is no other.
    const probe = this.#first(
      "probe",
      (deployment) =>
        (deployment !== this.#input.from || this.#order.length === 1) && this.#skill(deployment, now) === "unknown",
      now,
    );
    if (probe !== null) this.#probed = true;
    return probe;
  }

  #again({ replay, anew }: CompletionModes, now: number): CompletionStep | null {
    if (this.#replayed || (!replay && !anew)) return null;
    const call = this.#first(anew ? "anew" : "replay", () => true, now);
    if (call !== null) this.#replayed = true;
    return call;
  }

  #first(mode: Mode, fits: (deployment: Deployment) => boolean, now: number): CompletionStep | null {
    for (const deployment of this.#order) {
      if (!this.#mayAsk(mode, deployment) || !fits(deployment)) continue;
      const call = this.#course.callToComplete(deployment, kinds[mode], now);
      if (call === null) continue;
      if (mode !== "probe") this.#made++;
      return { do: mode, call };
    }
    return null;
  }

  #mayAsk(mode: Mode, { id }: Deployment): boolean {
    return !this.#spent.has(id) && !this.#spent.has(`${mode} ${id}`);
  }

  #words({ exact, why }: CompletionModes): string {
    if (this.#order.length === 0) return "no other deployment of the model may be asked";
    if (this.#made > 0) return "nobody else could complete it";
    return exact ? "no deployment can take a call now" : `no deployment can take a call now, and ${why}`;
  }
}

/** A filter's word is final, and what is wrong with the request is wrong everywhere. */
function goesOn(failureClass: FailureClass): boolean {
  const { next } = failureEffects[failureClass];
  return next === "next" || next === "next_or_retry";
}

/**
 * The plan's order without those that failed this request before, and with the one that broke last: it began the answer, so no
 * lock and no wish against failover stands against it. Not after a stall, which would only stall again.
 */
function orderOf({ planned, from, failure }: CompletionInput, course: Course): Deployment[] {
  const order = planned.filter(
    (deployment) => deployment !== from && deployment.model === from.model && !course.hasFailed(deployment),
  );
  if (failure.class !== "stall") order.push(from);
  return order;
}
