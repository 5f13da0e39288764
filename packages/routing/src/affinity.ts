/** Sessions that are remembered; the one that was longest unused makes way for a new one. About 200 bytes each. */
const defaultCapacity = 16_384;

/** Which deployment answered a session last, so that its next turn finds the prompt cache warm. Bounded. */
export class Affinity {
  readonly #capacity: number;
  /** In order of use: a Map keeps the order in which keys were set. */
  readonly #deployments = new Map<string, string>();

  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#deployments.size;
  }

  /** @param session with whom it belongs to and its model: a session of one tenant never meets another's */
  deploymentOf(session: string): string | null {
    return this.#deployments.get(session) ?? null;
  }

  remember(session: string, deploymentId: string): void {
    this.#deployments.delete(session);
    this.#deployments.set(session, deploymentId);
    if (this.#deployments.size <= this.#capacity) return;
    for (const oldest of this.#deployments.keys()) {
      this.#deployments.delete(oldest);
      return;
    }
  }
}
