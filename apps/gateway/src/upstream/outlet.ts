import type { IncomingHttpHeaders } from "node:http";

import type { Deployment, Dialect } from "@tuloy/contract";

/** One origin, and whether private addresses are permitted for it. */
export interface Destination {
  /** `https://api.openai.com`, without a path. */
  readonly origin: string;
  readonly private: boolean;
}

type UpstreamMethod = "POST" | "GET" | "DELETE";

/** A call as it is about to be sent. */
export interface UnauthorizedCall {
  readonly method: UpstreamMethod;
  readonly url: URL;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Now, in milliseconds since 1970: a signature carries it. */
  readonly wall: number;
}

/** Headers to add, flat; or why the call may not be made. `rejected`: the credential itself is no good. */
export type Authorization =
  | { readonly headers: readonly string[] }
  | { readonly denied: "rejected" | "forbidden"; readonly reason: string };

/**
 * Makes what shows that a call is allowed, where that is more than the key in a header: a signature over the whole call, or a
 * token that has to be fetched first. To reject is to say `forbidden`.
 */
export type Authorize = (call: UnauthorizedCall) => Promise<Authorization>;

/** What one call sends. */
export interface UpstreamRequest {
  readonly deployment: Deployment;
  /** In which the deployment is spoken to. */
  readonly dialect: Dialect;
  readonly stream: boolean;
  /** POST when absent. Only a POST has a body. */
  readonly method?: UpstreamMethod;
  readonly to: Destination;
  readonly path: string;
  /** Flat: name, value, name, value. */
  readonly headers: string[];
  readonly body: Buffer;
  /** Asked before anything is sent; absent where the headers are all there is to show. */
  readonly authorize?: Authorize | undefined;
}

/** What a handler can do with its call while it runs. */
export interface CallControl {
  /** Gives the call up: its connection is closed, unless nothing of the call was sent yet. The handler is told the reason as an error. Harmless when it is over. */
  abort(reason: Error): void;
  /** Nothing more is read for now. What was read already still comes, the end included. */
  pause(): void;
  resume(): void;
}

/** What a call is told to: its start, its head, its bytes, and then either its end or an error. An error may come at any time. */
export interface CallHandler {
  /**
   * The connection stands, and the request is written when this returns, unless it was aborted.
   * @param reused the connection has carried a request before
   */
  onRequestStart(control: CallControl, reused: boolean): void;
  onResponseStart(status: number, headers: IncomingHttpHeaders): void;
  /** The bytes are the handler's to keep. */
  onResponseData(chunk: Buffer): void;
  onResponseEnd(): void;
  onResponseError(error: Error): void;
  /** A drill lays a fault over this call. Told before anything else. */
  drilledBy(drillId: string): void;
}

/** A way out to the providers. Requests in the scope of a drill are given one of their own. */
export interface Outlet {
  /**
   * Sends over a pooled connection.
   * @returns why the destination is denied, or null when the request is on its way
   */
  dispatch(request: UpstreamRequest, handler: CallHandler): Error | null;
  /** Sends over a connection of its own, which is closed afterwards. Only for a request that `dispatch` accepted. */
  dispatchFresh(request: UpstreamRequest, handler: CallHandler): void;
}
