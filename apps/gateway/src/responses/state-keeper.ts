import type { ResponsePlace } from "@tuloy/store";

import type { Principal } from "../config/key-ring.ts";
import type { AnswerKeeper } from "../http/client-reply.ts";
import type { ResponsePlaces } from "./places.ts";

/** Records who keeps an answer before its client can know that it has all of it. */
export class StateKeeper implements AnswerKeeper {
  readonly #places: ResponsePlaces;
  readonly #principal: Principal;
  readonly #place: ResponsePlace;
  /** What is kept, known once the answer is whole. */
  readonly #ids: () => readonly string[];
  #dropped = false;

  constructor(places: ResponsePlaces, principal: Principal, place: ResponsePlace, ids: () => readonly string[]) {
    this.#places = places;
    this.#principal = principal;
    this.#place = place;
    this.#ids = ids;
  }

  begin(): void {}

  take(): void {}

  async keep(): Promise<boolean> {
    const ids = this.#dropped ? nothing : this.#ids();
    return ids.length === 0 || (await this.#places.keep(this.#principal, ids, this.#place));
  }

  /** Several deployments have a part in the answer: nobody keeps it whole. */
  drop(): void {
    this.#dropped = true;
  }
}

const nothing: readonly string[] = [];
