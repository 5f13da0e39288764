import { createServer, type Server, type ServerResponse } from "node:http";

import { jsonAnswer, streamEvents } from "./answers.ts";

const eventStream = { "content-type": "text/event-stream" };
/** Pieces of content in a whole answer, and how many of them are sent before a cut in the middle. */
export const contentPieces = 8;
export const piecesBeforeCut = 3;
const [role = "", ...events] = streamEvents("bench-sse", contentPieces);
/** The finish reason and the terminator. */
const ending = events.slice(contentPieces).join("");
/** Whole, and without content: its usage says 0 completion tokens, as that of a provider would. */
const emptyStream = streamEvents("bench-sse", 0).join("");

function refuse(response: ServerResponse, status: number, error: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify({ error }));
}

/** The ways to fail, as providers do: all but the last before any content. `refuse`, where nobody listens, is not an answer and not here. */
const faults = {
  reset: (response) => response.socket?.resetAndDestroy(),
  "503": (response) => refuse(response, 503, { message: "The engine is currently overloaded", type: "server_error" }),
  "529": (response) => refuse(response, 529, { message: "Overloaded", type: "overloaded_error" }),
  "429": (response) =>
    refuse(response, 429, { message: "Rate limit reached", code: "rate_limit_exceeded" }, { "retry-after": "20" }),
  "401": (response) => refuse(response, 401, { message: "Incorrect API key provided", code: "invalid_api_key" }),
  "404": (response) => refuse(response, 404, { message: "The model does not exist", code: "model_not_found" }),
  hang: () => undefined,
  "headers, then silence": (response) => response.writeHead(200, eventStream).flushHeaders(),
  html: (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>Back soon</html>"),
  "error event": (response) =>
    response.writeHead(200, eventStream).end(`${role}data: {"error":{"message":"Internal error","code":500}}\n\n`),
  empty: (response) => response.writeHead(200, eventStream).end(emptyStream),
  cut: (response) => {
    response.writeHead(200, eventStream).write(role, () => response.socket?.destroy());
  },
  "cut in the middle": (response) => {
    const begun = role + events.slice(0, piecesBeforeCut).join("");
    response.writeHead(200, eventStream).write(begun, () => response.socket?.destroy());
  },
} as const satisfies Readonly<Record<string, (response: ServerResponse) => unknown>>;

export type Fault = keyof typeof faults;
export const faultNames = Object.keys(faults) as Fault[];

/** An upstream in this process, so that its times and the client's are on one clock. It streams eight words at once. */
export class FaultyUpstream {
  /** How it answers from now on; null: as it should. */
  fault: Fault | null = null;
  /** When each request had arrived whole, on `performance.now()`'s clock. */
  readonly arrivals: number[] = [];
  /** When it began a good answer. */
  readonly served: number[] = [];
  /** When it last failed a request. */
  failedAt = Number.NaN;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer({ noDelay: true }, (request, response) => {
      // A connection that breaks while a fault is played is part of the play.
      request.on("error", () => undefined);
      response.on("error", () => undefined);
      let body = "";
      request.setEncoding("latin1");
      request.on("data", (chunk: string) => {
        body += chunk;
      });
      request.on("end", () => this.#answer(response, body));
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  static async listen(port: number): Promise<FaultyUpstream> {
    const upstream = new FaultyUpstream();
    const { promise, resolve, reject } = Promise.withResolvers<FaultyUpstream>();
    upstream.#server.once("error", reject);
    upstream.#server.listen({ port, host: "127.0.0.1", backlog: 4096 }, () => resolve(upstream));
    return promise;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(response: ServerResponse, body: string): void {
    // A gateway's probe asks for a whole answer.
    const streams = body.includes('"stream":true');
    const now = performance.now();
    this.arrivals.push(now);
    if (this.fault !== null) {
      this.failedAt = now;
      faults[this.fault](response);
      return;
    }
    this.served.push(now);
    if (!streams) {
      response.writeHead(200, { "content-type": "application/json" }).end(jsonAnswer());
      return;
    }
    response.writeHead(200, eventStream).end(role + events.slice(piecesIn(body), contentPieces).join("") + ending);
  }
}

/** How much of the answer a request brings along, to be gone on with: a last message of the assistant's. */
function piecesIn(body: string): number {
  const { messages } = JSON.parse(body) as { messages: { role: string; content: string }[] };
  const last = messages.at(-1);
  return last?.role === "assistant" ? last.content.trim().split(" ").length : 0;
}
