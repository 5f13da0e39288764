import type { IncomingHttpHeaders } from "node:http";

import type { Clock } from "@tuloy/contract";

import type { Authorization, Authorize, CallControl, CallHandler, Outlet, UpstreamRequest } from "./outlet.ts";

/** Ends of a call that gave no whole answer, for what no answer says: its connection, or what was to authorize it. */
export type Lost =
  | { readonly class: "refused" | "reset"; readonly reason: string }
  | { readonly class: "auth"; readonly reason: string; readonly auth: "rejected" | "forbidden" };

/** What a call tells, in this order: connected, head, chunks, then one of end and lost. Nothing after `cancel`. */
export interface ExchangeEvents {
  onConnected(): void;
  onHead(status: number, headers: IncomingHttpHeaders): void;
  onChunk(chunk: Buffer): void;
  onEnd(): void;
  onLost(lost: Lost): void;
  /**
   * A connection is being made only now: after the call was authorized, or anew after one was lost, when what `onConnected`
   * said holds no more.
   */
  onConnecting(): void;
  /** A handler of these events threw: a bug of ours. The call is over. */
  onFault(error: unknown): void;
}

const cancelled = new Error("cancelled");

/** Codes that mean the connection broke while it was in use, as against never having come about. */
const resetCodes: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);

/**
 * A kept connection was lost before the request went out: closed, or spoken on by its server of its own accord, most often with
 * a 408 before it closes.
 */
const unsentCode = "TULOY_UNSENT";

/**
 * One call to an upstream: the handler that keeps the connection's facts and hands the rest on.
 *
 * A kept-alive connection can be closed by the other side in the very moment we write to it; the request then fails
 * though the server is fine. Such a reset (on a reused connection, before any byte of the answer) is sent once more over a
 * fresh connection, uncounted; and so is what had not gone out when its connection was lost.
 */
export class Exchange implements CallHandler {
  readonly #outlet: Outlet;
  readonly #clock: Pick<Clock, "wall">;
  #request: UpstreamRequest;
  readonly #events: ExchangeEvents;
  #control: CallControl | null = null;
  #reusedConnection = false;
  #retriedFresh = false;
  #head = false;
  #over = false;
  #authorizing = false;
  #drill: string | null = null;

  constructor(outlet: Outlet, request: UpstreamRequest, events: ExchangeEvents, clock: Pick<Clock, "wall">) {
    this.#outlet = outlet;
    this.#request = request;
    this.#events = events;
    this.#clock = clock;
  }

  /** Sends, once it is authorized where that takes time. Events may arrive before this returns. */
  start(): void {
    const { authorize } = this.#request;
    if (authorize === undefined) this.#send();
    else void this.#authorizeWith(authorize);
  }

  /** Nothing is sent yet: it waits for what is to authorize it. */
  get authorizing(): boolean {
    return this.#authorizing;
  }

  #send(): void {
    const denied = this.#outlet.dispatch(this.#request, this);
    if (denied) this.#lose({ class: "refused", reason: denied.message });
  }

  /** Never rejects. The credential is not the connection's business: no event tells of it unless it fails. */
  async #authorizeWith(authorize: Authorize): Promise<void> {
    this.#authorizing = true;
    const answer = await this.#askFor(authorize);
    this.#authorizing = false;
    if (this.#over) return;
    if ("denied" in answer) {
      this.#lose({ class: "auth", auth: answer.denied, reason: answer.reason });
      return;
    }
    this.#request = { ...this.#request, headers: [...this.#request.headers, ...answer.headers] };
    try {
      this.#events.onConnecting();
      this.#send();
    } catch (error) {
      this.#fault(error);
    }
  }

  async #askFor(authorize: Authorize): Promise<Authorization> {
    const { method = "POST", to, path, headers, body } = this.#request;
    try {
      return await authorize({
        method,
        url: new URL(to.origin + path),
        headers,
        body,
        wall: this.#clock.wall(),
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { denied: "forbidden", reason: `the call could not be authorized: ${why}` };
    }
  }

  /** The id of the drill that laid a fault over this call, or null. */
  get drill(): string | null {
    return this.#drill;
  }

  /** Ended, lost or cancelled: no event will follow. */
  get over(): boolean {
    return this.#over;
  }

  /** Ends the call at once and closes its connection, unless nothing was sent over it yet. No event follows. Harmless when it is over. */
  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#control?.abort(cancelled);
  }

  pause(): void {
    this.#control?.pause();
  }

  resume(): void {
    this.#control?.resume();
  }

  drilledBy(drillId: string): void {
    this.#drill = drillId;
  }

  onRequestStart(control: CallControl, reused: boolean): void {
    this.#control = control;
    if (this.#over) {
      control.abort(cancelled);
      return;
    }
    this.#reusedConnection = reused;
    try {
      this.#events.onConnected();
    } catch (error) {
      this.#fault(error);
    }
  }

  onResponseStart(status: number, headers: IncomingHttpHeaders): void {
    if (this.#over) return;
    this.#head = true;
    try {
      this.#events.onHead(status, headers);
    } catch (error) {
      this.#fault(error);
    }
  }

  onResponseData(chunk: Buffer): void {
    if (this.#over) return;
    try {
      this.#events.onChunk(chunk);
    } catch (error) {
      this.#fault(error);
    }
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    try {
      this.#events.onEnd();
    } catch (error) {
      this.#fault(error);
    }
  }

  onResponseError(error: Error): void {
    if (this.#over) return;
    const code = "code" in error && typeof error.code === "string" ? error.code : "";
    const started = this.#control !== null;
    const stale = started && !this.#head && this.#reusedConnection && resetCodes.has(code);
    if (!this.#retriedFresh && (stale || code === unsentCode)) {
      this.#retryFresh();
      return;
    }
    if (started)
      this.#lose({
        class: "reset",
        reason: `the connection broke ${this.#head ? "in the middle of the answer" : "before an answer"} (${describe(error, code)})`,
      });
    else this.#lose({ class: "refused", reason: `no connection: ${describe(error, code)}` });
  }

  #retryFresh(): void {
    this.#retriedFresh = true;
    this.#reusedConnection = false;
    this.#control = null;
    try {
      this.#events.onConnecting();
      this.#outlet.dispatchFresh(this.#request, this);
    } catch (error) {
      this.#fault(error);
    }
  }

  #lose(lost: Lost): void {
    if (this.#over) return;
    this.#over = true;
    try {
      this.#events.onLost(lost);
    } catch (error) {
      this.#fault(error);
    }
  }

  /** A handler threw. The connection is none the worse for it, but nobody reads its answer. */
  #fault(error: unknown): void {
    this.#over = true;
    this.#control?.abort(cancelled);
    this.#events.onFault(error);
  }
}

function describe(error: Error, code: string): string {
  return error.message.includes(code) || code === "" ? error.message : `${code}: ${error.message}`;
}
