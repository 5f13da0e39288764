import { formatDuration } from "@tuloy/contract";
import type { Deployment } from "@tuloy/contract";

import { demandOf } from "./attempt.ts";
import type { Call, CourseInput } from "./attempt.ts";
import type { Health } from "./health.ts";
import type { LiveCall } from "./live-call.ts";
import { usualTimes, type Settlement } from "./settlement.ts";

/** What to do while calls are running: make one more beside them, do nothing until something happens, or end them all. */
export type Beside =
  | { readonly do: "call"; readonly call: Call }
  /** A call ends, its limit passes, or (not null) so many milliseconds go by: then ask again. */
  | { readonly do: "await"; readonly ms: number | null }
  | { readonly do: "stop" };

/** What the course does for a race: whom to call, and what that costs, is the same law as for calls one after the other. */
export interface RaceMoves {
  stopped(): boolean;
  /** Whether the request may make another call at all. */
  allowed(now: number): boolean;
  /** @param model only to a deployment of this model */
  canMoveOn(now: number, model?: string): boolean;
  isUntried(deployment: Deployment): boolean;
  /** A call to the next untried twin of the one that runs, or null. */
  next(now: number, running: Deployment): Call | null;
  /** A call to this deployment, or null. */
  hedge(to: Deployment, now: number): Call | null;
}

const awaitEnd: Beside = { do: "await", ms: null };

/** Whether a request may ever have two calls at a time: by its route, by its lock, and by what there is to call. */
export function mayRace({ settings, plan, locked }: CourseInput): boolean {
  if (settings.hedge === null && settings.onLimit === "next") return false;
  return settings.attempts > 1 && plan.candidates.length > 1 && locked !== true;
}

/**
 * The law of two calls side by side, two at most. A second one begins beside a call that passed its limit (a race), or that has not
 * answered for a while (a hedge). The first to answer wins; when one fails, the other is waited for.
 */
export class Race {
  readonly #input: CourseInput;
  readonly #health: Health;
  readonly #settlement: Settlement;
  readonly #moves: RaceMoves;
  readonly #notes: string[] = [];
  #older: LiveCall | null = null;
  #newer: LiveCall | null = null;
  /** When the call began that ended last. */
  #lastEndedFrom = 0;
  #over = false;

  constructor(input: CourseInput, health: Health, settlement: Settlement, moves: RaceMoves) {
    this.#input = input;
    this.#health = health;
    this.#settlement = settlement;
    this.#moves = moves;
  }

  /** Who won by what, and which hedge could not be made, in words, for the trace. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  /** The running call when there is exactly one. */
  get alone(): LiveCall | null {
    return this.#newer === null ? this.#older : null;
  }

