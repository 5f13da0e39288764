import type { AttemptRecord, Trace } from "@tuloy/contract";

import { failureEffects } from "./effects.ts";
import { meanDifference, Series, shareDifference, shareEstimate, type Estimate } from "./intervals.ts";

/**
 * What one arm of a route showed: the deployment that its requests were sent to first. Each figure has its 95% interval, or
 * is null where too little is known. Times in milliseconds, money in USD.
 */
export interface ArmResult {
  /** The deployment's id. */
  readonly arm: string;
  /** Requests whose first attempt went to it. */
  readonly requests: number;
  /** Requests that were meant for it but went elsewhere at once, since its breaker was open or no key was usable. */
  readonly passedOver: number;
  /** First attempts that failed in a way that is the deployment's, its key's or its account's. */
  readonly errors: number;
  /** First attempts that failed through the request itself, or whose client left: they speak for or against no arm. */
  readonly setAside: number;
  readonly errorShare: Estimate | null;
  /** Streams: from the attempt's start to its first content. */
  readonly firstTokenMs: Estimate | null;
  /** Good answers: from the attempt's start to its end. */
  readonly totalMs: Estimate | null;
  /** Good answers with a known price: what one cost. */
  readonly costUsd: Estimate | null;
  /** What all its first attempts cost together; null when no price is known. */
  readonly totalCostUsd: number | null;
  /** Good answers: output tokens a second, of a stream from its first content on. */
  readonly tokensPerSecond: Estimate | null;
}

/** One arm against the first one: its figure less the first one's. Null where too little is known. */
export interface ArmDifference {
  readonly arm: string;
  readonly against: string;
  readonly errorShare: Estimate | null;
  readonly firstTokenMs: Estimate | null;
  readonly totalMs: Estimate | null;
  readonly costUsd: Estimate | null;
  readonly tokensPerSecond: Estimate | null;
}

export interface Comparison {
  /** Most requests first. */
  readonly arms: readonly ArmResult[];
  /** Each further arm against the first. */
  readonly differences: readonly ArmDifference[];
}

/** An interval that leaves out zero: the arms differ by more than chance explains. */
export function isClear({ low, high }: Estimate): boolean {
  return low > 0 || high < 0;
}

class Arm {
  readonly #id: string;
  requests = 0;
  passedOver = 0;
  errors = 0;
  setAside = 0;
  readonly firstTokenMs = new Series();
  readonly totalMs = new Series();
  readonly costUsd = new Series();
  readonly tokensPerSecond = new Series();
  totalCostUsd: number | null = null;

  constructor(id: string) {
    this.#id = id;
  }

  add(attempt: AttemptRecord): void {
    this.requests += 1;
    if (attempt.cost_usd !== null) this.totalCostUsd = (this.totalCostUsd ?? 0) + attempt.cost_usd;
    if (attempt.first_token_ms !== null) this.firstTokenMs.add(attempt.first_token_ms - attempt.started_ms);
    if (attempt.failure !== null) {
      if (speaksAgainst(attempt)) this.errors += 1;
      else this.setAside += 1;
      return;
    }
    this.totalMs.add(attempt.ended_ms - attempt.started_ms);
    if (attempt.cost_usd !== null) this.costUsd.add(attempt.cost_usd);
    const writingMs = attempt.ended_ms - (attempt.first_token_ms ?? attempt.started_ms);
    const tokens = attempt.usage?.output_tokens ?? 0;
    if (tokens > 1 && writingMs > 0) this.tokensPerSecond.add((1000 * tokens) / writingMs);
  }

  get judged(): number {
    return this.requests - this.setAside;
  }

  result(): ArmResult {
    return {
      arm: this.#id,
      requests: this.requests,
      passedOver: this.passedOver,
      errors: this.errors,
      setAside: this.setAside,
      errorShare: shareEstimate(this.errors, this.judged),
      firstTokenMs: this.firstTokenMs.estimate(),
      totalMs: this.totalMs.estimate(),
      costUsd: this.costUsd.estimate(),
      totalCostUsd: this.totalCostUsd,
      tokensPerSecond: this.tokensPerSecond.estimate(),
    };
  }

  /** This one less the other. */
  against(other: Arm): ArmDifference {
    const mine = shareEstimate(this.errors, this.judged);
    const others = shareEstimate(other.errors, other.judged);
    return {
      arm: this.#id,
      against: other.#id,
      errorShare: mine && others && shareDifference(others, mine),
      firstTokenMs: meanDifference(other.firstTokenMs, this.firstTokenMs),
      totalMs: meanDifference(other.totalMs, this.totalMs),
      costUsd: meanDifference(other.costUsd, this.costUsd),
      tokensPerSecond: meanDifference(other.tokensPerSecond, this.tokensPerSecond),
    };
  }
}

/** As the breaker and the key pool judge it: what counts against neither says nothing about the arm. */
function speaksAgainst({ failure }: AttemptRecord): boolean {
  if (failure === null) return false;
  const { breaker, key } = failureEffects[failure];
  return breaker !== "none" || key !== "none";
}

/**
 * Compares the arms of a route by what its requests showed. A request belongs to the deployment that its first attempt went
 * to, and only that attempt is looked at: what a backup did afterwards is neither its merit nor its fault. A request that was
 * meant for another deployment but passed it over belongs to none: it would bring an outage's traffic into the comparison.
 */
export class ArmComparison {
  readonly #arms = new Map<string, Arm>();

  add({ candidates, attempts }: Pick<Trace, "candidates" | "attempts">): void {
    const [planned] = candidates;
    const [first] = attempts;
    if (planned === undefined || first === undefined) return;
    let arm = this.#arms.get(planned);
    if (arm === undefined) this.#arms.set(planned, (arm = new Arm(planned)));
    if (first.deployment === planned) arm.add(first);
    else arm.passedOver += 1;
  }

  result(): Comparison {
    const ordered = [...this.#arms]
      .sort(([a, one], [b, other]) => other.requests - one.requests || (a < b ? -1 : 1))
      .map(([, arm]) => arm);
    const [reference, ...others] = ordered;
    return {
      arms: ordered.map((arm) => arm.result()),
      differences: reference ? others.map((arm) => arm.against(reference)) : [],
    };
  }
}
