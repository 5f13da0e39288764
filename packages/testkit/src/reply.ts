import { STATUS_CODES } from "node:http";

import type { Clock } from "@tuloy/contract";

/**
 * How a body's end is told: by chunks, by a length in bytes, or by closing the connection.
 * With a length, more or fewer bytes may be sent than it promises: the upstream may lie.
 */
export type Framing = "chunked" | "fin" | number;

export type HeaderFields = Readonly<Record<string, string | readonly string[]>>;

/** A moment: after so many milliseconds of the upstream's clock, or when a promise settles or a signal aborts. */
export type Until = number | PromiseLike<unknown> | AbortSignal;

/** What a reply needs of its connection. */
export interface Wire {
  readonly clock: Clock;
  /** Settles when the bytes are in the kernel's hands, or the connection is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the sending side in good order, after what was written. */
  fin(): void;
  /** Sends RST, after what was written. */
  reset(): void;
  /** Resolves when the connection is gone, whoever closed it. */
  readonly gone: Promise<void>;
  isGone(): boolean;
}

/**
 * One answer, said step by step, exactly as it is to go over the wire. Calls only line up steps, which run in order, one
 * after the other; a step on a connection that is gone does nothing. A reply that is given no further step stays open:
 * nothing is added to it, no header, no terminator.
 */
export class Reply {
  readonly #wire: Wire;
  #framing: Framing = "chunked";
  #done: Promise<void> = Promise.resolve();
  #cut: { left: number; readonly how: "fin" | "reset" } | null = null;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Settles when every step that was lined up so far has run. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** The status line alone: more can be withheld after it. */
  status(code: number, reason: string = STATUS_CODES[code] ?? "Unknown"): this {
    return this.raw(`HTTP/1.1 ${code} ${reason}\r\n`);
  }

  /** The header fields, the one for the framing included, and the blank line that ends them. */
  headers(fields: HeaderFields, framing: Framing = "chunked"): this {
    this.#framing = framing;
    const framed =
      framing === "chunked"
        ? { ...fields, "transfer-encoding": "chunked" }
        : framing === "fin"
          ? { ...fields, connection: "close" }
          : { ...fields, "content-length": String(framing) };
    return this.raw(`${fieldLines(framed)}\r\n`);
  }

  /** A 1xx answer before the real one. */
  informational(code: number, fields: HeaderFields = {}): this {
    return this.raw(`HTTP/1.1 ${code} ${STATUS_CODES[code] ?? "Unknown"}\r\n${fieldLines(fields)}\r\n`);
  }

  /** A part of the body; framed as one chunk where the body is chunked. */
  chunk(data: string | Uint8Array): this {
    const bytes = Buffer.from(data);
    if (this.#framing !== "chunked") return this.raw(bytes);
    // An empty chunk would be the terminator, which only `end` writes.
    if (bytes.length === 0) return this;
    return this.raw(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]));
  }

  /** The data in pieces of `size` bytes, a chunk each, `everyMs` apart. */
  trickle(data: string | Uint8Array, size = 1, everyMs = 0): this {
    const bytes = Buffer.from(data);
    for (let at = 0; at < bytes.length; at += size) {
      if (at > 0 && everyMs > 0) this.wait(everyMs);
      this.chunk(bytes.subarray(at, at + size));
    }
    return this;
  }

  /** Bytes as they are: half a header, garbage, a chunk size that lies. */
  raw(data: string | Uint8Array): this {
    const bytes = Buffer.from(data);
    return this.#then(() => this.#write(bytes));
  }

  /** Nothing happens until then, or until the connection is gone. */
  wait(until: Until): this {
    return this.#then(() => this.#wait(until));
  }

  /** The body's end in good order: the last chunk, or FIN where only FIN tells it. The connection is kept otherwise. */
  end(): this {
    if (this.#framing === "chunked") return this.raw("0\r\n\r\n");
    return this.#framing === "fin" ? this.fin() : this;
  }

  /** Closes the connection with FIN, whether the body is whole or not. */
  fin(): this {
    return this.#then(() => this.#wire.fin());
  }

  /** Closes the connection with RST. As the first step: before any byte. */
  reset(): this {
    return this.#then(() => this.#wire.reset());
  }

  /** Says that nothing more comes: accepts and never answers. A step that is there to be read. */
  silence(): this {
    return this;
  }

  /** From here on at most `bytes` more go over the wire, framing included; then the connection ends at exactly that byte. */
  cutAt(bytes: number, how: "fin" | "reset" = "fin"): this {
    return this.#then(() => {
      this.#cut = { left: bytes, how };
      this.#endIfCut();
    });
  }

  /** Status 200 and the headers of an event stream. */
  eventStream(framing: Framing = "chunked", fields: HeaderFields = {}): this {
    return this.status(200).headers({ "content-type": "text/event-stream; charset=utf-8", ...fields }, framing);
  }

  /** A whole JSON answer with its length. */
  json(status: number, body: unknown, fields: HeaderFields = {}): this {
    const bytes = Buffer.from(JSON.stringify(body));
    return this.status(status)
      .headers({ "content-type": "application/json", ...fields }, bytes.length)
      .chunk(bytes);
  }

  #then(step: () => void | Promise<void>): this {
    this.#done = this.#done.then(() => (this.#wire.isGone() ? undefined : step()));
    return this;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const cut = this.#cut;
    if (cut === null) return this.#wire.write(bytes);
    const allowed = bytes.subarray(0, cut.left);
    cut.left -= allowed.length;
    if (allowed.length > 0) await this.#wire.write(allowed);
    this.#endIfCut();
  }

  #endIfCut(): void {
    if (this.#cut?.left !== 0) return;
    if (this.#cut.how === "fin") this.#wire.fin();
    else this.#wire.reset();
  }

  async #wait(until: Until): Promise<void> {
    if (typeof until !== "number") {
      await Promise.race([until instanceof AbortSignal ? aborted(until) : until, this.#wire.gone]);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#wire.clock.after(until, resolve);
    await Promise.race([promise, this.#wire.gone]);
    timer.cancel();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function fieldLines(fields: HeaderFields): string {
  let lines = "";
  for (const [name, value] of Object.entries(fields)) {
    for (const one of typeof value === "string" ? [value] : value) lines += `${name}: ${one}\r\n`;
  }
  return lines;
}
