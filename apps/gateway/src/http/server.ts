import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { clientError, type ClientError } from "@tuloy/contract";

import { refuseControl, refusePage } from "../control/control.ts";
import { newTraceId } from "../relay/trace-id.ts";
import type { Relay } from "../relay/serve.ts";
import { alsoWritten, dataPlane, prefixes, relayOrRefuse } from "./data-plane.ts";
import { errorAnswer } from "./error-answer.ts";
import { healthPaths } from "./health.ts";
import { createServer } from "./node-http.ts";
import { foreignPageGuard, isLoopback } from "./origin-guard.ts";
import { answerUnreadable } from "./unreadable.ts";

export type Handler = (message: IncomingMessage, response: ServerResponse) => void;

export interface HttpOptions {
  readonly relay: Relay;
  /** Takes everything under `/control/`. */
  readonly control: Handler;
  /** The address that will be listened on: a loopback one is guarded against web pages. */
  readonly host: string;
}

/** A client that sends its headers or body more slowly than this is not a client. Milliseconds. */
const socketLimits = { headersTimeout: 60_000, requestTimeout: 120_000, keepAliveTimeout: 75_000 };

/** The control plane is an application of its own: with bodies, schemas and errors that the rest has not. */
const controlPrefix = "/control/";

/**
 * The one server, and which way each request goes. Those that carry the load take the shortest: an exact POST path of the
 * data plane goes to the relay at once, without a framework's router, hooks and objects, which cost a tenth of such a
 * request. Nothing is decided here.
 */
export function createHttpServer({ relay, control, host }: HttpOptions): Server {
  const foreignPage = isLoopback(host) ? foreignPageGuard() : null;
  const route = routerOnDemand(relay);
  const dialects = new Map(
    prefixes.flatMap((prefix) =>
      [...dataPlane, ...alsoWritten].map(([path, dialect]) => [prefix + path, dialect] as const),
    ),
  );
  const refuse = (response: ServerResponse, error: ClientError): void =>
    errorAnswer(response, error, newTraceId(relay.clock.wall()));

  const server = createServer(socketLimits, (message, response) => {
    const { method, url = "/" } = message;
    const dialect = method === "POST" ? dialects.get(url) : undefined;
    const health = method === "GET" ? healthPaths.get(url) : undefined;
    const forControl = dialect === undefined && url.startsWith(controlPrefix);
    const refused = foreignPage?.(message.headers) ?? null;
    if (forControl) controlOrRefuse(message, response, refused, { relay, control });
    else if (refused) refuse(response, refused);
    else if (dialect) relayOrRefuse(message, response, dialect, relay);
    else if (health) health(response, relay);
    else route(message, response);
  });
  server.on("clientError", (error: Error & { readonly code?: string }, socket: Socket) =>
    answerUnreadable(error, socket, newTraceId(relay.clock.wall())),
  );
  return server;
}

function controlOrRefuse(
  message: IncomingMessage,
  response: ServerResponse,
  refused: ClientError | null,
  { relay, control }: Pick<HttpOptions, "relay" | "control">,
): void {
  if (refused) return refusePage(response, refused);
  if (relay.inFlight.closing) return refuseControl(response, "shutting_down", "The gateway is shutting down.");
  control(message, response);
}

/** The router, loaded with the first request that needs it: the framework would be a fifth of the gateway's start. */
function routerOnDemand(relay: Relay): Handler {
  let loading: Promise<Handler> | null = null;
  return (message, response) => {
    loading ??= import("./router.ts").then(({ createRouter }) => createRouter(relay));
    loading.then(
      (route) => route(message, response),
      (error: unknown) => {
        const id = newTraceId(relay.clock.wall());
        relay.observer.fault(id, error);
        const words = `The gateway failed on this request; its log has the reason under ${id}.`;
        errorAnswer(response, clientError("internal_error", words), id);
      },
    );
  };
}
