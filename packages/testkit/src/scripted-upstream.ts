import { createServer } from "node:net";
import type { Server, Socket } from "node:net";

import type { Clock } from "@tuloy/contract";

import { eventually } from "./eventually.ts";
import { realClock } from "./real-clock.ts";
import { Reply } from "./reply.ts";
import type { Wire } from "./reply.ts";
import { RequestReader } from "./request-reader.ts";
import type { WireRequest } from "./request-reader.ts";

/** A request that arrived, and what became of its connection. */
export interface ReceivedRequest extends WireRequest {
  /** From 0, in the order of arrival. */
  readonly index: number;
  /** Which connection it came on, from 0: equal for requests that shared one. */
  readonly socket: number;
  /** When the last byte of it was here, on the upstream's clock. */
  readonly receivedAt: number;
  /** Who closed the connection first, and when on the upstream's clock; null while it is open. */
  readonly closed: { readonly by: "peer" | "upstream"; readonly at: number } | null;
  /** The body, parsed. Throws where it is no JSON. */
  json(): unknown;
}

/** Says the reply to one request. What it throws is kept and thrown again by `close`, so that no test passes over it. */
export type Script = (reply: Reply, request: ReceivedRequest) => unknown;

export interface UpstreamOptions {
  /** For `wait(ms)` and for the times in the records. Default: real time. */
  readonly clock?: Clock;
  /** Default: any free one. */
  readonly port?: number;
}

/** A scripted HTTP/1.1 server on loopback, written on bare sockets, so that it can break every rule. */
export interface ScriptedUpstream {
  /** `http://127.0.0.1:port`, without a path. */
  readonly url: string;
  readonly port: number;
  /** Every request, in order of arrival. Live: the array grows. */
  readonly requests: readonly ReceivedRequest[];
  /** Connections that are open now. */
  readonly openSockets: number;
  /** Connections that were ever accepted. */
  readonly acceptedSockets: number;
  /** Replaces what is left of the script. */
  script(script: Script | readonly Script[]): void;
  /** Resolves with request `index` once it has arrived. Rejects after 5 s of real time. */
  received(index: number): Promise<ReceivedRequest>;
  /**
   * Resolves once the client has closed the connection on which request `index` came. Rejects when the upstream itself
   * closed it first, or after 5 s of real time.
   */
  closed(index: number): Promise<void>;
  /** From now on connections are refused by the kernel, and the live ones are reset: the server is gone. */
  refuse(): void;
  /** Listens again, on the same port. */
  accept(): Promise<void>;
  /** Ends everything. Rejects with the first error that a script threw, or with what arrived that was no request. */
  close(): Promise<void>;
}

/**
 * Starts a scripted upstream. A function answers every request. A list answers one request each, in order; a request
 * beyond its end is an error of the test: it gets a 500 that says so, and `close` rejects.
 */
export async function startUpstream(
  script: Script | readonly Script[],
  options: UpstreamOptions = {},
): Promise<ScriptedUpstream> {
  const upstream = new Upstream(script, options.clock ?? realClock);
  await upstream.listen(options.port ?? 0);
  return upstream;
}

type Received = { -readonly [K in keyof ReceivedRequest]: ReceivedRequest[K] };

class Upstream implements ScriptedUpstream {
  readonly requests: Received[] = [];
  port = 0;
  acceptedSockets = 0;
  #script: Script | Script[];
  #server: Server | null = null;
  #failure: unknown = null;
  readonly #clock: Clock;
  readonly #connections = new Set<Connection>();

  constructor(script: Script | readonly Script[], clock: Clock) {
    this.#script = typeof script === "function" ? script : [...script];
    this.#clock = clock;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get openSockets(): number {
    return this.#connections.size;
  }

  script(script: Script | readonly Script[]): void {
    this.#script = typeof script === "function" ? script : [...script];
  }

  received(index: number): Promise<ReceivedRequest> {
    return eventually(() => this.requests[index], `request ${index}`);
  }

  async closed(index: number): Promise<void> {
    await this.received(index);
    const closed = await eventually(() => this.requests[index]?.closed, `the close of request ${index}'s connection`);
    if (closed.by !== "peer") throw new Error(`the script closed request ${index}'s connection, not the client`);
  }

  listen(port: number): Promise<void> {
    // Half-open, so that a client's FIN is seen as what it is and answered by us.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#connect(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        const address = server.address();
        if (address !== null && typeof address === "object") this.port = address.port;
        resolve();
      });
    });
  }

  refuse(): void {
    // `close` gives the listening socket up at once; only its callback waits for the connections.
    this.#server?.close();
    this.#server = null;
    for (const connection of this.#connections) connection.reset();
  }

  async accept(): Promise<void> {
    if (this.#server === null) await this.listen(this.port);
  }

  async close(): Promise<void> {
    this.refuse();
    await eventually(() => this.#connections.size === 0, "the end of all connections");
    if (this.#failure !== null) throw this.#failure;
  }

  #connect(socket: Socket): void {
    const id = this.acceptedSockets++;
    const connection = new Connection(socket, this.#clock);
    this.#connections.add(connection);
    const reader = new RequestReader();
    const mine: Received[] = [];
    socket.on("data", (bytes: Buffer) => {
      try {
        for (const request of reader.push(bytes)) this.#receive(connection, { ...request, socket: id }, mine);
      } catch (error) {
        this.#fail(error);
        connection.reset();
      }
    });
    connection.onClose = (by) => {
      for (const request of mine) request.closed ??= { by, at: this.#clock.now() };
    };
    void connection.gone.then(() => this.#connections.delete(connection));
  }

  #receive(connection: Connection, request: WireRequest & { socket: number }, mine: Received[]): void {
    const received: Received = {
      ...request,
      index: this.requests.length,
      receivedAt: this.#clock.now(),
      closed: null,
      json: () => JSON.parse(request.body.toString()) as unknown,
    };
    this.requests.push(received);
    mine.push(received);
    const reply = new Reply(connection);
    const script = typeof this.#script === "function" ? this.#script : this.#script.shift();
    if (script === undefined) {
      const message = `the script has no reply for request ${received.index} (${request.method} ${request.path})`;
      this.#fail(new Error(message));
      reply.json(500, { error: { message, type: "server_error", code: "script_exhausted", param: null } });
    } else {
      void this.#say(script, reply, received);
    }
  }

  async #say(script: Script, reply: Reply, request: ReceivedRequest): Promise<void> {
    try {
      await script(reply, request);
      await reply.done;
    } catch (error) {
      this.#fail(error);
      reply.reset();
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
  }
}

class Connection implements Wire {
  readonly clock: Clock;
  readonly gone: Promise<void>;
  onClose: (by: "peer" | "upstream") => void = () => undefined;
  readonly #socket: Socket;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.clock = clock;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    socket.on("end", () => {
      this.onClose("peer");
      // Not `end`: a client that sent FIN reads nothing more, and what waits to be written would keep the socket open.
      socket.destroy();
    });
    socket.on("error", () => this.onClose("peer"));
    socket.on("close", () => {
      this.onClose("peer");
      resolve();
    });
  }

  isGone(): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded;
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      // A failed write means a lost connection, which `close` reports.
      this.#socket.write(bytes, () => resolve());
      if (this.#socket.destroyed) resolve();
    });
  }

  fin(): void {
    this.onClose("upstream");
    this.#socket.end();
  }

  reset(): void {
    this.onClose("upstream");
    this.#socket.resetAndDestroy();
  }
}
