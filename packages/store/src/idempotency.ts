/**
 * The life of one idempotency key: `claimed` by a request while that is under way, then `stored` with its answer or `spent`
 * (answered, but the answer is not kept), until its time is over and it is free again. A failed request releases it.
 */
export interface ClaimRequest {
  /** Of the key within its tenant and endpoint. The store sees no key, only this digest of it. */
  readonly id: string;
  /** A digest of what is asked. */
  readonly asked: string;
  /** The request that wants the key. Unique; only it can finish or release its claim. */
  readonly holder: string;
  /** Milliseconds since 1970, as are all times here. */
  readonly now: number;
  /** When the claim ends by itself, should its process be gone by then. */
  readonly until: number;
}

export type ClaimResult =
  | { readonly kind: "claimed" }
  /** The key was used with something else. */
  | { readonly kind: "mismatch" }
  | { readonly kind: "in_flight"; readonly until: number }
  /** `holder` is the request that was answered so. */
  | { readonly kind: "stored"; readonly holder: string; readonly content: Uint8Array }
  | { readonly kind: "spent"; readonly holder: string };

export interface FinishRequest {
  readonly id: string;
  readonly asked: string;
  readonly holder: string;
  readonly now: number;
  /** Until when the answer is kept. */
  readonly until: number;
  /** The answer, in whatever form the caller reads it again; null to remember only that there was one. */
  readonly content: Uint8Array | null;
}

export interface SweepRequest {
  readonly now: number;
  /** Beyond so much content in all, the oldest is dropped: those keys are spent. */
  readonly maxBytes: number;
}

export interface SweepResult {
  /** Records whose time was over. At most `sweepRows` at a time: as many mean that there may be more. */
  readonly deleted: number;
  /** Answers that were dropped for want of room, once nothing is left to delete. At most `sweepRows` at a time, too. */
  readonly emptied: number;
}

/** How many records one sweep deletes, so that nothing waits long behind it. */
export const sweepRows = 500;

/**
 * What is remembered of requests with an idempotency key. One implementation per database; each passes the shared suite in
 * `idempotency-conformance.ts`. Every call is atomic, also against other processes on the same store, and rejects when the
 * store cannot be used; the error's message is one line for an operator.
 */
export interface IdempotencyRecords {
  /** Claims a key that is free, or says why it is not. Of several claims at once, exactly one gets it. */
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /**
   * Keeps an answer: when it resolves, the answer outlives a crash and a power cut.
   * @returns false when another request holds the key meanwhile; then nothing was changed
   */
  finish(request: FinishRequest): Promise<boolean>;
  /** Frees a key that this request has claimed and not finished. */
  release(id: string, holder: string): Promise<void>;
  sweep(request: SweepRequest): Promise<SweepResult>;
}
