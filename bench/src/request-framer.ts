const headEnd = "\r\n\r\n";
const noBytes = Buffer.alloc(0);

/** How much of a body is kept to look into: enough for the `model`, which clients and gateways write first. */
const keptBodyBytes = 512;

/** A head larger than this is not HTTP, or not for us. */
const maxHeadBytes = 65_536;

export interface FramedRequest {
  /** `GET /counters HTTP/1.1`. */
  readonly requestLine: string;
  /** The beginning of the body, as latin1. */
  readonly bodyStart: string;
  readonly bodyBytes: number;
}

/**
 * Cuts a connection's bytes into HTTP/1.1 requests, for an upstream that must cost next to nothing: it reads the request
 * line and `content-length` and skips the rest. One per connection.
 */
export class RequestFramer {
  readonly #onRequest: (request: FramedRequest) => void;
  #pending: Buffer = noBytes;
  #requestLine: string | null = null;
  #bodyStart = "";
  #bodyBytes = 0;
  #missing = 0;

  constructor(onRequest: (request: FramedRequest) => void) {
    this.#onRequest = onRequest;
  }

  /** @throws Error when the bytes are not a request with a `content-length` or without a body */
  push(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      rest = this.#requestLine === null ? this.#readHead(rest) : this.#readBody(rest);
    }
  }

  #readHead(bytes: Buffer): Buffer {
    const all = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const end = all.indexOf(headEnd);
    if (end < 0) {
      if (all.length > maxHeadBytes) throw new Error("the request's head is too large");
      this.#pending = all;
      return noBytes;
    }
    this.#pending = noBytes;
    const head = all.toString("latin1", 0, end);
    if (/\r\ntransfer-encoding:/i.test(head)) throw new Error("a chunked request is not expected");
    this.#requestLine = head.slice(0, head.indexOf("\r\n"));
    this.#bodyBytes = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    this.#missing = this.#bodyBytes;
    this.#bodyStart = "";
    if (this.#missing === 0) this.#finish();
    return all.subarray(end + headEnd.length);
  }

  #readBody(bytes: Buffer): Buffer {
    const taken = Math.min(this.#missing, bytes.length);
    const wanted = keptBodyBytes - this.#bodyStart.length;
    if (wanted > 0) this.#bodyStart += bytes.toString("latin1", 0, Math.min(wanted, taken));
    this.#missing -= taken;
    if (this.#missing === 0) this.#finish();
    return bytes.subarray(taken);
  }

  #finish(): void {
    const requestLine = this.#requestLine ?? "";
    this.#requestLine = null;
    this.#onRequest({ requestLine, bodyStart: this.#bodyStart, bodyBytes: this.#bodyBytes });
  }
}
