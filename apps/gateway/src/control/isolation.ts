import type { Deployment } from "@tuloy/contract";
import type { Health } from "@tuloy/routing";

import type { LiveConfig } from "../config/live.ts";
import type { Isolated, IsolationFile } from "./isolation-file.ts";

/**
 * What a person has taken out of use: a provider, one of its models, or one deployment. It is kept by name, so it holds for
 * what a changed configuration adds under that name, and in a file, so it holds after a restart.
 */
export class Isolation {
  readonly #config: LiveConfig;
  readonly #file: IsolationFile;
  readonly #healths: Set<Health>;
  #isolated: readonly Isolated[];

  constructor(config: LiveConfig, health: Health, file: IsolationFile) {
    this.#config = config;
    this.#file = file;
    this.#healths = new Set([health]);
    this.#isolated = file.read();
    if (this.#isolated.length > 0) this.#apply();
    config.onChange(() => this.#apply());
  }

  get list(): readonly Isolated[] {
    return this.#isolated;
  }

  /** What isolates a deployment, or null. */
  of(deployment: Deployment): Isolated | null {
    return this.#isolated.find(({ target }) => covers(target, deployment)) ?? null;
  }

  /** The deployments of the current configuration that a target means. */
  deploymentsOf(target: string): readonly Deployment[] {
    return this.#deployments().filter((deployment) => covers(target, deployment));
  }

  /** Holds for the next attempt on. @returns why it could not be kept in its file, or null */
  isolate(isolated: Isolated): string | null {
    return this.#replace([...this.#isolated.filter(({ target }) => target !== isolated.target), isolated]);
  }

  /** As `isolate`. */
  restore(restored: string): string | null {
    return this.#replace(this.#isolated.filter(({ target }) => target !== restored));
  }

  /** Holds for other state too, such as a drill's. @returns what ends that */
  alsoFor(health: Health): () => void {
    this.#healths.add(health);
    this.#apply();
    return () => void this.#healths.delete(health);
  }

  #replace(next: readonly Isolated[]): string | null {
    this.#isolated = next;
    this.#apply();
    return this.#file.write(next);
  }

  #apply(): void {
    for (const deployment of this.#deployments()) {
      const isolated = this.of(deployment) !== null;
      for (const health of this.#healths) {
        const breaker = health.breaker(deployment.id);
        if (isolated && !breaker.isIsolated) breaker.isolate();
        else if (!isolated && breaker.isIsolated) breaker.restore();
      }
    }
  }

  #deployments(): Deployment[] {
    return [...this.#config.current.models.values()].flatMap(({ deployments }) => deployments);
  }
}

function covers(target: string, { id, provider, model }: Deployment): boolean {
  return target === provider || target === id || target === `${provider}/${model}`;
}
