import type { Deployment, Dialect } from "@tuloy/contract";
import type { Dispatcher } from "undici";

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

/** What carries a request: one connection at a time, opened anew when it was lost. */
export interface Carrier {
  /** To be called once, when a request is about to be written: whether its connection has carried one before. */
  countRequest(): boolean;
}

/** A handler that is told what carries its request, before anything else. */
export interface CarriedHandler extends Dispatcher.DispatchHandler {
  carriedBy(carrier: Carrier): void;
  /** A drill lays a fault over this call. */
  drilledBy(drillId: string): void;
}

/** A way out to the providers. Requests in the scope of a drill are given one of their own. */
export interface Outlet {
  /**
   * Sends over a pooled connection.
   * @returns why the destination is denied, or null when the request is on its way
   */
  dispatch(request: UpstreamRequest, handler: CarriedHandler): Error | null;
  /** Sends over a connection of its own, which is closed afterwards. Only for a request that `dispatch` accepted. */
  dispatchFresh(request: UpstreamRequest, handler: CarriedHandler): void;
}
