import type { Clock, Retention } from "@tuloy/contract";
import type { ClaimResult, IdempotencyRecords } from "@tuloy/store";

import type { Principal } from "../config/key-ring.ts";
import type { Seal } from "../secrets/seal.ts";
import { Claim } from "./claim.ts";
import { readKept, type KeptAnswer } from "./kept-answer.ts";
import { Patience, type Stored } from "./patience.ts";

/**
 * A claim outlives its request's deadline by this much, in milliseconds: the deadline's clock starts a little later, and what
 * was answered at the last moment is still to be kept.
 */
const leaseMarginMs = 5000;

/** When a request that is under way should be asked about again: after as long as it has taken, within these. Milliseconds. */
const shortestRetryMs = 500;
const longestRetryMs = 10_000;

/** A request with an idempotency key. */
export interface Asking {
  readonly principal: Principal;
  /** What is asked, on which path: the same key elsewhere is another key. */
  readonly endpoint: string;
  readonly key: string;
  readonly body: Buffer;
  /** The request's trace id. */
  readonly holder: string;
  /** How long it may take, in milliseconds. */
  readonly deadlineMs: number;
  readonly retention: Retention;
}

/** What becomes of a request with an idempotency key. `from` is the trace id of the one that was answered before. */
export type Claiming =
  | { readonly kind: "claimed"; readonly claim: Claim }
  | { readonly kind: "replay"; readonly answer: KeptAnswer; readonly from: string }
  | { readonly kind: "unavailable"; readonly from: string }
  | { readonly kind: "mismatch" }
  | { readonly kind: "in_flight"; readonly retryAfterMs: number };

export interface ClaimsParts {
  readonly records: IdempotencyRecords;
  readonly seal: Seal;
  readonly clock: Clock;
  /** Told once for each period in which the store cannot be used; `message` is for an operator. */
  readonly onTrouble: (message: string) => void;
}

/** A key that a request of this process has. */
interface Current {
  /** The trace id of the request that has it. */
  readonly holder: string;
  readonly asked: string;
  /** By the clock. */
  readonly since: number;
  /** While the key is being claimed or released: settles when it is clear who has it. */
  moving: Promise<void> | null;
}

/**
 * The idempotency keys in use. Those of requests under way in this process are held here too, so that duplicates are told
 * apart without the store, and also when the store is in trouble: then requests go on, and the answer says that it was not
 * kept.
 */
export class Claims {
  readonly #parts: ClaimsParts;
  readonly #current = new Map<string, Current>();
  readonly #patience: Patience;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
    this.#patience = new Patience(parts.clock, parts.onTrouble);
  }

  async claim(asking: Asking): Promise<Claiming> {
    const { seal, clock, records } = this.#parts;
    const { principal, endpoint, key, body, holder, deadlineMs } = asking;
    const tenant = [principal.organization, principal.workspace, principal.environment];
    const id = seal.digest([...tenant, endpoint, key]);
    const asked = seal.digest([endpoint], body);
    for (let current = this.#current.get(id); current !== undefined; current = this.#current.get(id)) {
      if (current.moving === null) return current.asked === asked ? this.#inFlight(current) : { kind: "mismatch" };
      await current.moving;
    }

    const { promise: moving, resolve: moved } = Promise.withResolvers<void>();
    const current: Current = { holder, asked, since: clock.now(), moving };
    this.#current.set(id, current);
    const now = clock.wall();
    const result = await this.patiently(
      records.claim({ id, asked, holder, now, until: now + deadlineMs + leaseMarginMs }),
    );
    current.moving = null;
    const mine = !result.ok || result.value.kind === "claimed";
    if (!mine) this.#current.delete(id);
    moved();
    if (result.ok && result.value.kind !== "claimed") return this.#standing(result.value, id, tenant);
    const claim = new Claim({
      ...this.#parts,
      claims: this,
      id,
      asked,
      holder,
      tenant,
      retention: asking.retention,
      trouble: result.ok ? null : result.message,
    });
    return { kind: "claimed", claim };
  }

  /** The key is answered for: nobody executes under it any more. */
  settled(id: string, holder: string): void {
    if (this.#current.get(id)?.holder === holder) this.#current.delete(id);
  }

  /** Frees a key, unless another request has it by now. Requests that want it meanwhile wait until it is clear that they can have it. */
  async release(id: string, holder: string): Promise<void> {
    const current = this.#current.get(id);
    if (current?.holder !== holder) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    current.moving = promise;
    await this.patiently(this.#parts.records.release(id, holder));
    this.#current.delete(id);
    resolve();
  }

  /** The outcome of an operation on the store, or that it takes too long. */
  patiently<T>(operation: Promise<T>): Promise<Stored<T>> {
    return this.#patience.await(operation);
  }

  #inFlight({ since }: Current): Claiming {
    const running = this.#parts.clock.now() - since;
    return { kind: "in_flight", retryAfterMs: Math.min(Math.max(running, shortestRetryMs), longestRetryMs) };
  }

  /** What a key means that some other request had before, or has in another process. */
  #standing(result: Exclude<ClaimResult, { kind: "claimed" }>, id: string, tenant: readonly string[]): Claiming {
    switch (result.kind) {
      case "mismatch":
        return { kind: "mismatch" };
      case "in_flight": {
        const left = result.until - this.#parts.clock.wall();
        return { kind: "in_flight", retryAfterMs: Math.min(Math.max(left, shortestRetryMs), longestRetryMs) };
      }
      case "spent":
        return { kind: "unavailable", from: result.holder };
      case "stored": {
        const opened = this.#parts.seal.open(result.content, [...tenant, id]);
        const answer = opened === null ? null : readKept(opened);
        // Kept under another master key. Executing it again would be double work, which the key is there to prevent.
        if (answer === null) return { kind: "unavailable", from: result.holder };
        return { kind: "replay", answer, from: result.holder };
      }
    }
  }
}
