import type { Clock } from "@tuloy/contract";
import type { ResponsePlace, ResponseRecords } from "@tuloy/store";

import type { Principal } from "../config/key-ring.ts";
import { Patience, type Stored } from "../idempotency/patience.ts";
import type { Seal } from "../secrets/seal.ts";

/** How long providers keep a response (https://platform.openai.com/docs/guides/your-data): 30 days, in milliseconds. */
const keptMs = 30 * 24 * 3_600_000;

export interface ResponsePlacesParts {
  readonly records: ResponseRecords;
  /** Of the ids: the store sees digests. */
  readonly seal: Seal;
  readonly clock: Clock;
  /** Told once for each period in which the store cannot be used; `message` is for an operator. */
  readonly onTrouble: (message: string) => void;
}

/**
 * Which provider keeps which response, for each environment by itself: an id that was given to one means nothing to another.
 */
export class ResponsePlaces {
  readonly #parts: ResponsePlacesParts;
  readonly #patience: Patience;

  constructor(parts: ResponsePlacesParts) {
    this.#parts = parts;
    this.#patience = new Patience(parts.clock, parts.onTrouble);
  }

  find(principal: Principal, id: string): Promise<Stored<ResponsePlace | null>> {
    const { records, clock } = this.#parts;
    return this.#patience.await(records.find(this.#digest(principal, id), clock.wall()));
  }

  /** When it resolves, the ids are known, or the store is in trouble. */
  async keep(principal: Principal, ids: readonly string[], place: ResponsePlace): Promise<boolean> {
    const { records, clock } = this.#parts;
    const until = clock.wall() + keptMs;
    const digests = ids.map((id) => this.#digest(principal, id));
    const stored = await this.#patience.await(records.keep({ ids: digests, place, until }));
    return stored.ok;
  }

  async forget(principal: Principal, id: string): Promise<void> {
    await this.#patience.await(this.#parts.records.forget(this.#digest(principal, id)));
  }

  /**
   * Whether a conversation is this environment's: the first that goes on with it has it from then on, until it has not gone on with it
   * for as long as a response is kept.
   */
  claim({ organization, workspace, environment }: Principal, conversation: string): Promise<Stored<boolean>> {
    const { records, seal, clock } = this.#parts;
    const now = clock.wall();
    const id = seal.digest(["conversation", conversation]);
    const owner = seal.digest(["owner", organization, workspace, environment]);
    return this.#patience.await(records.claim({ id, owner, now, until: now + keptMs }));
  }

  #digest({ organization, workspace, environment }: Principal, id: string): string {
    return this.#parts.seal.digest([organization, workspace, environment, id]);
  }
}
