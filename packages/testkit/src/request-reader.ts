/** A request as it came off the wire. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case; a repeated header's values are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Head {
  readonly request: Omit<WireRequest, "body">;
  readonly length: number | "chunked";
}

const blankLine = Buffer.from("\r\n\r\n");
const lineEnd = Buffer.from("\r\n");

/** Cuts a connection's bytes into HTTP/1.1 requests. As much of RFC 9112 as clients of an LLM API use. */
export class RequestReader {
  #buffered: Buffer = Buffer.alloc(0);
  #head: Head | null = null;

  /**
   * @returns the requests that are whole now
   * @throws when the bytes are no HTTP/1.1 request
   */
  push(bytes: Uint8Array): WireRequest[] {
    this.#buffered = this.#buffered.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#buffered, bytes]);
    const whole: WireRequest[] = [];
    for (;;) {
      this.#head ??= this.#takeHead();
      if (this.#head === null) return whole;
      const body = this.#head.length === "chunked" ? this.#takeChunks() : this.#take(this.#head.length);
      if (body === null) return whole;
      whole.push({ ...this.#head.request, body });
      this.#head = null;
    }
  }

  #takeHead(): Head | null {
    const end = this.#buffered.indexOf(blankLine);
    if (end === -1) return null;
    const [requestLine = "", ...lines] = this.#buffered.toString("latin1", 0, end).split("\r\n");
    this.#buffered = this.#buffered.subarray(end + blankLine.length);
    const [method, path, version] = requestLine.split(" ");
    if (method === undefined || path === undefined || version !== "HTTP/1.1") {
      throw new Error(`not an HTTP/1.1 request line: ${JSON.stringify(requestLine)}`);
    }
    const headers = readHeaders(lines);
    const chunked = headers["transfer-encoding"]?.toLowerCase() === "chunked";
    if (chunked && headers["content-length"] !== undefined) {
      throw new Error("both transfer-encoding and content-length");
    }
    return {
      request: { method, path, headers },
      length: chunked ? "chunked" : Number(headers["content-length"] ?? 0),
    };
  }

  #take(length: number): Buffer | null {
    if (this.#buffered.length < length) return null;
    const taken = this.#buffered.subarray(0, length);
    this.#buffered = this.#buffered.subarray(length);
    return taken;
  }

  #takeChunks(): Buffer | null {
    const chunks: Buffer[] = [];
    let at = 0;
    for (;;) {
      const sizeEnd = this.#buffered.indexOf(lineEnd, at);
      if (sizeEnd === -1) return null;
      const size = Number.parseInt(this.#buffered.toString("latin1", at, sizeEnd), 16);
      if (!(size >= 0)) throw new Error("a chunk without a size");
      const start = sizeEnd + 2;
      if (this.#buffered.length < start + size + 2) return null;
      at = start + size + 2;
      if (size === 0) break;
      chunks.push(this.#buffered.subarray(start, start + size));
    }
    this.#buffered = this.#buffered.subarray(at);
    return Buffer.concat(chunks);
  }
}

function readHeaders(lines: readonly string[]): Record<string, string> {
  // A map first, since a header may be called `constructor`.
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`not a header line: ${JSON.stringify(line)}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return Object.fromEntries(headers);
}
