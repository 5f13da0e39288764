import type { Clock, Timer } from "@tuloy/contract";

import { connectionError } from "../connection-error.ts";
import type { CallControl, CallHandler } from "../outlet.ts";

/** What a fault under way needs of its drill. */
export interface FaultHost {
  readonly clock: Clock;
  /** The drill is under way: a fault strikes no more once it is over. */
  readonly underWay: boolean;
  /**
   * Remembers a fault that holds a call up, so that the end of the drill lets it go.
   * @returns what forgets it again
   */
  hold(letGo: () => void): () => void;
}

/**
 * A call's connection as its handler sees it while a fault is laid over it: the handler gives it up, pauses and resumes it
 * as it would a real one. It has at most one timer, and ends once.
 */
export abstract class FaultyLine implements CallControl {
  protected readonly handler: CallHandler;
  protected readonly host: FaultHost;
  #timer: Timer | null = null;
  #forget: (() => void) | null = null;
  #over = false;
  #paused = false;

  constructor(handler: CallHandler, host: FaultHost) {
    this.handler = handler;
    this.host = host;
  }

  protected get paused(): boolean {
    return this.#paused;
  }

  abort(reason: Error): void {
    this.fail(reason);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /** Ended in one way or another: the handler is told nothing more. */
  protected get over(): boolean {
    return this.#over;
  }

  /** Registers with the drill that this call is being held up. */
  protected holdUp(): void {
    this.#forget ??= this.host.hold(() => this.letGo());
  }

  /** It is held up no longer. */
  protected goOn(): void {
    this.#forget?.();
    this.#forget = null;
  }

  /** The drill has ended while this call was held up: unless it can go on, its connection breaks, and it can be made anew. */
  protected letGo(): void {
    this.fail(connectionError("ECONNRESET", "the drill ended"));
  }

  protected after(ms: number, run: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.host.clock.after(ms, run);
  }

  protected head(status: number, headers: Readonly<Record<string, string>>): void {
    if (!this.#over) this.handler.onResponseStart(status, headers);
  }

  protected data(bytes: Buffer): void {
    if (!this.#over) this.handler.onResponseData(bytes);
  }

  protected end(): void {
    if (this.#close()) this.handler.onResponseEnd();
  }

  protected fail(error: Error): void {
    if (this.#close()) this.handler.onResponseError(error);
  }

  #close(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#timer?.cancel();
    this.goOn();
    return true;
  }
}
