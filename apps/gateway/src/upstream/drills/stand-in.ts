import { failureForms, type FailureForms, type SimulatedError } from "@tuloy/dialects";

import { errorAnswers } from "../../sandbox/faults.ts";
import { welcomePage } from "../../sandbox/strike.ts";
import { connectionError } from "../connection-error.ts";
import type { CallHandler, UpstreamRequest } from "../outlet.ts";
import type { ReplacingFault } from "./laying.ts";
import { FaultyLine, type FaultHost } from "./line.ts";

const heartbeatMs = 250;

/**
 * Stands in for a provider that fails: tells a call's handler what a connection to it would, without one, in the dialect that the
 * provider is spoken to in.
 */
export class StandIn extends FaultyLine {
  readonly #fault: ReplacingFault;
  readonly #request: UpstreamRequest;
  readonly #forms: FailureForms;

  constructor(fault: ReplacingFault, request: UpstreamRequest, handler: CallHandler, host: FaultHost) {
    super(handler, host);
    this.#fault = fault;
    this.#request = request;
    this.#forms = failureForms[request.dialect];
  }

  /** Nothing is told before this returns, as nothing of a network is. */
  start(): void {
    this.holdUp();
    setImmediate(() => this.#strike());
  }

  #strike(): void {
    if (this.over) return;
    if (this.#fault.name === "refuse") return this.fail(connectionError("ECONNREFUSED", "connect ECONNREFUSED"));
    this.handler.onRequestStart(this, false);
    if (this.over) return;
    switch (this.#fault.name) {
      case "reset":
        return this.fail(connectionError("ECONNRESET", "read ECONNRESET"));
      case "hang":
        return;
      case "headers-then-silence":
        return this.head(200, { "content-type": this.#contentType });
      case "comments":
        this.head(200, { "content-type": this.#contentType });
        return this.#beat();
      case "empty":
        return this.#answer(200, this.#contentType, this.#emptyAnswer());
      case "html":
        return this.#answer(200, "text/html; charset=utf-8", Buffer.from(welcomePage));
      case "error-event": {
        const error = this.#errorCalled("500", null);
        const { body } = this.#forms.errorAnswer(error);
        return this.#answer(
          200,
          this.#contentType,
          this.#request.stream ? this.#forms.errorEvent(error) : Buffer.from(body),
        );
      }
      case "429":
        return this.#error(this.#errorCalled("429", this.#fault.ms));
      case "500":
      case "503":
      case "529":
      case "quota":
      case "401":
      case "403":
      case "404":
        return this.#error(this.#errorCalled(this.#fault.name, null));
    }
  }

  get #contentType(): string {
    return this.#request.stream ? this.#forms.streamType : "application/json";
  }

  #errorCalled(name: keyof typeof errorAnswers, retryAfterMs: number | null): SimulatedError {
    const { upstreamModel: model } = this.#request.deployment;
    const error = { name, retryAfterMs, model, ...errorAnswers[name] };
    return name === "404" ? { ...error, message: `The model \`${model}\` does not exist.` } : error;
  }

  #error(error: SimulatedError): void {
    const { status, headers, body } = this.#forms.errorAnswer(error);
    this.#answer(status, "application/json", Buffer.from(body), headers);
  }

  #answer(status: number, type: string, body: Buffer, headers: Readonly<Record<string, string>> = {}): void {
    this.head(status, { ...headers, "content-type": type });
    this.data(body);
    this.end();
  }

  #beat(): void {
    if (this.over) return;
    if (!this.paused) this.data(this.#request.stream ? this.#forms.keepAlive : whiteSpace);
    this.after(heartbeatMs, () => this.#beat());
  }

  #emptyAnswer(): Buffer {
    const { deployment, stream, body } = this.#request;
    const created = Math.floor(this.host.clock.wall() / 1000);
    return this.#forms.emptyAnswer({ model: deployment.upstreamModel, stream, created, request: body });
  }
}

const whiteSpace = Buffer.from(" ");
