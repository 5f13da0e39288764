import type { Deployment } from "@tuloy/contract";

import { ChunkWriter, completionObject, type ChatAnswer } from "../../sandbox/chat-answer.ts";
import { embeddingsAnswer } from "../../sandbox/embeddings.ts";
import { errorBody } from "../../sandbox/exchange.ts";
import { errorAnswers, type ApiError } from "../../sandbox/faults.ts";
import { welcomePage, retryAfterHeader } from "../../sandbox/strike.ts";
import type { CarriedHandler, UpstreamRequest } from "../outlet.ts";
import type { ReplacingFault } from "./laying.ts";
import { connectionError, FaultyLine, type FaultHost } from "./line.ts";

const heartbeatMs = 250;

/** Stands in for a provider that fails: tells a call's handler what a connection to it would, without one. */
export class StandIn extends FaultyLine {
  readonly #fault: ReplacingFault;
  readonly #deployment: Deployment;
  readonly #stream: boolean;

  constructor(fault: ReplacingFault, request: UpstreamRequest, handler: CarriedHandler, host: FaultHost) {
    super(handler, host);
    this.#fault = fault;
    this.#deployment = request.deployment;
    this.#stream = request.stream;
  }

  /** Nothing is told before this returns, as nothing of a network is. */
  start(): void {
    this.holdUp();
    setImmediate(() => this.#strike());
  }

  #strike(): void {
    if (this.over) return;
    if (this.#fault.name === "refuse") return this.fail(connectionError("ECONNREFUSED", "connect ECONNREFUSED"));
    this.handler.onRequestStart?.(this, null);
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
        return this.#answer(200, "text/html; charset=utf-8", welcomePage);
      case "error-event": {
        const error = JSON.stringify(errorBody(errorAnswers["500"]));
        return this.#answer(200, this.#contentType, this.#stream ? `data: ${error}\n\n` : error);
      }
      case "429":
        return this.#error(errorAnswers["429"], retryAfterHeader(this.#fault.ms));
      case "500":
      case "503":
      case "529":
      case "quota":
      case "401":
      case "403":
      case "404":
        return this.#error(errorAnswers[this.#fault.name]);
    }
  }

  get #contentType(): string {
    return this.#stream ? "text/event-stream; charset=utf-8" : "application/json";
  }

  #error(error: ApiError, headers: Readonly<Record<string, string>> = {}): void {
    this.#answer(error.status, "application/json", JSON.stringify(errorBody(error)), headers);
  }

  #answer(status: number, type: string, text: string, headers: Readonly<Record<string, string>> = {}): void {
    this.head(status, { ...headers, "content-type": type });
    this.data(Buffer.from(text));
    this.end();
  }

  #beat(): void {
    if (this.over) return;
    if (!this.paused) this.data(Buffer.from(this.#stream ? ": PROCESSING\n\n" : " "));
    this.after(heartbeatMs, () => this.#beat());
  }

  #emptyAnswer(): string {
    const { operation, upstreamModel } = this.#deployment;
    if (operation === "embeddings") {
      return JSON.stringify(
        embeddingsAnswer({ model: upstreamModel, inputs: [], dimensions: 1, base64: false, promptTokens: 0 }),
      );
    }
    const answer = emptyChat(upstreamModel, this.host.clock.wall());
    if (!this.#stream) return JSON.stringify(completionObject(answer));
    const writer = new ChunkWriter(answer);
    return writer.role() + writer.ending(true);
  }
}

function emptyChat(model: string, wall: number): ChatAnswer {
  return {
    id: "chatcmpl-drill",
    created: Math.floor(wall / 1000),
    ask: {
      model,
      stream: true,
      includeUsage: true,
      maxTokens: null,
      jsonObject: false,
      prompt: "",
      begun: null,
      lastUserText: "",
      promptTokens: 0,
    },
    pieces: [],
    finishReason: "stop",
  };
}
