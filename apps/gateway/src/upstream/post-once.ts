import type { Dispatcher } from "undici";
import Client from "undici/lib/dispatcher/client.js";

import { deniedLiteral, guardedLookup } from "./address-guard.ts";

export interface PostedAnswer {
  readonly status: number;
  readonly body: string;
}

/** For what the gateway asks on its own account. It is small, and nobody waits for it long. */
const limitMs = 10_000;
const maxBytes = 256 * 1024;

/**
 * One POST over a connection of its own, by the same rules of addresses as every call to a provider.
 * @param permitPrivate also to addresses inside the network
 * @param headers flat: name, value, name, value
 * @throws when the address is denied, or no whole answer of at most 256 KB comes in time
 */
export async function postOnce(
  url: URL,
  permitPrivate: boolean,
  headers: readonly string[],
  body: string,
): Promise<PostedAnswer> {
  const denied = permitPrivate ? null : deniedLiteral(url);
  if (denied !== null) throw denied;
  const { promise, resolve, reject } = Promise.withResolvers<PostedAnswer>();
  const client = new Client(url.origin, {
    allowH2: false,
    headersTimeout: limitMs,
    bodyTimeout: limitMs,
    connect: permitPrivate ? { timeout: limitMs } : { timeout: limitMs, lookup: guardedLookup },
  });
  client.dispatch(
    { path: url.pathname + url.search, method: "POST", headers: [...headers], body },
    new Gathering(resolve, reject),
  );
  try {
    return await promise;
  } finally {
    void client.destroy();
  }
}

class Gathering implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: PostedAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;

  constructor(resolve: (answer: PostedAnswer) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > maxBytes) controller.abort(new Error(`the answer is larger than ${maxBytes / 1024} KB`));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#resolve({ status: this.#status, body: Buffer.concat(this.#chunks).toString("utf8") });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}
