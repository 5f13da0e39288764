import type { IncomingHttpHeaders } from "node:http";

import type { Clock, Failure, Timer } from "@tuloy/contract";
import { classifyResponse, type ProviderPreset } from "@tuloy/dialects";

import { Exchange, type ExchangeEvents, type Lost, type UpstreamRequest } from "../upstream/exchange.ts";
import type { UpstreamPools } from "../upstream/pools.ts";

/** Error answers are read up to here; what follows cannot change what they mean. */
const maxErrorBytes = 256 * 1024;

interface CallLimits {
  readonly connectMs: number;
  /** Streams: to the first content. JSON: to the whole answer. Counted from the connection. */
  readonly answerMs: number;
}

export interface CallContext {
  readonly pools: UpstreamPools;
  readonly clock: Clock;
  readonly preset: ProviderPreset;
  /** The provider key's value, null where none is sent: a provider that quotes it back must not carry it any further. */
  readonly secret: string | null;
  readonly limits: CallLimits;
  /** Asked when the limit has passed: whether cutting this call lets another attempt be made. If not, waiting is better than failing. */
  readonly mayCut: () => boolean;
}

/**
 * One call to an upstream up to the point where it is decided: its connection, its limits, and what an error answer means.
 * What a good answer is, the subclasses say.
 */
export abstract class UpstreamCall implements ExchangeEvents {
  protected readonly context: CallContext;
  protected readonly exchange: Exchange;
  protected decided = false;
  #timer: Timer | null = null;
  #errorStatus = 0;
  #errorHeaders: IncomingHttpHeaders = {};
  #errorChunks: Buffer[] = [];
  #errorBytes = 0;
  /** When the connection stood, by the clock; null before. */
  connectedAt: number | null = null;
  status: number | null = null;

  constructor(context: CallContext, request: UpstreamRequest) {
    this.context = context;
    this.exchange = new Exchange(context.pools, request, this);
  }

  /** Ends the call from outside: its connection is closed and nothing more is told. */
  cancel(): void {
    this.decided = true;
    this.clearTimer();
    this.exchange.cancel();
  }

  onConnected(): void {
    this.connectedAt = this.context.clock.now();
    this.#arm(this.context.limits.answerMs, this.#onLimit);
  }

  onHead(status: number, headers: IncomingHttpHeaders): void {
    this.status = status;
    if (status >= 200 && status < 300) {
      this.onGoodHead(headers);
    } else {
      this.#errorStatus = status;
      this.#errorHeaders = headers;
    }
  }

  onChunk(chunk: Buffer): void {
    if (this.#errorStatus === 0) {
      this.onGoodChunk(chunk);
      return;
    }
    this.#errorBytes += chunk.length;
    this.#errorChunks.push(chunk);
    if (this.#errorBytes > maxErrorBytes) this.#failByStatus();
  }

  onEnd(): void {
    if (this.#errorStatus === 0) this.onGoodEnd();
    else this.#failByStatus();
  }

  onLost(lost: Lost): void {
    // A status says more than the broken connection after it.
    if (this.#errorStatus !== 0) this.#failByStatus();
    else this.onGoodLost(this.failureOf(lost.class, lost.reason));
  }

  protected abstract onGoodHead(headers: IncomingHttpHeaders): void;
  protected abstract onGoodChunk(chunk: Buffer): void;
  protected abstract onGoodEnd(): void;
  protected abstract onGoodLost(failure: Failure): void;
  /** The call failed before its answer was worth anything. Called at most once; the connection is already given up. */
  protected abstract onFailed(failure: Failure): void;

  /** Sends the request and starts the connect limit, unless a kept-alive connection already carries it. */
  start(): void {
    this.exchange.start();
    if (!this.decided && this.connectedAt === null) this.#arm(this.context.limits.connectMs, this.#onConnectLimit);
  }

  protected fail(failure: Failure): void {
    if (this.decided) return;
    this.cancel();
    this.onFailed(this.tellable(failure));
  }

  /** A failure as it may be told: without the key that was sent, whatever the provider says of it. */
  protected tellable(failure: Failure): Failure {
    return withoutSecret(failure, this.context.secret);
  }

  protected clearTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  protected failureOf(failureClass: Failure["class"], reason: string): Failure {
    return { class: failureClass, reason, status: this.status, code: null, retryAfterMs: null };
  }

  #arm(ms: number, run: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.context.clock.after(ms, run);
  }

  #onConnectLimit = (): void => {
    this.fail(this.failureOf("refused", `no connection within ${this.context.limits.connectMs} ms`));
  };

  #onLimit = (): void => {
    // A busy process runs its timers before it reads its sockets: what came in time may still be waiting there.
    this.#arm(0, this.#judge);
  };

  #judge = (): void => {
    if (this.#errorStatus !== 0) {
      this.#failByStatus();
    } else if (this.context.mayCut()) {
      this.fail(this.failureOf("first_token_timeout", this.limitReason(this.context.limits.answerMs)));
    } else {
      this.#arm(this.context.limits.answerMs, this.#onLimit);
    }
  };

  protected abstract limitReason(ms: number): string;

  #failByStatus(): void {
    const headers = this.#errorHeaders;
    this.fail(
      classifyResponse({
        status: this.#errorStatus,
        headers: (name) => {
          const value = headers[name];
          return Array.isArray(value) ? value[0] : value;
        },
        body: Buffer.concat(this.#errorChunks),
        preset: this.context.preset,
        wall: this.context.clock.wall(),
      }),
    );
  }
}

/** The table of wordings masks what looks like a key; this takes out the one that was really sent, whatever it looks like. */
function withoutSecret(failure: Failure, secret: string | null): Failure {
  if (secret === null) return failure;
  const { response, ...rest } = failure;
  const clean = {
    ...rest,
    reason: rest.reason.replaceAll(secret, "***"),
    code: rest.code?.replaceAll(secret, "***") ?? null,
  };
  return response === undefined || Buffer.from(response.body).includes(secret) ? clean : { ...clean, response };
}
