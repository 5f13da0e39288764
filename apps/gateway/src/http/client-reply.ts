import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

import { atTurnEnd } from "../turn-end.ts";

/**
 * Answers up to this size are handed over as a string of bytes: Node joins it with the headers into one write, where a Buffer
 * would be a gathered write of two parts, which costs a tenth of a small request. Beyond, the copy would cost more.
 */
const joinedBytes = 16 * 1024;

/** Keeps a whole answer before its client can know that it has all of it. */
export interface AnswerKeeper {
  /** The answer's head, before it is sent: it may add to the headers. May be called again with the same head. */
  begin(status: number, headers: OutgoingHttpHeaders): void;
  /** A part of the body, as it is sent. */
  take(bytes: Buffer): void;
  /** The answer is whole and good. Resolves, never rejects, when it is kept, or known not to be. */
  keep(): Promise<boolean>;
}

/** What an answer and a shutdown have to know of each other. */
export interface ReplyServer {
  /** Then connections are not kept for a next request. */
  readonly closing: boolean;
  /** The answer is given, but has yet to be kept, or its client takes it slowly. @returns to be called once, when that is over */
  leaving(): () => void;
}

/** The answer to one client, on the raw response. Writing after the client left does nothing. */
export class ClientReply {
  readonly #response: ServerResponse;
  readonly #server: ReplyServer;
  #status = 0;
  /** The body is sent in chunks, which are framed here: one write each, where Node's own framing makes three. */
  #framing = false;
  #ended = false;
  #keeper: AnswerKeeper | null = null;

  constructor(response: ServerResponse, server: ReplyServer) {
    this.#response = response;
    this.#server = server;
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

  /** From now on everything that is sent is shown to this keeper too. */
  keepWith(keeper: AnswerKeeper): void {
    this.#keeper = this.#keeper === null ? keeper : both(this.#keeper, keeper);
  }

  /** Calls back once if the client leaves before the whole answer was handed to its connection, or has left already. */
  onGone(run: () => void): void {
    const response = this.#response;
    // It may have left while something else was waited for.
    if (response.destroyed && !response.writableFinished) return run();
    response.on("close", () => {
      if (!response.writableFinished) run();
    });
  }

  start(status: number, headers: OutgoingHttpHeaders): void {
    if (this.#status !== 0) return;
    const response = this.#response;
    this.#keeper?.begin(status, headers);
    if (response.destroyed) {
      this.#status = status;
      return;
    }
    if (this.#server.closing) response.shouldKeepAlive = false;
    response.writeHead(status, headers);
    this.#status = status;
    this.#framing = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  /** @returns false when the client reads slower than we write: wait for `onDrain` */
  write(bytes: Buffer): boolean {
    this.#keeper?.take(bytes);
    // An empty chunk would be the terminator.
    if (this.#ended || this.#response.destroyed || bytes.length === 0) return true;
    return this.#write(this.#framing ? framed(bytes) : bytes);
  }

  /** Writes now: Node would hold it until the next tick, in the hope of more. */
  #write(bytes: Buffer, taken?: () => void): boolean {
    const response = this.#response;
    const { socket } = response;
    socket?.cork();
    const room = response.write(bytes, taken);
    socket?.uncork();
    // What is larger than its buffer is refused by a stream even when the kernel has taken it all.
    return room || response.writableLength === 0;
  }

  /** Calls back once when there is room again. A client that left holds nothing up either. */
  onDrain(run: () => void): void {
    const response = this.#response;
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      run();
    };
    response.on("drain", done);
    response.on("close", done);
  }

  /** Ends the answer, with the turn or when its client has taken it. What is written or ended after that is left out. */
  end(bytes?: Buffer): void {
    if (this.#ended) return;
    this.#ended = true;
    atTurnEnd(() => this.#end(bytes));
  }

  #end(bytes: Buffer | undefined): void {
    const response = this.#response;
    if (response.destroyed) return;
    let last = bytes;
    if (this.#framing) last = bytes && bytes.length > 0 ? Buffer.concat([framed(bytes), lastChunk]) : lastChunk;
    last ??= noBytes;
    if (last.length > joinedBytes || response.writableLength > 0) this.#endWhenTaken(last);
    else response.end(last.toString("latin1"), "latin1");
  }

  /** To the server a connection is idle when its answer has ended, taken or not: a shutdown would cut the rest off. */
  #endWhenTaken(last: Buffer): void {
    const response = this.#response;
    const left = this.#server.leaving();
    let over = false;
    const taken = (): void => {
      if (over) return;
      over = true;
      response.off("close", taken);
      response.end();
      left();
    };
    // What is lost with its connection is told of no other way.
    response.on("close", taken);
    this.#write(last, taken);
    if (response.writableLength === 0) taken();
  }

  /** Ends an answer that is whole and good. With a keeper, these last bytes wait until it is kept. */
  complete(bytes: Buffer): void {
    const keeper = this.#keeper;
    if (keeper === null) return this.end(bytes);
    keeper.take(bytes);
    this.#whenKept(keeper, () => this.end(bytes));
  }

  /** Sends an answer that is whole and good at once. With a keeper, it waits until it is kept. */
  answer(status: number, headers: OutgoingHttpHeaders, body: Buffer): void {
    const keeper = this.#keeper;
    if (keeper === null) return this.send(status, headers, body);
    keeper.begin(status, headers);
    keeper.take(body);
    this.#whenKept(keeper, () => this.send(status, headers, body));
  }

  #whenKept(keeper: AnswerKeeper, run: () => void): void {
    const left = this.#server.leaving();
    void keeper.keep().then(run).then(left);
  }

  /** Sends a whole body at once. */
  send(status: number, headers: OutgoingHttpHeaders, body: Buffer): void {
    if (this.#status !== 0) return;
    headers["content-length"] = body.length;
    this.start(status, headers);
    this.end(body);
  }
}

function both(one: AnswerKeeper, other: AnswerKeeper): AnswerKeeper {
  return {
    begin(status, headers) {
      one.begin(status, headers);
      other.begin(status, headers);
    },
    take(bytes) {
      one.take(bytes);
      other.take(bytes);
    },
    async keep() {
      const kept = await Promise.all([one.keep(), other.keep()]);
      return kept.every(Boolean);
    },
  };
}

const noBytes = Buffer.alloc(0);
const lastChunk = Buffer.from("0\r\n\r\n");

/** One chunk of a chunked body (RFC 9112, section 7.1). */
function framed(bytes: Buffer): Buffer {
  const size = `${bytes.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 2);
  chunk.write(size, 0, "latin1");
  bytes.copy(chunk, size.length);
  chunk.write("\r\n", chunk.length - 2, "latin1");
  return chunk;
}

function ignore(): void {}
