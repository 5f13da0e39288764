import type { Clock, Timer } from "@tuloy/contract";
import { isStandby, type Health } from "@tuloy/routing";

import type { LiveConfig } from "../config/live.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { Observer } from "../observe/observer.ts";
import type { Outlet } from "../upstream/outlet.ts";
import { probeEstimateUsd, probeTokens, startProbe, type ProbeCall } from "./probe-call.ts";
import { probeTargets, type ProbeTarget } from "./probe-targets.ts";

/** How often it is looked at what is due. Short against the shortest open period (5 s less 20% jitter). */
const roundMs = 500;

export interface ProbesContext {
  readonly config: LiveConfig;
  readonly health: Health;
  readonly outlet: Outlet;
  readonly clock: Clock;
  readonly observer: Observer;
}

/**
 * Sends the smallest real requests in the background: to deployments that had no traffic for a while, so that what is known
 * of them is fresh when they are needed; and, as its trial, to one whose breaker opened after slow failures (timeouts,
 * stalls), since a real request would make a user wait for a guess. After a fast failure the trial is a real request, which
 * loses little if it fails; only where none comes is a probe the trial.
 */
export class Probes {
  readonly #context: ProbesContext;
  #targets: readonly ProbeTarget[];
  readonly #endListening: () => void;
  #timer: Timer | null = null;
  readonly #running = new Set<ProbeCall>();
  #stopped = false;

  constructor(context: ProbesContext) {
    this.#context = context;
    this.#targets = this.#take(context.config.current);
    this.#endListening = context.config.onChange((snapshot) => {
      this.#targets = this.#take(snapshot);
    });
  }

  /** From here on the idle time of what is new is counted. */
  #take(snapshot: Snapshot): readonly ProbeTarget[] {
    const { health, clock } = this.#context;
    const targets = probeTargets(snapshot);
    for (const { deployment } of targets) health.probe(deployment.id, clock.now());
    return targets;
  }

  start(): void {
    this.#timer = this.#context.clock.after(roundMs, () => {
      this.#round();
      if (!this.#stopped) this.start();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#endListening();
    for (const call of this.#running) call.cancel();
  }

  #round(): void {
    const { clock, observer } = this.#context;
    const now = clock.now();
    for (const target of this.#targets) {
      if (!this.#isDue(target, now)) continue;
      this.#probe(target, now).catch((error: unknown) => observer.fault("none", error));
    }
  }

  #isDue({ deployment, provider, twins }: ProbeTarget, now: number): boolean {
    const { health } = this.#context;
    const breaker = health.breaker(deployment.id);
    if (!health.probe(deployment.id, now).isDue(provider.probes, breaker, now)) return false;
    return provider.probes.targets === "all" || !breaker.isClosed || isStandby(health, deployment, twins, now);
  }

  async #probe(target: ProbeTarget, now: number): Promise<void> {
    const { health, clock, outlet, observer } = this.#context;
    const { deployment, provider } = target;
    const keys = health.keyPool(deployment.provider);
    const breaker = health.breaker(deployment.id);
    if (breaker.msUntilTrial(now) !== 0 || !keys.usable(deployment.id, now, { tokens: probeTokens })) return;
    const state = health.probe(deployment.id, now);
    const estimateUsd = Math.max(probeEstimateUsd(target), state.dearestUsd);
    if (!this.#pay(target, estimateUsd)) return;
    const permit = breaker.acquireForProbe(now);
    const key = permit === null ? null : keys.acquire(deployment.id, now, { tokens: probeTokens });
    if (permit === null || key === null) {
      if (permit !== null) breaker.settle(permit, "neutral", target.settings.breaker, now);
      health.probeBudget(provider.name).settle(estimateUsd, null, clock.wall());
      return;
    }
    const call = startProbe(
      target,
      { permit, key },
      { health, outlet, clock, fault: (error) => observer.fault("none", error) },
    );
    const wasUp = state.up;
    state.begin();
    this.#running.add(call);
    const { result, costUsd } = await call.done;
    this.#running.delete(call);
    health.probeBudget(provider.name).settle(estimateUsd, costUsd, clock.wall());
    state.end(result, costUsd, clock.now());
    observer.probed(deployment.id, result, result.up !== null && result.up !== (wasUp ?? true));
  }

  /** Takes the probe's cost from the provider's money for the day; tells once a day when there is none left. */
  #pay({ provider }: ProbeTarget, estimateUsd: number): boolean {
    const { health, clock, observer } = this.#context;
    const { dailyCostUsd } = provider.probes;
    const budget = health.probeBudget(provider.name);
    const wall = clock.wall();
    const told = budget.view(wall).exhausted;
    if (budget.reserve(estimateUsd, dailyCostUsd, wall)) return true;
    if (!told)
      observer.alert(
        "probe_budget_spent",
        provider.name,
        `The probes of ${provider.name} have spent the day's ${dailyCostUsd} USD: until midnight UTC only its traffic shows how it is. probes.daily_cost sets the limit.`,
      );
    return false;
  }
}