  started(call: LiveCall, now: number): void {
    if (this.#over) return;
    if (this.#older === null) this.#older = call;
    else this.#newer = call;
    call.hedgeAt = this.#hedgeAt(call, now);
  }

  ended(call: Call): void {
    this.#lastEndedFrom = call.startedAt;
    if (call === this.#older) {
      this.#older = this.#newer;
      this.#newer = null;
    } else if (call === this.#newer) {
      this.#newer = null;
    }
  }

  /**
   * The first content of a running call is here, and held back until its answer is whole (`on_partial: hold`). It still has to win,
   * but it is not slow: nobody is called beside it, or every held stream would be sent twice.
   */
  answers(call: Call): void {
    if (this.#older !== null && call === this.#older) this.#older.answering = true;
    else if (this.#newer !== null && call === this.#newer) this.#newer.answering = true;
  }

  /** What to do now, while calls are running. Call it again after each call that it gave. */
  beside(now: number): Beside {
    const { alone } = this;
    // What a call says of the request ends what began after it. An older call was asked before anybody knew, and may answer.
    if (this.#moves.stopped()) {
      return alone !== null && alone.startedAt < this.#lastEndedFrom ? awaitEnd : { do: "stop" };
    }
    if (alone === null || alone.answering || !this.#moves.allowed(now)) return awaitEnd;
    const leftMs = alone.hedgeAt - now;
    if (!alone.slow && leftMs > 0) return leftMs === Infinity ? awaitEnd : { do: "await", ms: leftMs };
    const call = alone.slow ? this.#moves.next(now, alone.deployment) : this.#hedge(alone, now);
    return call === null ? awaitEnd : { do: "call", call };
  }

  /**
   * The limit of a running call has passed. Ask `beside` afterwards.
   * @returns the call to cut with a `first_token_timeout`: this one, or the older of two. Null: none; this one is noted as slow.
   */
  limitPassed(call: Call, now: number): Call | null {
    const other = call === this.#older ? this.#newer : this.#older;
    const mayRace = this.#moves.canMoveOn(now, call.deployment.model);
    if (other === null) {
      const cut = this.#moves.canMoveOn(now) && !(this.#input.settings.onLimit === "race" && mayRace);
      if (!cut) this.#settlement.slow(call, now);
      return cut ? call : null;
    }
    // The other one still has time, and two are enough. When both are late, the older makes room.
    this.#settlement.slow(call, now);
    return other.slow && !other.answering && mayRace ? (other.startedAt < call.startedAt ? other : call) : null;
  }

  /**
   * This call's answer is the one: its first content or, not streamed, all of it is here. Any other has lost: its key and permit
   * are free, its connection is to be closed. No other is called beside the winner.
   */
  won(call: Call, now: number): void {
    const other = call === this.#older ? this.#newer : this.#older;
    if (other !== null) this.#notes.push(this.#words(call, other, now));
    this.ended(call);
    this.#over = true;
    this.abandon(now);
  }

  /** Nothing more comes of the running calls: another won, or `beside` said stop. */
  abandon(now: number): void {
    if (this.#older !== null) this.#settlement.lost(this.#older, now);
    if (this.#newer !== null) this.#settlement.lost(this.#newer, now);
    this.#older = null;
    this.#newer = null;
  }

  #hedge(alone: LiveCall, now: number): Call | null {
    // Once a call: when it cannot be now, asking again would need a timer that nobody can set.
    alone.hedgeAt = Infinity;
    const target = this.#hedgeTarget(alone, now);
    if (target !== null && this.#health.retryBudget.tryRetry(now)) return this.#moves.hedge(target, now);
    const why =
      target === null
        ? "no other deployment with a closed breaker has a key with room"
        : "the process's retry budget is spent";
    this.#notes.push(`no hedge beside ${alone.deployment.id}: ${why}`);
    return null;
  }

  /** An untried twin whose breaker is closed and that has a key with room: a hedge is a wish, so it tests no breaker and strains no key. */
  #hedgeTarget(alone: LiveCall, now: number): Deployment | null {
    const demand = demandOf(this.#input);
    const target = this.#input.plan.candidates.find(
      (deployment) =>
        deployment.model === alone.deployment.model &&
        this.#moves.isUntried(deployment) &&
        this.#health.breaker(deployment.id).isClosed &&
        this.#health.keyPool(deployment.provider).usable(deployment.id, now, demand),
    );
    return target ?? null;
  }

  /**
   * A trial gets no hedge: it is there to learn whether its deployment is well, has half the time for that, and with a quicker twin
   * beside it would end without a verdict, again and again. A last resort has no better twin.
   */
  #hedgeAt(call: LiveCall, now: number): number {
    const { settings, deadlineAt } = this.#input;
    if (settings.hedge === null || call.permit.kind !== "closed") return Infinity;
    const delayMs =
      settings.hedge === "p95" ? usualTimes(this.#input, this.#health, call.deployment.id).p95(now) : settings.hedge;
    const at = now + (delayMs ?? Infinity);
    return at < deadlineAt ? at : Infinity;
  }

  #words(winner: Call, loser: Call, now: number): string {
    const [earlier, later] = winner.startedAt < loser.startedAt ? [winner, loser] : [loser, winner];
    const what = later.kind === "hedge" ? "hedge" : "race";
    const gap = formatDuration(later.startedAt - earlier.startedAt);
    const answer = this.#input.stream ? "had its first content" : "had its whole answer";
    const after = formatDuration(now - winner.startedAt);
    return `${what}: ${later.deployment.id} was called ${gap} after ${earlier.deployment.id}; ${winner.deployment.id} won, ${answer} ${after} after its start`;
  }
}
