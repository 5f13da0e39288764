import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";

import type { Clock, Timer } from "@tuloy/contract";

import { atTurnEnd } from "../../turn-end.ts";
import { connectionError } from "../connection-error.ts";
import type { CallControl, CallHandler } from "../outlet.ts";
import type { Connector } from "./connector.ts";
import { ResponseParser, type ResponseSink } from "./response-parser.ts";

/** Who keeps connections and gives them their calls. */
export interface ConnectionOwner {
  /** Its call is over, and it can carry another. */
  onFree(connection: Connection): void;
  /** It carries nothing any more. Called once. */
  onClosed(connection: Connection): void;
}

/** A request, ready to be written. */
export interface WrittenRequest {
  /** One character a byte. */
  readonly head: string;
  readonly body: Buffer | null;
}

/** No connection is waited for longer, whatever the limit of the call. Milliseconds. */
const connectMs = 60_000;

/** What all sockets read into: what was read is copied out before anything else happens. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Up to this size a body is joined to its head in one write; beyond, the copy would cost more than a gathered write. */
const joinedBytes = 16 * 1024;

const hintedTimeout = /(?:^|[,;\s])timeout=(\d{1,6})\b/i;

/**
 * One call while it runs. It is the call's own: whoever still holds it when the call is over can do nothing to the next one on
 * the same connection.
 */
class RunningCall implements CallControl {
  readonly handler: CallHandler;
  readonly #connection: Connection;
  /** Null once it is written. */
  request: WrittenRequest | null;

  constructor(connection: Connection, request: WrittenRequest, handler: CallHandler) {
    this.#connection = connection;
    this.request = request;
    this.handler = handler;
  }

  abort(reason: Error): void {
    this.#connection.abort(this, reason);
  }

  pause(): void {
    this.#connection.pause(this);
  }

  resume(): void {
    this.#connection.resume(this);
  }
}

/**
 * One connection to an upstream, which carries one call at a time. It is connected once, and thrown away when it breaks, when
 * a call is given up in the middle, or when what came over it cannot be trusted to be an answer to the next one.
 */
export class Connection implements ResponseSink {
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  readonly #connecting: Timer;
  readonly #secure: boolean;
  #standing = false;
  /** It stands, or did once. */
  #stood = false;
  #paused = false;
  #call: RunningCall | null = null;
  #carried = 0;
  #error: Error | null = null;
  /** What is being read may not be all that has come: the next piece follows before anything else is done. */
  #moreFollows = false;
  /** How long the server says that it keeps the connection when it is idle, in milliseconds; null where it does not say. */
  keepMs: number | null = null;
  /** Since when its server has heard nothing, by the owner's clock; null while it carries a call, or before. */
  idleSince: number | null = null;
  /** Its place among the idle ones, -1 while it is none of them. */
  idleAt = -1;

