import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { Clock, SandboxContinuation } from "@tuloy/contract";

import { createServer } from "../http/node-http.ts";
import { readChatAsk, readEmbeddingsAsk } from "./ask.ts";
import type { ChatAsk, EmbeddingsAsk } from "./ask.ts";
import { readBody } from "./body.ts";
import { answerChat, completionObject } from "./chat-answer.ts";
import { embeddingsAnswer } from "./embeddings.ts";
import { Exchange } from "./exchange.ts";
import { FaultSwitch } from "./fault-switch.ts";
import type { FaultScope } from "./fault-switch.ts";
import { errorAnswers, faultNamed, parseFault, sandboxFaults } from "./faults.ts";
import type { ApiError, SandboxFault, SandboxFaultName } from "./faults.ts";
import { PacedStream } from "./paced-stream.ts";
import type { Pace } from "./paced-stream.ts";
import { sendPaced, strike } from "./strike.ts";

export interface SandboxOptions {
  readonly clock: Clock;
  /** Numbers from 0 to 1: for the jitter of the first token and for faults that strike a share of the requests. */
  readonly random: () => number;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Requests must bring one of these as `Authorization: Bearer …`. Absent or empty: no key is asked for. */
  readonly apiKeys?: readonly string[];
  /** The models that are served. Absent: every name is. */
  readonly models?: readonly string[];
  /** Default 80; Infinity writes everything at once. */
  readonly tokensPerSecond?: number;
  /** Milliseconds to the first token, ±10%. Default 150. */
  readonly firstTokenMs?: number;
  /** About how many tokens an answer has. Absent: 40 to 120, by the prompt. */
  readonly answerTokens?: number;
  /** What is done with a last assistant message. Default exact. */
  readonly continuation?: SandboxContinuation;
  /** A last user message with `[[fault:name]]` or `[[fault:name:number]]` asks for that fault. Default false. */
  readonly promptFaults?: boolean;
}

interface SandboxStats {
  /** Chat and embeddings requests so far, and how many of them are being answered now. */
  readonly requests: number;
  readonly active: number;
  /** Whose connection ended before the answer did, whoever ended it. */
  readonly aborted: number;
  /** How often each fault struck. `refuse` is not seen here: refused connections never arrive. */
  readonly faults: Readonly<Partial<Record<SandboxFaultName, number>>>;
}

/** A simulated provider: a real HTTP server on loopback that speaks OpenAI's dialect, with faults to order. */
export interface Sandbox {
  /** The base URL, `/v1` included. The same for its whole life. */
  readonly url: string;
  readonly stats: SandboxStats;
  /** The fault that is switched on for requests in general, or null. */
  readonly fault: SandboxFault | null;
  /**
   * Switches a fault on for requests that come from now on, or off; a name stands for the fault with its usual parameter.
   * Answers under way go on, except under `refuse`, which is `kill`. A request's own fault (header `x-sandbox-fault`, or
   * its prompt) comes before this one. Rejects with a RangeError for a scope that is none, or as `revive` does.
   */
  setFault(fault: SandboxFault | SandboxFaultName | null, scope?: FaultScope): Promise<void>;
  /** The server is gone at once: connections are refused, open ones dropped. */
  kill(): void;
  /** Listens again on the same port, and ends a `refuse`. Rejects when another process has taken the port meanwhile. */
  revive(): Promise<void>;
  /** Ends it for good. */
  close(): Promise<void>;
}

