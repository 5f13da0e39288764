import type { Snapshot } from "./snapshot.ts";

export type SnapshotListener = (next: Snapshot) => void;

/**
 * The configuration that holds now. A change swaps the whole snapshot at once; a request reads `current` once and keeps
 * what it got, so that it never sees half of one configuration and half of the next.
 */
export class LiveConfig {
  #current: Snapshot;
  readonly #listeners = new Set<SnapshotListener>();

  constructor(snapshot: Snapshot) {
    this.#current = snapshot;
  }

  get current(): Snapshot {
    return this.#current;
  }

  /** Holds for the next request on. Listeners are called after the swap, in the order in which they came. */
  replace(next: Snapshot): void {
    this.#current = next;
    for (const listener of this.#listeners) listener(next);
  }

  /** @returns what ends it */
  onChange(listener: SnapshotListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
