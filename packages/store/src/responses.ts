/** Where a response is kept by its provider. */
export interface ResponsePlace {
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** The name of the provider key that made it: other keys may belong to another account. */
  readonly key: string;
}

export interface KeepResponse {
  /** Of the response and of its items, within their tenant. The store sees no ids, only these digests of them. */
  readonly ids: readonly string[];
  readonly place: ResponsePlace;
  /** Until when the provider keeps it, in milliseconds since 1970. */
  readonly until: number;
}

export interface ClaimConversation {
  /** Of the conversation, the same for every tenant: a digest, as all ids here are. */
  readonly id: string;
  /** A digest too. */
  readonly owner: string;
  /** Milliseconds since 1970, as is `until`. */
  readonly now: number;
  /** Until when it is this owner's, unless the owner goes on with it again. */
  readonly until: number;
}

/** How many records one sweep deletes, so that nothing waits long behind it. */
export const responseSweepRows = 500;

/**
 * Which provider keeps which response. One implementation per database; each passes the shared suite in
 * `responses-conformance.ts`. Every call rejects when the store cannot be used; the error's message is one line for an operator.
 */
export interface ResponseRecords {
  /** When it resolves, the record outlives a crash and a power cut. An id that is known already is at the new place. */
  keep(request: KeepResponse): Promise<void>;
  /** @returns null for what was never kept, was forgotten, or whose time is over. `now` in milliseconds since 1970 */
  find(id: string, now: number): Promise<ResponsePlace | null>;
  forget(id: string): Promise<void>;
  /**
   * Makes a conversation its owner's if it is nobody's by then, and longer the owner's if it was before.
   * @returns whether it is that owner's, now or since earlier
   */
  claim(request: ClaimConversation): Promise<boolean>;
  /** Deletes responses and conversations whose time is over. @returns how many: `responseSweepRows` mean that there may be more */
  sweep(now: number): Promise<number>;
}
