import type { ServerResponse } from "node:http";

import type { Clock, Timer } from "@tuloy/contract";

import type { ApiError } from "./faults.ts";

/** One request's answer under way: what writes it, with its one timer, which dies with the connection. */
export class Exchange {
  readonly response: ServerResponse;
  readonly clock: Clock;
  #timer: Timer | null = null;
  /** Writes that are not yet in the kernel's hands. */
  #underway = 0;
  #dropping = false;

  constructor(response: ServerResponse, clock: Clock, onEnd: (aborted: boolean) => void) {
    this.response = response;
    this.clock = clock;
    response.once("close", () => {
      this.#timer?.cancel();
      onEnd(!response.writableFinished);
    });
  }

  /** Runs the next step after so many milliseconds, unless the client is gone by then. There is at most one next step. */
  after(ms: number, run: () => void): void {
    this.#timer?.cancel();
    if (!this.response.closed) this.#timer = this.clock.after(ms, run);
  }

  /** Writes a part of the body. False: the client does not keep up, and `drained` tells when it does. */
  write(text: string): boolean {
    this.#underway++;
    return this.response.write(text, this.#written);
  }

  /** Runs the next step once the client has taken what was written. */
  drained(run: () => void): void {
    this.response.once("drain", run);
  }

  sendJson(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.send(status, "application/json", JSON.stringify(body), headers);
  }

  sendError(error: ApiError, headers: Readonly<Record<string, string>> = {}): void {
    this.sendJson(error.status, errorBody(error), headers);
  }

  send(status: number, contentType: string, text: string, headers: Readonly<Record<string, string>> = {}): void {
    const bytes = Buffer.from(text);
    this.response.writeHead(status, { ...headers, "content-type": contentType, "content-length": bytes.length });
    this.response.end(bytes);
  }

  /** Status 200 and the headers alone, now. */
  sendHead(contentType: string, length?: number): void {
    const headers = { "content-type": contentType, "cache-control": "no-cache" };
    this.response.writeHead(200, length === undefined ? headers : { ...headers, "content-length": length });
    this.response.flushHeaders();
  }

  /** Drops the connection after what was written, with FIN and no end of the body. */
  drop(): void {
    if (this.#underway === 0) this.response.socket?.destroySoon();
    else this.#dropping = true;
  }

  /** Resets the connection, at once. */
  reset(): void {
    this.response.socket?.resetAndDestroy();
  }

  readonly #written = (): void => {
    this.#underway--;
    if (this.#dropping) this.drop();
  };
}

/** An error in OpenAI's form. */
export function errorBody({ message, type, code }: ApiError): Record<string, unknown> {
  return { error: { message, type, param: null, code } };
}
