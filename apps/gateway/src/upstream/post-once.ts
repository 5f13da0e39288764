import { systemClock } from "../clock.ts";
import { deniedLiteral } from "./address-guard.ts";
import { connectionError } from "./connection-error.ts";
import { OriginPool } from "./origin-pool.ts";
import type { CallControl, CallHandler } from "./outlet.ts";

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
 * @throws when the address is denied, or no whole answer of at most 256 KB comes within ten seconds
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
  const pool = new OriginPool({ origin: url.origin, private: permitPrivate }, systemClock);
  const late = systemClock.after(limitMs, () =>
    reject(connectionError("ETIMEDOUT", `no whole answer from ${url.origin} within ${limitMs / 1000} s`)),
  );
  const request = { method: "POST", path: url.pathname + url.search, headers, body: Buffer.from(body) } as const;
  pool.dispatch(request, new Gathering(resolve, reject));
  try {
    return await promise;
  } finally {
    late.cancel();
    pool.destroy();
  }
}

class Gathering implements CallHandler {
  readonly #resolve: (answer: PostedAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  #control: CallControl | null = null;
  #bytes = 0;
  #status = 0;

  constructor(resolve: (answer: PostedAnswer) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(control: CallControl): void {
    this.#control = control;
  }

  onResponseStart(status: number): void {
    this.#status = status;
  }

  onResponseData(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > maxBytes) this.#control?.abort(new Error(`the answer is larger than ${maxBytes / 1024} KB`));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#resolve({ status: this.#status, body: Buffer.concat(this.#chunks).toString("utf8") });
  }

  onResponseError(error: Error): void {
    this.#reject(error);
  }

  drilledBy(): void {}
}
