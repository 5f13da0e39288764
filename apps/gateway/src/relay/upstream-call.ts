import type { IncomingHttpHeaders } from "node:http";

import type { Clock, Failure, Timer } from "@tuloy/contract";
import { classifyResponse, cleanReason, readRateLimits, type ProviderPreset } from "@tuloy/dialects";
import type { KeyLease } from "@tuloy/routing";

import { Exchange, type ExchangeEvents, type Lost } from "../upstream/exchange.ts";
import type { Outlet, UpstreamRequest } from "../upstream/outlet.ts";

/** An error's status says nearly all; its body is not waited for longer than this. Milliseconds. */
const errorBodyMs = 2000;

/** Error answers are read up to here; what follows cannot change what they mean. */
const maxErrorBytes = 256 * 1024;

interface CallLimits {
  readonly connectMs: number;
  /** Streams: to the first content. JSON: to the whole answer. Counted from the connection. */
  readonly answerMs: number;
}

export interface CallContext {
  readonly outlet: Outlet;
  readonly clock: Clock;
  readonly preset: ProviderPreset;
  /** The provider key's value, null where none is sent: a provider that quotes it back must not carry it any further. */
  readonly secret: string | null;
  /** It is spoken to in another dialect than the client's: an error of its own is nothing that the client could read. */
  readonly foreign: boolean;
  /** Told what the provider says is left of the key. */
  readonly lease: Pick<KeyLease, "announce">;
  readonly limits: CallLimits;
  /** Asked when the limit has passed: whether cutting this call lets another attempt be made. If not, waiting is better than failing. */
  readonly mayCut: () => boolean;
  /** Told of a bug of ours in the middle of a call. */
  readonly fault: (error: unknown) => void;
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
  #startedAt = 0;
  /** By when the call must be decided; known once it is connected. */
  #limitAt = 0;
  /** The limit has passed, and one turn is given to what is waiting in the sockets. */
  #judging = false;
  #errorStatus = 0;
  #errorHeaders: IncomingHttpHeaders = {};
  #errorChunks: Buffer[] = [];
  #errorBytes = 0;
  /** When the connection stood and the request went out, by the clock; null before. */
  connectedAt: number | null = null;
  /** When the first content of a stream came, by the clock; null before. It may be held back still. */
  contentAt: number | null = null;
  status: number | null = null;

  constructor(context: CallContext, request: UpstreamRequest) {
    this.context = context;
    this.exchange = new Exchange(context.outlet, request, this, context.clock);
  }

  /** The id of the drill that laid a fault over this call, or null. */
  get drill(): string | null {
    return this.exchange.drill;
  }

  /** Ends the call from outside: its connection is closed and nothing more is told. */
  cancel(): void {
    this.decided = true;
    this.clearTimer();
    this.exchange.cancel();
  }

  onConnected(): void {
    this.connectedAt = this.context.clock.now();
    this.#limitAt = this.connectedAt + this.context.limits.answerMs;
  }

