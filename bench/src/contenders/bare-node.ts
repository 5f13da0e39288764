/**
 * The least a Node proxy can do: `node:http` in, undici's `dispatch` out, bytes piped both ways with back-pressure, and the
 * upstream aborted when the client leaves. No routing, no key, no timers, no record. What Tuloy costs beyond this is the
 * price of its features.
 *
 * `node bare-node.ts <port> <upstream port>`
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { type Dispatcher, Pool } from "undici";

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { allowH2: false, headersTimeout: 0, bodyTimeout: 0 });

class Relay implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  #controller: Dispatcher.DispatchController | null = null;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on("close", () => {
      if (!response.writableFinished) this.#controller?.abort(new Error("the client left"));
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#response.destroyed) controller.abort(new Error("the client left"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    const { connection, "transfer-encoding": framing, ...forwarded } = headers;
    this.#response.writeHead(status, forwarded);
    // Without this a stream's head waits for its first event.
    if (framing !== undefined || connection !== undefined) this.#response.flushHeaders();
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#response.write(bytes)) return;
    controller.pause();
    this.#response.once("drain", () => controller.resume());
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy();
    else this.#response.writeHead(502).end();
  }
}

function relay(request: IncomingMessage, response: ServerResponse): void {
  pool.dispatch(
    {
      path: request.url ?? "/",
      method: request.method ?? "GET",
      headers: {
        "content-type": request.headers["content-type"],
        "content-length": request.headers["content-length"],
      },
      body: request.method === "GET" ? null : request,
    },
    new Relay(response),
  );
}

createServer({ noDelay: true }, relay).listen({ port, host: "127.0.0.1", backlog: 1024 }, () =>
  console.log("listening"),
);
process.once("SIGTERM", () => process.exit(0));
