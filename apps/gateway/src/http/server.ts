import type { IncomingMessage, ServerResponse } from "node:http";

import { clientError, type ClientError } from "@tuloy/contract";
import { openaiChat, openaiEmbeddings, type ClientDialect } from "@tuloy/dialects";
import Fastify, { type FastifyInstance } from "fastify";

import { refuseControl, refusePage } from "../control/control.ts";
import { newTraceId } from "../relay/trace-id.ts";
import { serve, type Relay } from "../relay/serve.ts";
import { createServer } from "./node-http.ts";
import { listModels, oneModel } from "./models.ts";
import { foreignPageGuard, isLoopback } from "./origin-guard.ts";
import { errorAnswer } from "./error-answer.ts";
import { answerUnreadable } from "./unreadable.ts";

/** Paths of the data plane, each under both prefixes, and the dialect spoken there. */
const dataPlane: readonly (readonly [path: string, dialect: ClientDialect])[] = [
  ["/chat/completions", openaiChat],
  ["/embeddings", openaiEmbeddings],
];

/** `/api/v1` is for clients made for gateways that have it there. */
const prefixes = ["/v1", "/api/v1"] as const;

export interface HttpOptions {
  readonly relay: Relay;
  /** Takes everything under `/control/`. */
  readonly control: Handler;
  /** The address that will be listened on: a loopback one is guarded against web pages. */
  readonly host: string;
}

/** A client that sends its headers or body more slowly than this is not a client. Milliseconds. */
const socketLimits = { headersTimeout: 60_000, requestTimeout: 120_000, keepAliveTimeout: 75_000 };

/** Paths and their handlers; nothing is decided here. */
export function createHttpServer({ relay, control, host }: HttpOptions): FastifyInstance {
  const foreignPage = isLoopback(host) ? foreignPageGuard() : null;
  const app = Fastify({
    serverFactory: (handleByFastify) =>
      createServer(socketLimits, dataPlaneFirst({ relay, control, foreignPage }, handleByFastify)),
    // No route has a schema, so the compilers for schemas need not be loaded.
    schemaController: { compilersFactory: { buildValidator: () => noCompiler, buildSerializer: () => noCompiler } },
    // Bodies are read by the relay, after the key was checked.
    bodyLimit: 1,
    routerOptions: { ignoreTrailingSlash: true },
    frameworkErrors: (error, _request, reply) => {
      reply.hijack();
      errorAnswer(
        reply.raw,
        clientError("invalid_request", `The address of this request cannot be read: ${error.message}.`),
        newTraceId(relay.clock.wall()),
      );
    },
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket, newTraceId(relay.clock.wall())),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));

  const refuse = (response: ServerResponse, error: ClientError): void =>
    errorAnswer(response, error, newTraceId(relay.clock.wall()));

  if (foreignPage) {
    app.addHook("onRequest", (request, reply, done) => {
      const refused = foreignPage(request.headers);
      if (!refused) return done();
      reply.hijack();
      refuse(reply.raw, refused);
    });
  }

  const raw =
    (handler: (message: IncomingMessage, response: ServerResponse) => void) =>
    (request: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): unknown }) => {
      reply.hijack();
      handler(request.raw, reply.raw);
    };

  for (const prefix of prefixes) {
    for (const [path, dialect] of dataPlane) {
      app.post(
        prefix + path,
        raw((message, response) => relayOrRefuse(message, response, dialect, relay)),
      );
    }
    app.get(
      `${prefix}/models`,
      raw((message, response) => listModels(message, response, relay)),
    );
    app.get(
      `${prefix}/models/*`,
      raw((message, response) => oneModel(message, response, relay, `${prefix}/models/`)),
    );
  }
  app.get("/healthz", (_request, reply) => reply.send({ status: "ok" }));
  app.get("/readyz", (_request, reply) =>
    reply.code(relay.inFlight.closing ? 503 : 200).send({ status: relay.inFlight.closing ? "not ready" : "ready" }),
  );
  app.setNotFoundHandler(raw((message, response) => refuse(response, unknownPath(message))));
  app.setErrorHandler((error, _request, reply) => {
    const id = newTraceId(relay.clock.wall());
    relay.observer.fault(id, error);
    reply.hijack();
    errorAnswer(
      reply.raw,
      clientError("internal_error", `The gateway failed on this request; its log has the reason under ${id}.`),
      id,
    );
  });
  return app;
}

function noCompiler(): never {
  throw new Error("a route has a schema, but the server was made without compilers for them");
}

/** The control plane is an application of its own: with bodies, schemas and errors that the rest has not. */
const controlPrefix = "/control/";

type Handler = (message: IncomingMessage, response: ServerResponse) => void;

/**
 * Requests that carry the load take a short way: an exact POST path of the data plane goes to the relay without the
 * framework's router, hooks and objects, which cost a tenth of such a request. All others go through Fastify.
 */
function dataPlaneFirst(
  {
    relay,
    control,
    foreignPage,
  }: Pick<HttpOptions, "relay" | "control"> & { readonly foreignPage: ReturnType<typeof foreignPageGuard> | null },
  handleByFastify: Handler,
): Handler {
  const dialects = new Map(
    prefixes.flatMap((prefix) => dataPlane.map(([path, dialect]) => [prefix + path, dialect] as const)),
  );
  return (message, response) => {
    const dialect = message.method === "POST" ? dialects.get(message.url ?? "") : undefined;
    const forControl = dialect === undefined && message.url?.startsWith(controlPrefix) === true;
    if (!dialect && !forControl) return handleByFastify(message, response);
    const refused = foreignPage?.(message.headers) ?? null;
    if (!dialect) return controlOrRefuse(message, response, refused, { relay, control });
    if (refused) return errorAnswer(response, refused, newTraceId(relay.clock.wall()));
    relayOrRefuse(message, response, dialect, relay);
  };
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

/** Once a shutdown has begun, kept connections may still bring requests: they are sent elsewhere at once. */
function relayOrRefuse(message: IncomingMessage, response: ServerResponse, dialect: ClientDialect, relay: Relay): void {
  if (!relay.inFlight.closing) {
    // serve() answers its own errors and never rejects.
    void serve(message, response, dialect, relay);
    return;
  }
  response.shouldKeepAlive = false;
  const error = clientError("shutting_down", "The gateway is shutting down; send the request again.", {
    retryAfterMs: 1000,
  });
  errorAnswer(response, error, newTraceId(relay.clock.wall()));
}

function unknownPath(message: IncomingMessage): ClientError {
  const path = (message.url ?? "/").split("?", 1)[0]?.slice(0, 200) ?? "/";
  const known = prefixes.flatMap((prefix) => dataPlane.map(([tail]) => prefix + tail));
  if (known.includes(path.replace(/\/+$/, ""))) {
    return clientError(
      "method_not_allowed",
      `${message.method ?? "This method"} is not served at ${path}: send a POST.`,
    );
  }
  return clientError(
    "not_found",
    `There is nothing at ${path}. Served: POST ${known.slice(0, dataPlane.length).join(", POST ")}, GET /v1/models (and the same under /api).`,
  );
}
