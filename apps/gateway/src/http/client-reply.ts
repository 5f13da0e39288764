import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

/** The answer to one client, on the raw response. Writing after the client left does nothing. */
export class ClientReply {
  readonly #response: ServerResponse;
  #status = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    // Without a listener, a write that fails because the client reset its connection would end the process.
    response.on("error", ignore);
  }

  /** The status sent, or 0 before one was. */
  get status(): number {
    return this.#status;
  }

  get started(): boolean {
    return this.#status !== 0;
  }

  /** Calls back once if the client leaves before the whole answer was handed to its connection. */
  onGone(run: () => void): void {
    this.#response.once("close", () => {
      if (!this.#response.writableFinished) run();
    });
  }

  start(status: number, headers: OutgoingHttpHeaders): void {
    if (this.#status !== 0) return;
    this.#status = status;
    if (!this.#response.destroyed) this.#response.writeHead(status, headers);
  }

  /** @returns false when the client reads slower than we write: wait for `onDrain` */
  write(bytes: Buffer): boolean {
    return this.#response.destroyed || this.#response.write(bytes);
  }

  onDrain(run: () => void): void {
    this.#response.once("drain", run);
  }

  end(bytes?: Buffer): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    if (bytes) this.#response.end(bytes);
    else this.#response.end();
  }

  /** Sends a whole answer at once. */
  send(status: number, headers: OutgoingHttpHeaders, body: Buffer): void {
    if (this.#status !== 0) return;
    headers["content-length"] = body.length;
    this.start(status, headers);
    this.end(body);
  }
}

function ignore(): void {}
