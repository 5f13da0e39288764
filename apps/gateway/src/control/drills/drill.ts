import type { Clock, Deployment } from "@tuloy/contract";
import type { Health } from "@tuloy/routing";

import type { SandboxFault } from "../../sandbox/faults.ts";
import type { LaidFault } from "../../upstream/drills/drilled-outlet.ts";
import { isTarget, type DrillScope, type DrillTarget } from "./scope.ts";

/** Why a drill ended. */
export type DrillEnd = "time" | "stopped" | "shutdown";

export interface DrillParts {
  readonly id: string;
  readonly target: DrillTarget;
  readonly fault: SandboxFault;
  readonly scope: DrillScope;
  readonly forMs: number;
  readonly health: Health;
  readonly clock: Clock;
}

/** One simulated failure, from its start to its end. */
export class Drill implements LaidFault {
  readonly drillId: string;
  readonly target: DrillTarget;
  readonly fault: SandboxFault;
  readonly scope: DrillScope;
  readonly forMs: number;
  readonly health: Health;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  #ended: { readonly at: number; readonly because: DrillEnd } | null = null;
  #requests = 0;
  #calls = 0;
  readonly #heldUp = new Set<() => void>();

  constructor({ id, target, fault, scope, forMs, health, clock }: DrillParts) {
    this.drillId = id;
    this.target = target;
    this.fault = fault;
    this.scope = scope;
    this.forMs = forMs;
    this.health = health;
    this.clock = clock;
    this.startedAt = clock.wall();
  }

  /** When it ended and why; null while it is under way. Milliseconds since 1970. */
  get ended(): { readonly at: number; readonly because: DrillEnd } | null {
    return this.#ended;
  }

  /** Requests that ran with its state so far: those in its scope, and in that of no drill that was started before it. */
  get requests(): number {
    return this.#requests;
  }

  /** Calls that its fault was laid over so far. */
  get calls(): number {
    return this.#calls;
  }

  countRequest(): void {
    this.#requests += 1;
  }

  count(): void {
    this.#calls += 1;
  }

  takes(deployment: Deployment): boolean {
    return this.underWay && isTarget(this.target, deployment);
  }

  get underWay(): boolean {
    return this.#ended === null;
  }

  hold(letGo: () => void): () => void {
    this.#heldUp.add(letGo);
    return () => void this.#heldUp.delete(letGo);
  }

  /** Calls that it holds up are let go: none outlives it. */
  end(because: DrillEnd): void {
    if (this.#ended !== null) return;
    this.#ended = { at: this.clock.wall(), because };
    for (const letGo of this.#heldUp) letGo();
  }
}
