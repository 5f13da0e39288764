/** How many sessions are remembered at least. About 200 bytes each, and twice as many at most. */
const defaultCapacity = 8192;

/**
 * Which deployment answered a session last, so that its next turn finds the prompt cache warm. Bounded: a generation of
 * sessions fills up, becomes the old one, and is forgotten with those that were not seen again when the next is full.
 */
export class Affinity {
  readonly #capacity: number;
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
  }

  /** How many places are taken. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** @param session with whom it belongs to and its model: a session of one tenant never meets another's */
  deploymentOf(session: string): string | null {
    return this.#young.get(session) ?? this.#old.get(session) ?? null;
  }

  remember(session: string, deploymentId: string): void {
    this.#young.set(session, deploymentId);
    if (this.#young.size < this.#capacity) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
