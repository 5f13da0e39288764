import { request } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

import type { Clock } from "@tuloy/contract";

import { realClock } from "./real-clock.ts";

export interface CollectOptions {
  /** Default: POST with a body, else GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Objects are sent as JSON, with its content type. */
  readonly body?: unknown;
  /** The whole exchange, in milliseconds of the clock. Default 10,000. */
  readonly timeoutMs?: number;
  /** Default 64 MiB. */
  readonly maxBytes?: number;
  readonly clock?: Clock;
  /** Sees the status as soon as the answer's head is here. */
  readonly onHead?: (status: number) => unknown;
  /** Sees every piece of the body as it comes. `false` makes the client leave at once, as a reset does. */
  readonly onData?: (bytes: Buffer, soFar: number) => unknown;
}

/** Everything of an answer, and how it ended. */
export interface Collected {
  /** Null when no status line arrived. */
  readonly status: number | null;
  readonly headers: IncomingHttpHeaders;
  /** The body's exact bytes, without the framing. */
  readonly body: Buffer;
  /** `clean`: as its framing says. `aborted`: the server broke it off. `left`: this client did. `timeout`: neither came to an end. */
  readonly ended: "clean" | "aborted" | "left" | "timeout";
  /** What Node said of an end that was not clean. */
  readonly error: string | null;
  /** Milliseconds from the start to the first byte of the body, and to the end. */
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  text(): string;
  json(): unknown;
}

/** Sends one request on a connection of its own and collects the answer to the byte. Never rejects: how it ended is a result. */
export function collect(url: string, options: CollectOptions = {}): Promise<Collected> {
  const clock = options.clock ?? realClock;
  const { timeoutMs = 10_000, maxBytes = 64 * 1024 * 1024 } = options;
  const start = clock.now();
  const pieces: Buffer[] = [];
  let size = 0;
  let firstByteMs: number | null = null;
  let response: IncomingMessage | null = null;
  const { promise, resolve } = Promise.withResolvers<Collected>();

  const finish = (ended: Collected["ended"], error: string | null): void => {
    timer.cancel();
    const body = Buffer.concat(pieces);
    resolve({
      status: response?.statusCode ?? null,
      headers: response?.headers ?? {},
      body,
      ended,
      error,
      firstByteMs,
      totalMs: clock.now() - start,
      text: () => body.toString("utf8"),
      json: () => JSON.parse(body.toString("utf8")) as unknown,
    });
    outgoing.destroy();
  };

  const { body, headers } = encode(options);
  const method = options.method ?? (body === null ? "GET" : "POST");
  // No agent: a connection of its own, so that a pooled one's state never leaks into a test.
  const outgoing = request(url, { method, headers, agent: false });
  const timer = clock.after(timeoutMs, () => finish("timeout", null));
  outgoing.on("error", (error) => finish("aborted", error.message));
  outgoing.on("response", (incoming) => {
    response = incoming;
    options.onHead?.(incoming.statusCode ?? 0);
    incoming.on("data", (bytes: Buffer) => {
      firstByteMs ??= clock.now() - start;
      pieces.push(bytes);
      size += bytes.length;
      if (options.onData?.(bytes, size) === false) finish("left", null);
      else if (size > maxBytes) finish("left", `more than ${maxBytes} bytes`);
    });
    incoming.on("error", (error) => finish("aborted", error.message));
    incoming.on("end", () => finish(incoming.complete ? "clean" : "aborted", null));
  });
  outgoing.end(body ?? undefined);
  return promise;
}

function encode(options: CollectOptions): { body: Buffer | null; headers: Record<string, string> } {
  const { body, headers = {} } = options;
  if (body === undefined) return { body: null, headers: { ...headers } };
  if (typeof body === "string") return { body: Buffer.from(body), headers: { ...headers } };
  if (body instanceof Uint8Array) return { body: Buffer.from(body), headers: { ...headers } };
  return { body: Buffer.from(JSON.stringify(body)), headers: { "content-type": "application/json", ...headers } };
}