  constructor(connector: Connector, owner: ConnectionOwner, clock: Clock) {
    this.#owner = owner;
    this.#secure = connector.secure;
    const onread = { buffer: readBuffer, callback: (length: number) => this.#read(length) };
    const socket = connector.connect(onread, () => this.#onStanding());
    this.#socket = socket;
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.on("end", () => this.#onEnd());
    socket.on("close", () => {
      this.#standing = false;
      this.#connecting.cancel();
      this.#fail(this.#error ?? closedByOther());
      owner.onClosed(this);
    });
    this.#connecting = clock.after(connectMs, () =>
      this.destroy(connectionError("ETIMEDOUT", "no connection came about")),
    );
  }

  /** It stands, and nothing has come over it that nobody asked for. */
  get usable(): boolean {
    return this.#standing && !this.#socket.destroyed;
  }

  /** Only while it carries nothing. Connects first where it has to. */
  carry(request: WrittenRequest, handler: CallHandler): void {
    const call = new RunningCall(this, request, handler);
    this.#call = call;
    if (this.#stood) atTurnEnd(() => this.#begin(call));
  }

  /** The call is given up. What was not sent yet leaves the connection as it was. */
  abort(call: RunningCall, reason: Error): void {
    if (this.#call !== call) return;
    this.#call = null;
    if (call.request !== null && this.usable) this.#owner.onFree(this);
    else this.#socket.destroy();
    call.handler.onResponseError(reason);
  }

  pause(call: RunningCall): void {
    if (this.#call !== call) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(call: RunningCall): void {
    if (this.#call === call) this.#goOn();
  }

  /** Breaks it; a call that it carries is told why. */
  destroy(reason?: Error): void {
    this.#error ??= reason ?? null;
    this.#socket.destroy();
  }

  onHead(status: number, headers: IncomingHttpHeaders): void {
    const hint = headers["keep-alive"];
    if (hint !== undefined) this.#hinted(String(hint));
    this.#call?.handler.onResponseStart(status, headers);
  }

  onBody(bytes: Buffer): void {
    this.#call?.handler.onResponseData(bytes);
  }

  onWhole(persistent: boolean): void {
    const call = this.#call;
    if (call === null) return;
    this.#call = null;
    // An answer that came before its request was out says nothing about what becomes of the rest of it.
    if (!persistent || this.#socket.writableLength > 0) {
      this.#socket.destroy();
    } else {
      this.#goOn();
      // What has come already is no answer to a request that is yet to be sent: it has to be seen before that.
      if (this.#moreFollows) setImmediate(() => this.#free());
      else this.#free();
    }
    call.handler.onResponseEnd();
  }

  #free(): void {
    if (this.usable) this.#owner.onFree(this);
  }

  #goOn(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #onStanding(): void {
    this.#standing = true;
    this.#connecting.cancel();
    this.#stood = true;
    const call = this.#call;
    if (call === null) this.#owner.onFree(this);
    else this.#begin(call);
  }

  #begin(call: RunningCall): void {
    if (this.#call !== call || !this.usable) return;
    call.handler.onRequestStart(call, this.#carried > 0);
    const { request } = call;
    if (request === null || this.#call !== call) return;
    call.request = null;
    this.idleSince = null;
    this.#carried += 1;
    this.#write(request);
  }

  #write({ head, body }: WrittenRequest): void {
    const socket = this.#socket;
    if (body === null) {
      socket.write(head, "latin1");
    } else if (body.length <= joinedBytes) {
      socket.write(head + body.toString("latin1"), "latin1");
    } else {
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
    }
  }

  /** @returns true: go on reading */
  #read(length: number): boolean {
    const bytes = Buffer.allocUnsafe(length);
    readBuffer.copy(bytes, 0, 0, length);
    const call = this.#call;
    if (call === null || call.request !== null) {
      // Nobody asked for this: whatever it is, it is no answer to what will be asked next.
      this.#fail(connectionError("TULOY_NOT_HTTP", "the other side sent something that nobody had asked for"));
      return true;
    }
    // TLS gives what was read record by record, and a full buffer was perhaps too small.
    this.#moreFollows = this.#secure || length === readBuffer.length;
    const wrong = this.#parser.read(bytes);
    if (wrong !== null) this.#fail(connectionError("TULOY_NOT_HTTP", `what came is not HTTP: ${wrong}`));
    return true;
  }

  #onEnd(): void {
    this.#standing = false;
    if (this.#call === null || this.#parser.closed()) return;
    this.#fail(closedByOther());
  }

  #fail(error: Error): void {
    const call = this.#call;
    this.#call = null;
    this.#socket.destroy();
    if (call === null) return;
    const unsent = this.#stood && call.request !== null;
    call.handler.onResponseError(unsent ? connectionError("TULOY_UNSENT", error.message) : firstOf(error));
  }

  #hinted(hint: string): void {
    const [, seconds] = hintedTimeout.exec(hint) ?? [];
    if (seconds !== undefined) this.keepMs = Number(seconds) * 1000;
  }
}

/** As Node tells a connection that was closed before its answer. */
function closedByOther(): Error {
  return connectionError("ECONNRESET", "the other side closed the connection");
}

/** Where a name has several addresses and none can be reached, the error of all has no words of its own. */
function firstOf(error: Error): Error {
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first instanceof Error ? first : error;
}
