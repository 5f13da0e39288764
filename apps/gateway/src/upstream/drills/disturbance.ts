import type { IncomingHttpHeaders } from "node:http";

import { connectionError } from "../connection-error.ts";
import type { CallControl, CallHandler, UpstreamRequest } from "../outlet.ts";
import type { DisturbingFault } from "./laying.ts";
import { FaultyLine, type FaultHost } from "./line.ts";
import { EventSpoiler, HalfOfJson, type Spoiler, type Spoilt } from "./spoiler.ts";

/**
 * Stands between a real provider's answer and the call's handler and spoils the answer at the right place: of a stream, after
 * so many events with content, or at its end when it has fewer; of a JSON answer, half-way. What the provider says in error is left as it is.
 */
export class Disturbance extends FaultyLine implements CallHandler {
  readonly #fault: DisturbingFault;
  readonly #request: UpstreamRequest;
  #real: CallControl | null = null;
  /** Null: the answer passes as it is. */
  #spoil: Spoiler | null = null;
  /** `slow-first-token`: what came before its time. */
  #early: Buffer[] | null = null;
  #endedEarly = false;

  constructor(fault: DisturbingFault, request: UpstreamRequest, handler: CallHandler, host: FaultHost) {
    super(handler, host);
    this.#fault = fault;
    this.#request = request;
  }

  drilledBy(drillId: string): void {
    this.handler.drilledBy(drillId);
  }

  override abort(reason: Error): void {
    super.abort(reason);
    this.#real?.abort(reason);
  }

  override pause(): void {
    super.pause();
    this.#real?.pause();
  }

  override resume(): void {
    super.resume();
    if (this.#early === null) this.#real?.resume();
  }

  onRequestStart(control: CallControl, reused: boolean): void {
    this.#real = control;
    this.handler.onRequestStart(this, reused);
  }

  onResponseStart(status: number, headers: IncomingHttpHeaders): void {
    if (this.over) return;
    if (status === 200) this.#prepare();
    this.handler.onResponseStart(status, headers);
    if (this.#early !== null) this.#real?.pause();
  }

  onResponseData(chunk: Buffer): void {
    if (this.over) return;
    if (this.#early !== null) this.#early.push(chunk);
    else if (this.#spoil === null) this.data(chunk);
    else this.#spoil.push(chunk);
  }

  onResponseEnd(): void {
    if (this.over) return;
    if (this.#early !== null) this.#endedEarly = true;
    else if (this.#spoil === null) this.end();
    else this.#spoil.end();
  }

  onResponseError(error: Error): void {
    if (this.#spoil !== nothingMore) this.fail(error);
  }

  /** A late answer comes now; one that was stopped in the middle breaks. */
  protected override letGo(): void {
    if (this.#early === null) super.letGo();
    else this.#release();
  }

  #prepare(): void {
    const fault = this.#fault;
    // The drill may have ended while the provider was thinking.
    if (!this.host.underWay) return;
    if (fault.name === "slow-first-token") {
      this.#early = [];
      this.holdUp();
      this.after(fault.ms, () => this.#release());
      return;
    }
    const spoilt: Spoilt = {
      host: this.host,
      pass: (bytes) => this.data(bytes),
      whole: () => this.end(),
      struck: () => this.#struck(),
    };
    const { stream, dialect } = this.#request;
    if (stream) this.#spoil = EventSpoiler.of(fault, dialect, spoilt);
    else this.#spoil = fault.name === "no-done" ? null : new HalfOfJson(spoilt);
  }

  #release(): void {
    const early = this.#early ?? [];
    this.#early = null;
    this.goOn();
    for (const chunk of early) this.data(chunk);
    if (this.#endedEarly) this.end();
    else if (!this.paused) this.#real?.resume();
  }

  /** The place of the fault is reached: what the provider still sends is nobody's business. */
  #struck(): void {
    this.#spoil = nothingMore;
    switch (this.#fault.name) {
      case "stall":
        this.holdUp();
        break;
      case "cut":
        this.fail(connectionError("ECONNRESET", "the other side closed the connection"));
        break;
      case "truncate":
      case "malformed":
      case "no-done":
        this.end();
        break;
      case "slow-first-token":
        return;
    }
    this.#real?.abort(new Error("the drill's fault ends this answer"));
  }
}

const nothingMore: Spoiler = { push: () => undefined, end: () => undefined };
