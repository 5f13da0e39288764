import type { IncomingHttpHeaders } from "node:http";

import { ChunkedBody } from "./chunked-body.ts";
import { readResponseHead, type ResponseHead } from "./response-head.ts";

/** What a response is told to, in this order. */
export interface ResponseSink {
  onHead(status: number, headers: IncomingHttpHeaders): void;
  /** Never empty. The bytes are the sink's to keep. */
  onBody(bytes: Buffer): void;
  /** @param persistent the connection can carry another request */
  onWhole(persistent: boolean): void;
}

/** Twice what Node itself permits: some providers behind several proxies come near that. */
const maxHeadBytes = 32 * 1024;

/** A server may announce as often as it likes that it is at work, but not for ever. */
const maxInterimHeads = 100;

const headEnd = Buffer.from("\r\n\r\n");

/** Reads the responses of one connection (HTTP/1.1, RFC 9112), one after the other, as their bytes come. */
export class ResponseParser {
  readonly #sink: ResponseSink;
  readonly #take: (data: Buffer) => void;
  #head: ResponseHead | null = null;
  /** A head that has begun. */
  #partial: Buffer | null = null;
  /** Of a body with a length: what is still to come. */
  #left = 0;
  #chunked: ChunkedBody | null = null;
  #interimHeads = 0;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
    this.#take = (data) => sink.onBody(data);
  }

  /**
   * Takes what was read; the bytes belong to the parser from here on. After a response is whole, nothing is expected until
   * another request was sent: what comes along makes the connection unfit for it.
   * @returns null, or why this is not HTTP
   */
  read(bytes: Buffer): string | null {
    let at = 0;
    while (this.#head === null) {
      const all = this.#partial === null ? bytes : Buffer.concat([this.#partial, bytes]);
      // Its end may have begun in what was kept.
      const from = this.#partial === null ? at : Math.max(0, this.#partial.length - headEnd.length + 1);
      const end = all.indexOf(headEnd, from);
      if (end === -1) return this.#keepPartial(all, at);
      if (end - at > maxHeadBytes) return tooLarge;
      const head = readResponseHead(all.toString("latin1", at, end));
      if (typeof head === "string") return head;
      bytes = all;
      at = end + headEnd.length;
      this.#partial = null;
      if (head.status >= 200) this.#begin(head);
      else if (head.status === 101) return "it switches to another protocol";
      else if (++this.#interimHeads > maxInterimHeads) return "it only ever announces an answer";
    }
    return this.#body(this.#head, bytes, at);
  }

  /**
   * The other side closed the connection, which ends a body that has no length.
   * @returns the response is whole
   */
  closed(): boolean {
    if (this.#head?.framing !== "close") return false;
    this.#whole(false);
    return true;
  }

  #begin(head: ResponseHead): void {
    this.#head = head;
    this.#interimHeads = 0;
    if (head.framing === "chunked") this.#chunked = new ChunkedBody();
    else this.#left = head.framing === "close" ? Infinity : head.framing;
    this.#sink.onHead(head.status, head.headers);
  }

  #body({ persistent }: ResponseHead, bytes: Buffer, from: number): string | null {
    const chunked = this.#chunked;
    if (chunked === null) {
      const end = Math.min(bytes.length, from + this.#left);
      this.#left -= end - from;
      if (end > from) this.#sink.onBody(bytes.subarray(from, end));
      if (this.#left === 0) this.#whole(persistent && end === bytes.length);
      return null;
    }
    const wrong = chunked.read(bytes, from, this.#take);
    if (wrong !== null) return wrong;
    if (chunked.whole) this.#whole(persistent && chunked.endedAt === bytes.length);
    return null;
  }

  /** Whoever is told may send the next request at once: all of this response is behind us. */
  #whole(persistent: boolean): void {
    this.#head = null;
    this.#chunked = null;
    this.#sink.onWhole(persistent);
  }

  #keepPartial(all: Buffer, at: number): string | null {
    const partial = at === 0 ? all : all.subarray(at);
    this.#partial = partial;
    return partial.length > maxHeadBytes ? tooLarge : null;
  }
}

const tooLarge = `its head is larger than ${maxHeadBytes / 1024} KiB`;
