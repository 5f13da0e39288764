import type { IncomingHttpHeaders } from "node:http";

import type { Operation } from "@tuloy/contract";
import { openaiChat, openaiEmbeddings, SseReader, type ClientDialect, type StreamWatch } from "@tuloy/dialects";
import type { Dispatcher } from "undici";

import type { CarriedHandler, Carrier, UpstreamRequest } from "../outlet.ts";
import type { DisturbingFault } from "./laying.ts";
import { connectionError, FaultyLine, type FaultHost } from "./line.ts";

/** What is said in each operation, to tell events with content from others. */
const dialects: Readonly<Record<Operation, ClientDialect>> = { chat: openaiChat, embeddings: openaiEmbeddings };

/** An event whose JSON stops in the middle of a string. */
const brokenEvent = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":" brok\n\n');

/**
 * Stands between a real provider's answer and the call's handler and spoils the answer at the right place: of a stream, after
 * so many events with content, or at its end when it has fewer; of a JSON answer, half-way. What the provider says in error is left as it is.
 */
export class Disturbance extends FaultyLine implements CarriedHandler {
  readonly #fault: DisturbingFault;
  readonly #operation: Operation;
  readonly #stream: boolean;
  readonly #inner: CarriedHandler;
  #real: Dispatcher.DispatchController | null = null;
  /** Null: the answer passes as it is. */
  #spoil: Spoiler | null = null;
  /** `slow-first-token`: what came before its time. */
  #early: Buffer[] | null = null;
  #endedEarly = false;

  constructor(fault: DisturbingFault, request: UpstreamRequest, handler: CarriedHandler, host: FaultHost) {
    super(handler, host);
    this.#fault = fault;
    this.#inner = handler;
    this.#operation = request.deployment.operation;
    this.#stream = request.stream;
  }

  carriedBy(carrier: Carrier): void {
    this.#inner.carriedBy(carrier);
  }

  drilledBy(drillId: string): void {
    this.#inner.drilledBy(drillId);
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

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#real = controller;
    this.handler.onRequestStart?.(this, null);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.over) return;
    if (status === 200) this.#prepare(headers["content-type"] ?? null);
    this.handler.onResponseStart?.(this, status, headers);
    if (this.#early !== null) controller.pause();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
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

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#spoil !== nothingMore) this.fail(error);
  }

  /** A late answer comes now; one that was stopped in the middle breaks. */
  protected override letGo(): void {
    if (this.#early === null) super.letGo();
    else this.#release();
  }

  #prepare(contentType: string | null): void {
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
    const tokens = "tokens" in fault ? fault.tokens : Infinity;
    if (!this.#stream) this.#spoil = fault.name === "no-done" ? null : new HalfOfJson(spoilt);
    else this.#spoil = new EventSpoiler(fault.name, tokens, this.#watch(contentType), spoilt);
  }

  #watch(contentType: string | null): StreamWatch {
    return dialects[this.#operation].watch({ wantsUsage: true, choices: 1, preset: { markers: [] }, contentType });
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
        this.fail(connectionError("UND_ERR_SOCKET", "other side closed"));
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

/** What comes of an answer that is being spoiled. */
interface Spoilt {
  readonly host: FaultHost;
  pass(bytes: Buffer): void;
  /** It ends as the provider ended it. */
  whole(): void;
  /** The fault takes the place of the rest. */
  struck(): void;
}

interface Spoiler {
  push(chunk: Buffer): void;
  end(): void;
}

const nothingMore: Spoiler = { push: () => undefined, end: () => undefined };

/** Passes the first half of a JSON answer, once it is whole. */
class HalfOfJson implements Spoiler {
  readonly #out: Spoilt;
  readonly #chunks: Buffer[] = [];

  constructor(out: Spoilt) {
    this.#out = out;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  end(): void {
    const whole = Buffer.concat(this.#chunks);
    if (!this.#out.host.underWay) {
      this.#out.pass(whole);
      return this.#out.whole();
    }
    this.#out.pass(whole.subarray(0, Math.floor(whole.length / 2)));
    this.#out.struck();
  }
}

/** Passes a stream event by event, until the fault's place is reached. */
class EventSpoiler implements Spoiler {
  readonly #fault: DisturbingFault["name"];
  readonly #tokens: number;
  readonly #watch: StreamWatch;
  readonly #out: Spoilt;
  readonly #reader: SseReader;
  #chunk: Buffer = Buffer.alloc(0);
  #seen = 0;
  /** The fault has struck, or has been slipped in: nothing more is to be done. */
  #done = false;

  constructor(fault: DisturbingFault["name"], tokens: number, watch: StreamWatch, out: Spoilt) {
    this.#fault = fault;
    this.#tokens = tokens;
    this.#watch = watch;
    this.#out = out;
    const other = (carry: Buffer | null, start: number, end: number): void =>
      this.#pass(this.#bytes(carry, start, end));
    this.#reader = new SseReader({
      event: (_name, _data, carry, start, end) => this.#event(this.#bytes(carry, start, end)),
      comment: (_text, carry, start, end) => other(carry, start, end),
      filler: other,
      tail: (start, end) => other(null, start, end),
    });
  }

  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#reader.push(chunk);
  }

  end(): void {
    this.#out.whole();
  }

  #event(bytes: Buffer): void {
    if (this.#done || !this.#out.host.underWay) return this.#pass(bytes);
    this.#watch.push(bytes);
    const last = this.#watch.complete || this.#watch.done;
    if (this.#fault === "no-done") {
      if (!this.#watch.done) return this.#pass(bytes);
    } else if (!last) {
      this.#pass(bytes);
      if (this.#watch.progress) this.#seen += 1;
      if (this.#seen < this.#tokens) return;
    }
    this.#done = true;
    if (this.#fault !== "malformed") return this.#out.struck();
    this.#out.pass(brokenEvent);
    if (last) this.#pass(bytes);
  }

  #pass(bytes: Buffer): void {
    const struck = this.#done && this.#fault !== "malformed";
    if (bytes.length > 0 && !struck) this.#out.pass(bytes);
  }

  #bytes(carry: Buffer | null, start: number, end: number): Buffer {
    const rest = this.#chunk.subarray(start, end);
    return carry === null ? rest : Buffer.concat([carry, rest]);
  }
}
