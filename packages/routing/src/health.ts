import { Affinity } from "./affinity.ts";
import { Breaker } from "./breaker.ts";
import type { BreakerView } from "./breaker.ts";
import { Continuations } from "./continuations.ts";
import { LatencyWindow } from "./first-token.ts";
import { KeyPool } from "./key-pool.ts";
import type { KeyEvent } from "./key-pool.ts";
import { Pace } from "./pace.ts";
import { ProbeBudget } from "./probe-budget.ts";
import { ProbeState } from "./probe-state.ts";
import { RetryBudget } from "./retry-budget.ts";
import { Unspoken } from "./unspoken.ts";

export interface HealthOptions {
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** A deployment's breaker opened or closed. */
  readonly onBreakerChange?: (deploymentId: string, view: BreakerView) => void;
  readonly onKeyQuarantined?: KeyEvent;
  readonly onKeyRestored?: KeyEvent;
  /** Shared with another: what a server has no path for holds whatever is asked. Absent: its own. */
  readonly unspoken?: Unspoken;
}

/**
 * All that was learned from traffic and probes, in one place: breakers, latencies, load and probes by deployment id, keys
 * and the probes' money by provider name, sessions, and the retry budget of the process. Ids are stable, so it outlives configuration changes; everything is made on first use.
 */
export class Health {
  readonly retryBudget = new RetryBudget();
  readonly affinity = new Affinity();
  readonly continuations = new Continuations();
  readonly unspoken: Unspoken;
  readonly #options: HealthOptions;
  readonly #breakers = new Map<string, Breaker>();
  readonly #pools = new Map<string, KeyPool>();
  readonly #latencies = new Map<string, LatencyWindow>();
  readonly #probes = new Map<string, ProbeState>();
  readonly #probeBudgets = new Map<string, ProbeBudget>();
  readonly #answerTimes = new Map<string, LatencyWindow>();
  readonly #paces = new Map<string, Pace>();

  constructor(options: HealthOptions) {
    this.#options = options;
    this.unspoken = options.unspoken ?? new Unspoken();
  }

  breaker(deploymentId: string): Breaker {
    let breaker = this.#breakers.get(deploymentId);
    if (breaker === undefined) {
      breaker = new Breaker(this.#options.random, {
        onChange: (view) => this.#options.onBreakerChange?.(deploymentId, view),
      });
      this.#breakers.set(deploymentId, breaker);
    }
    return breaker;
  }

  /** Before its first `reconcile` a pool has the one implicit key of a provider without keys. */
  keyPool(provider: string): KeyPool {
    let pool = this.#pools.get(provider);
    if (pool === undefined) {
      const { random, onKeyQuarantined, onKeyRestored } = this.#options;
      pool = new KeyPool(provider, { random, onQuarantined: onKeyQuarantined, onRestored: onKeyRestored });
      this.#pools.set(provider, pool);
    }
    return pool;
  }

  /** The time to first token of streams. */
  latency(deploymentId: string): LatencyWindow {
    return windowOf(this.#latencies, deploymentId);
  }

  /** The time to a whole answer that is not streamed, from requests that hedge by it. */
  answerTime(deploymentId: string): LatencyWindow {
    return windowOf(this.#answerTimes, deploymentId);
  }

  /** @param now idle time counts from here when it was not known before */
  probe(deploymentId: string, now: number): ProbeState {
    let probe = this.#probes.get(deploymentId);
    if (probe === undefined) {
      probe = new ProbeState(this.#options.random, now);
      this.#probes.set(deploymentId, probe);
    }
    return probe;
  }

  probeBudget(provider: string): ProbeBudget {
    let budget = this.#probeBudgets.get(provider);
    if (budget === undefined) {
      budget = new ProbeBudget();
      this.#probeBudgets.set(provider, budget);
    }
    return budget;
  }

  pace(deploymentId: string): Pace {
    let pace = this.#paces.get(deploymentId);
    if (pace === undefined) {
      pace = new Pace();
      this.#paces.set(deploymentId, pace);
    }
    return pace;
  }
}

function windowOf(windows: Map<string, LatencyWindow>, deploymentId: string): LatencyWindow {
  let window = windows.get(deploymentId);
  if (window === undefined) {
    window = new LatencyWindow();
    windows.set(deploymentId, window);
  }
  return window;
}
