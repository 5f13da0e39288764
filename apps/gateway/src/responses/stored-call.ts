import type { IncomingHttpHeaders } from "node:http";

import { clientError, formatDuration, type Clock, type Timer } from "@tuloy/contract";
import { classifyResponse, type ClientDialect, type ProviderPreset } from "@tuloy/dialects";

import type { ClientReply } from "../http/client-reply.ts";
import { streamHeaders, traceHeaders } from "../relay/headers.ts";
import type { Interrupt } from "../relay/interrupt.ts";
import { sendError } from "../relay/reply.ts";
import { Exchange, type ExchangeEvents, type Lost } from "../upstream/exchange.ts";
import type { Outlet, UpstreamRequest } from "../upstream/outlet.ts";

/** No byte for this long: nobody computes anything for such a call, unless it is a stream that is still being written. Milliseconds. */
const quietMs = 60_000;
/** An error that is longer is not worth more. */
const maxErrorBytes = 256 * 1024;
/** Of a JSON answer, as of any other. */
const maxBytes = 64 * 1024 * 1024;

export interface StoredCallContext {
  readonly outlet: Outlet;
  readonly clock: Clock;
  readonly dialect: ClientDialect;
  readonly preset: ProviderPreset;
  readonly provider: string;
  readonly secret: string | null;
  readonly reply: ClientReply;
  readonly interrupt: Interrupt;
  readonly traceId: string;
  readonly fault: (error: unknown) => void;
}

/** A call about what a provider keeps: its answer goes to the client as it comes. There is nobody else to ask. */
export class StoredCall implements ExchangeEvents {
  readonly #context: StoredCallContext;
  readonly #exchange: Exchange;
  readonly #ended: () => void;
  #timer: Timer | null = null;
  #status = 0;
  #lastByteAt = 0;
  #error: { readonly status: number; readonly headers: IncomingHttpHeaders; readonly chunks: Buffer[] } | null = null;
  #errorBytes = 0;
  /** A whole JSON answer, held until its end: half of one is nothing. Null for a stream. */
  #body: Buffer[] | null = [];
  #bodyBytes = 0;
  #over = false;

  /** @param ended called once, when the client was given all that it gets */
  constructor(context: StoredCallContext, request: UpstreamRequest, ended: () => void) {
    this.#context = context;
    this.#exchange = new Exchange(context.outlet, request, this, context.clock);
    this.#ended = ended;
  }

  start(): void {
    const { reply, interrupt, clock } = this.#context;
    this.#lastByteAt = clock.now();
    this.#watch(quietMs);
    reply.onGone(() => this.#end());
    interrupt.listen(() =>
      this.#fail("shutting_down", "The gateway is shutting down; send the request again.", { retryAfterMs: 1000 }),
    );
    this.#exchange.start();
  }

  onConnected(): void {}
  onConnecting(): void {}

  onHead(status: number, headers: IncomingHttpHeaders): void {
    const { reply, traceId, clock, provider } = this.#context;
    this.#lastByteAt = clock.now();
    if (status >= 300) {
      this.#error = { status, headers, chunks: [] };
      return;
    }
    this.#status = status;
    if ((headers["content-type"] ?? "").includes("event-stream")) {
      this.#body = null;
      reply.start(status, streamHeaders({ ...traceHeaders(traceId), "x-tuloy-provider": provider }));
    }
  }

  onChunk(chunk: Buffer): void {
    const { reply, clock } = this.#context;
    this.#lastByteAt = clock.now();
    if (this.#error !== null) {
      this.#errorBytes += chunk.length;
      if (this.#errorBytes <= maxErrorBytes) this.#error.chunks.push(chunk);
      return;
    }
    if (this.#body !== null) {
      this.#bodyBytes += chunk.length;
      this.#body.push(chunk);
      if (this.#bodyBytes > maxBytes)
        this.#fail(
          "upstream_failed",
          `What ${this.#context.provider} keeps is larger than ${maxBytes / 1024 / 1024} MB.`,
        );
      return;
    }
    if (reply.write(chunk)) return;
    this.#exchange.pause();
    reply.onDrain(() => {
      this.#lastByteAt = clock.now();
      this.#exchange.resume();
    });
  }

  onEnd(): void {
    if (this.#error !== null) {
      this.#passError(this.#error.status, this.#error.headers, Buffer.concat(this.#error.chunks));
      return;
    }
    const { reply, traceId, provider } = this.#context;
    const headers = { ...traceHeaders(traceId), "x-tuloy-provider": provider, "content-type": "application/json" };
    if (this.#body === null) reply.end();
    else reply.send(this.#status, headers, Buffer.concat(this.#body));
    this.#end();
  }

  onLost({ reason }: Lost): void {
    this.#fail("upstream_failed", `${this.#context.provider} could not be asked: ${reason}.`);
  }

  onFault(error: unknown): void {
    this.#context.fault(error);
    this.#fail("internal_error", "The gateway failed on this request; its log has the reason under the trace id.");
  }

  /** What the provider says of the request is the client's to hear; what it says of our key or itself is not. */
  #passError(status: number, headers: IncomingHttpHeaders, body: Buffer): void {
    const { preset, clock, reply, traceId, secret, provider } = this.#context;
    const failure = classifyResponse({
      status,
      headers: (name) => {
        const value = headers[name];
        return Array.isArray(value) ? value[0] : value;
      },
      body,
      preset,
      wall: clock.wall(),
    });
    const aboutTheRequest = status === 400 || status === 404 || status === 409 || status === 422;
    if (!aboutTheRequest || failure.response === undefined || (secret !== null && body.includes(secret))) {
      const words = secret === null ? failure.reason : failure.reason.replaceAll(secret, "***");
      const retry = failure.retryAfterMs === null ? {} : { retryAfterMs: failure.retryAfterMs };
      const code = failure.class === "rate_limited" ? "rate_limit_exceeded" : "upstream_failed";
      this.#fail(code, `${provider} did not answer: ${words}.`, retry);
      return;
    }
    const type = headers["content-type"] ?? "application/json";
    reply.send(status, { ...traceHeaders(traceId), "content-type": type, "x-should-retry": "false" }, body);
    this.#end();
  }

  #fail(code: Parameters<typeof clientError>[0], message: string, extra: { retryAfterMs?: number } = {}): void {
    if (this.#over) return;
    const { reply, dialect, traceId } = this.#context;
    sendError(reply, dialect, clientError(code, message, extra), traceId, true);
    this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#context.interrupt.listen(null);
    this.#exchange.cancel();
    this.#ended();
  }

  #watch(ms: number): void {
    const { clock } = this.#context;
    this.#timer = clock.after(ms, () => {
      const left = this.#lastByteAt + quietMs - clock.now();
      if (left > 0) this.#watch(left);
      else this.#fail("deadline_exceeded", `${this.#context.provider} said nothing for ${formatDuration(quietMs)}.`);
    });
  }
}