/** Starts a simulated provider. Rejects when the port is taken. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const sandbox = new SandboxServer(options);
  await sandbox.listen(options.port ?? 0);
  return sandbox;
}

const defaultModels = ["sandbox-chat", "sandbox-embeddings"] as const;

class SandboxServer implements Sandbox {
  url = "";
  readonly stats = { requests: 0, active: 0, aborted: 0, faults: {} as Partial<Record<SandboxFaultName, number>> };
  readonly #options: SandboxOptions;
  readonly #faults: FaultSwitch;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  #answers = 0;
  #server: Server | null = null;
  #closed = false;

  constructor(options: SandboxOptions) {
    this.#options = options;
    this.#faults = new FaultSwitch(options.random);
  }

  get fault(): SandboxFault | null {
    return this.#faults.fault;
  }

  async setFault(fault: SandboxFault | SandboxFaultName | null, scope: FaultScope = {}): Promise<void> {
    const before = this.#faults.fault;
    this.#faults.set(typeof fault === "string" ? faultNamed(fault) : fault, scope);
    if (this.#faults.fault?.name === "refuse") this.kill();
    else if (before?.name === "refuse") await this.revive();
  }

  kill(): void {
    // The listening socket is given up at once; only the callback of `close` waits for connections.
    this.#server?.close();
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
  }

  async revive(): Promise<void> {
    if (this.#closed) throw new Error("the sandbox is closed");
    if (this.#faults.fault?.name === "refuse") this.#faults.set(null, {});
    if (this.#server === null) await this.listen(this.#port);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const gone = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    this.kill();
    await Promise.all(gone);
  }

  listen(port: number): Promise<void> {
    // Idle connections are kept until the client closes them: a race between its next request and a timeout here would
    // look like a fault that nobody asked for.
    const server = createServer({ keepAliveTimeout: 0 }, (request, response) => void this.#serve(request, response));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", (error) => {
        this.#server = null;
        reject(error);
      });
      server.listen(port, "127.0.0.1", () => {
        const address = server.address();
        if (address !== null && typeof address === "object") this.#port = address.port;
        this.url = `http://127.0.0.1:${this.#port}/v1`;
        resolve();
      });
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const operation = request.method === "POST" ? operations.get(path) : undefined;
    if (operation !== undefined) this.stats.requests++;
    const counted = operation === undefined ? 0 : 1;
    this.stats.active += counted;
    const exchange = new Exchange(response, this.#options.clock, (aborted) => {
      this.stats.active -= counted;
      if (aborted) this.stats.aborted += counted;
    });
    if (!this.#admits(request)) exchange.sendError(errorAnswers["401"]);
    else if (operation === undefined) this.#describe(exchange, request.method, path);
    else await this.#answer(exchange, request, operation);
  }

  #admits(request: IncomingMessage): boolean {
    const { apiKeys = [] } = this.#options;
    return apiKeys.length === 0 || apiKeys.some((key) => request.headers.authorization === `Bearer ${key}`);
  }

  /** Lists the models, also during faults: at real providers too this list stays healthy while nothing else does. */
  #describe(exchange: Exchange, method: string | undefined, path: string): void {
    const models = this.#options.models ?? defaultModels;
    const entry = (id: string): object => ({ id, object: "model", created: 0, owned_by: "sandbox" });
    const asked = path.startsWith("/v1/models/") ? decodeName(path.slice("/v1/models/".length)) : null;
    if (method !== "GET" || (path !== "/v1/models" && asked === null)) exchange.sendError(unknownPath(method, path));
    else if (asked === null) exchange.sendJson(200, { object: "list", data: models.map(entry) });
    else if (this.#serves(asked)) exchange.sendJson(200, entry(asked));
    else exchange.sendError(errorAnswers["404"]);
  }

  #serves(model: string): boolean {
    return this.#options.models?.includes(model) ?? true;
  }

  async #answer(exchange: Exchange, request: IncomingMessage, operation: "chat" | "embeddings"): Promise<void> {
    let read: Awaited<ReturnType<typeof readBody>>;
    try {
      read = await readBody(request);
    } catch {
      // The client left while it was sending; its connection's end has been counted.
      return;
    }
    if (!read.ok) {
      exchange.sendError(read.error);
      return;
    }
    const asked = operation === "chat" ? readChatAsk(read.body) : readEmbeddingsAsk(read.body);
    if (!asked.ok) exchange.sendError(asked.error);
    else if (!this.#serves(asked.ask.model)) exchange.sendError(errorAnswers["404"]);
    else this.#answerAsk(exchange, asked.ask, request.headers["x-sandbox-fault"]);
  }

  #answerAsk(exchange: Exchange, ask: ChatAsk | EmbeddingsAsk, header: string | string[] | undefined): void {
    const own = this.#ownFault(ask, header);
    if (own === "unknown") {
      exchange.sendError(unknownFault);
      return;
    }
    const fault = own ?? this.#faults.next();
    if (fault !== null) this.stats.faults[fault.name] = (this.stats.faults[fault.name] ?? 0) + 1;
    const stream = "stream" in ask && ask.stream;
    const pace = this.#pace(fault);
    if (fault !== null && strike(exchange, fault, pace, stream)) return;
    if ("prompt" in ask) this.#answerChat(exchange, ask, pace, fault);
    else
      sendPaced(
        exchange,
        embeddingsAnswer(fault?.name === "empty" ? { ...ask, inputs: [] } : ask),
        pace.firstTokenMs,
        fault,
      );
  }

  #answerChat(exchange: Exchange, ask: ChatAsk, pace: Pace, fault: SandboxFault | null): void {
    // With the port, so that no two sandboxes give the same id: mixed answers would look like one.
    const id = `chatcmpl-sandbox-${this.#port}-${++this.#answers}`;
    const created = Math.floor(this.#options.clock.wall() / 1000);
    const { answerTokens: length, continuation } = this.#options;
    if (ask.begun !== null && continuation === "reject") {
      exchange.sendError(noPrefix);
      return;
    }
    const whole = answerChat(ask, id, created, { length, continuation });
    const answer = fault?.name === "empty" ? { ...whole, pieces: [], finishReason: "stop" as const } : whole;
    if (ask.stream) new PacedStream(exchange, answer, pace, fault).start();
    else sendPaced(exchange, completionObject(answer), pace.firstTokenMs + answer.pieces.length * pace.tokenMs, fault);
  }

  #pace(fault: SandboxFault | null): Pace {
    const { firstTokenMs = 150, tokensPerSecond = 80, random } = this.#options;
    return {
      firstTokenMs: fault?.name === "slow-first-token" ? fault.ms : firstTokenMs * (0.9 + 0.2 * random()),
      tokenMs: 1000 / tokensPerSecond,
    };
  }

  #ownFault(ask: ChatAsk | EmbeddingsAsk, header: string | string[] | undefined): SandboxFault | "unknown" | null {
    const prompted = this.#options.promptFaults === true && "lastUserText" in ask ? ask.lastUserText : "";
    const text = typeof header === "string" ? header : /\[\[fault:([^\]]*)\]\]/.exec(prompted)?.[1];
    if (text === undefined) return null;
    const fault = parseFault(text);
    // `refuse` is the absence of a server, which one request cannot have.
    return fault === null || fault.name === "refuse" ? "unknown" : fault;
  }
}

const operations: ReadonlyMap<string, "chat" | "embeddings"> = new Map([
  ["/v1/chat/completions", "chat"],
  ["/v1/embeddings", "embeddings"],
]);

const unknownFault: ApiError = {
  status: 400,
  type: "invalid_request_error",
  code: "unknown_fault",
  message: `A request's fault is one of: ${Object.keys(sandboxFaults)
    .filter((name) => name !== "refuse")
    .join(", ")}; with a number after a colon where it takes one.`,
};

const noPrefix: ApiError = {
  status: 400,
  type: "invalid_request_error",
  code: null,
  message: "The conversation must end with a user message: this model does not go on from an assistant message.",
};

function unknownPath(method: string | undefined, path: string): ApiError {
  return { status: 404, type: "invalid_request_error", code: null, message: `Unknown request URL: ${method} ${path}.` };
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