  onHead(status: number, headers: IncomingHttpHeaders): void {
    this.status = status;
    if (this.context.preset.rateLimitHeaders.length > 0) this.#announce(headers);
    if (status >= 200 && status < 300) {
      this.onGoodHead(headers);
    } else {
      this.#errorStatus = status;
      this.#errorHeaders = headers;
      this.#limitAt = this.context.clock.now() + errorBodyMs;
      this.#rearm(errorBodyMs);
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
    else if (lost.class !== "auth") this.onGoodLost(this.failureOf(lost.class, lost.reason));
    else this.onGoodLost(this.#notAuthorized(lost.reason, lost.auth));
  }

  onConnecting(): void {
    this.connectedAt = null;
    this.#startedAt = this.context.clock.now();
    this.#rearm(this.context.limits.connectMs);
  }

  onFault(error: unknown): void {
    this.context.fault(error);
    this.onGoodLost(this.failureOf("internal", "the gateway failed on this answer"));
  }

  /** Characters of output that have arrived, to estimate what a call that is given up has used. */
  abstract get written(): number;

  protected abstract onGoodHead(headers: IncomingHttpHeaders): void;
  protected abstract onGoodChunk(chunk: Buffer): void;
  protected abstract onGoodEnd(): void;
  protected abstract onGoodLost(failure: Failure): void;
  /** The call failed before its answer was worth anything. Called at most once; the connection is already given up. */
  protected abstract onFailed(failure: Failure): void;

  /** Sends the request and starts the limits. */
  start(): void {
    const { limits, clock } = this.context;
    this.#startedAt = clock.now();
    this.#arm(Math.min(limits.connectMs, limits.answerMs));
    this.exchange.start();
  }

  protected fail(failure: Failure): void {
    if (this.decided) return;
    this.cancel();
    this.onFailed(this.tellable(failure));
  }

  /** A failure as it may be told: without the key that was sent, whatever the provider says of it. */
  protected tellable(failure: Failure): Failure {
    const { secret, foreign } = this.context;
    return withoutSecret(foreign ? withoutResponse(failure) : failure, secret);
  }

  protected clearTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  protected failureOf(failureClass: Failure["class"], reason: string): Failure {
    return { class: failureClass, reason, status: this.status, code: null, retryAfterMs: null };
  }

  /** What libraries say of a credential is no provider's text, but may quote one. */
  #notAuthorized(reason: string, auth: "rejected" | "forbidden"): Failure {
    return { ...this.failureOf("auth", cleanReason(reason)), auth };
  }

  #rearm(ms: number): void {
    this.#timer?.cancel();
    this.#judging = false;
    this.#arm(ms);
  }

  #arm(ms: number): void {
    this.#timer = this.context.clock.after(ms, this.#onTimer);
  }

  /**
   * One timer serves both limits: most calls are over long before either, and making and cancelling timers is a good part
   * of what a small request costs.
   */
  #onTimer = (): void => {
    const { limits, clock } = this.context;
    const now = clock.now();
    const left = this.connectedAt === null ? this.#startedAt + limits.connectMs - now : this.#limitAt - now;
    if (left > 0) {
      this.#judging = false;
      this.#arm(left);
    } else if (this.#judging) {
      this.#judging = false;
      if (this.exchange.authorizing)
        this.fail(this.#notAuthorized(`not authorized within ${limits.connectMs} ms`, "forbidden"));
      else if (this.connectedAt === null)
        this.fail(this.failureOf("refused", `no connection within ${limits.connectMs} ms`));
      else this.#judge(now);
    } else {
      // A busy process runs its timers before it reads its sockets: what came in time may still be waiting there.
      this.#judging = true;
      this.#arm(0);
    }
  };

  #judge(now: number): void {
    const { limits, mayCut } = this.context;
    if (this.#errorStatus !== 0) {
      this.#failByStatus();
    } else if (mayCut()) {
      this.fail(this.failureOf("first_token_timeout", this.limitReason(limits.answerMs)));
    } else if (!this.decided) {
      this.#limitAt = now + limits.answerMs;
      this.#arm(limits.answerMs);
    }
  }

  protected abstract limitReason(ms: number): string;

  #announce(headers: IncomingHttpHeaders): void {
    const { preset, clock, lease } = this.context;
    const limits = readRateLimits(preset.rateLimitHeaders, headers, clock.wall());
    if (limits !== null) lease.announce(limits, clock.now());
  }

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

function withoutResponse(failure: Failure): Failure {
  const { response: _response, ...rest } = failure;
  return rest;
}

/** Credentials of several parts (an access key and its secret) are quoted by part; what is shorter is no secret. */
const shortestPart = 8;

/** The table of wordings masks what looks like a key; this takes out the one that was really sent, whatever it looks like. */
function withoutSecret(failure: Failure, secret: string | null): Failure {
  if (secret === null) return failure;
  const { response, ...rest } = failure;
  const hidden = [secret, ...secret.split(":").filter((part) => part.length >= shortestPart)];
  const hide = (text: string): string => hidden.reduce((clean, one) => clean.replaceAll(one, "***"), text);
  const clean = { ...rest, reason: hide(rest.reason), code: rest.code === null ? null : hide(rest.code) };
  if (response === undefined) return clean;
  const bytes = Buffer.from(response.body);
  return hidden.some((one) => bytes.includes(one)) ? clean : { ...clean, response };
}
