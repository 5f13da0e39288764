import type { OutgoingHttpHeaders } from "node:http";

import type { Clock, Retention } from "@tuloy/contract";
import type { IdempotencyRecords } from "@tuloy/store";

import type { AnswerKeeper } from "../http/client-reply.ts";
import type { Seal } from "../secrets/seal.ts";
import { keptHeaders, writeKept } from "./kept-answer.ts";
import type { Stored } from "./patience.ts";
import { maxKeptBytes, Recording } from "./recording.ts";

/** How long an answer is kept for its key: a day, in milliseconds. */
const keptMs = 24 * 3_600_000;

export interface ClaimParts {
  readonly records: IdempotencyRecords;
  readonly seal: Seal;
  readonly clock: Clock;
  /** Who holds the keys of this process. */
  readonly claims: {
    settled(id: string, holder: string): void;
    release(id: string, holder: string): Promise<void>;
    patiently<T>(operation: Promise<T>): Promise<Stored<T>>;
  };
  readonly id: string;
  readonly asked: string;
  readonly holder: string;
  readonly tenant: readonly string[];
  readonly retention: Retention;
  /** Why the store does not know of the claim; null when it does. */
  readonly trouble: string | null;
}

/** A request's hold on its idempotency key: records the answer as it is sent, and keeps it before its end is sent. */
export class Claim implements AnswerKeeper {
  readonly #parts: ClaimParts;
  readonly #recording: Recording | null;
  readonly #notes: string[] = [];
  #head: { readonly status: number; readonly headers: Record<string, string> } | null = null;
  #keeping: Promise<boolean> | null = null;
  #ending: Promise<readonly string[]> | null = null;
  /** A repetition is answered as promised. */
  #sure: boolean;

  constructor(parts: ClaimParts) {
    this.#parts = parts;
    this.#recording = parts.retention === "none" ? null : new Recording();
    this.#sure = parts.trouble === null;
    if (parts.trouble !== null) this.#notes.push(`the idempotency key could not be claimed: ${parts.trouble}`);
  }

  begin(status: number, headers: OutgoingHttpHeaders): void {
    this.#head ??= { status, headers: keptHeaders(headers) };
    if (!this.#sure) headers["x-tuloy-idempotency"] = "not-stored";
  }

  take(bytes: Buffer): void {
    this.#recording?.take(bytes);
  }

  keep(): Promise<boolean> {
    this.#keeping ??= this.#keep();
    return this.#keeping;
  }

  clientLeft(): void {
    this.#notes.push("the client went away; the answer is finished for its idempotency key");
  }

  /**
   * The request is over: a key whose answer was not kept, since there is none, is free again. Ending it once more does nothing.
   * @returns what the trace should say
   */
  end(): Promise<readonly string[]> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<readonly string[]> {
    const { claims, id, holder } = this.#parts;
    if (this.#keeping === null) await claims.release(id, holder);
    else await this.#keeping;
    return this.#notes;
  }

  async #keep(): Promise<boolean> {
    const { records, clock, claims, id, asked, holder } = this.#parts;
    const content = this.#content();
    const now = clock.wall();
    const stored = await claims.patiently(records.finish({ id, asked, holder, now, until: now + keptMs, content }));
    claims.settled(id, holder);
    this.#sure = stored.ok && stored.value && this.#recording?.tooLarge !== true;
    this.#notes.push(this.#whatWasKept(stored));
    return this.#sure;
  }

  #content(): Buffer | null {
    const recording = this.#recording;
    if (recording === null || recording.tooLarge || this.#head === null) return null;
    const { seal, tenant, id } = this.#parts;
    return seal.close(writeKept({ ...this.#head, body: recording.body }), [...tenant, id]);
  }

  #whatWasKept(stored: Stored<boolean>): string {
    if (!stored.ok) return `the answer could not be kept for its idempotency key: ${stored.message}`;
    if (!stored.value) return "the answer was not kept: another request has its idempotency key by now";
    if (this.#recording === null) return "the idempotency key is used up; no answer is kept (retention: none)";
    if (this.#recording.tooLarge)
      return `the idempotency key is used up; the answer was not kept, since it is larger than ${maxKeptBytes / 1024 / 1024} MB`;
    return "the answer is kept for its idempotency key";
  }
}
