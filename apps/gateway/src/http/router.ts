import type { IncomingMessage, ServerResponse } from "node:http";

import { clientError, type ClientError } from "@tuloy/contract";
import Fastify from "fastify";

import { newTraceId } from "../relay/trace-id.ts";
import type { Relay } from "../relay/serve.ts";
import { storedResponse } from "../responses/stored.ts";
import { dataPlane, prefixes, relayOrRefuse } from "./data-plane.ts";
import { errorAnswer } from "./error-answer.ts";
import { healthPaths } from "./health.ts";
import { listModels, oneModel } from "./models.ts";
import { createServer } from "./node-http.ts";
import type { Handler } from "./server.ts";

/** Every path that has no shorter way: models, the data plane's paths written otherwise, and what is nowhere. */
export async function createRouter(relay: Relay): Promise<Handler> {
  const app = Fastify({
    // It listens nowhere itself: requests are handed to it by the gateway's own server.
    serverFactory: (handler) => createServer({}, handler),
    // No route has a schema, so the compilers for schemas need not be loaded.
    schemaController: { compilersFactory: { buildValidator: () => noCompiler, buildSerializer: () => noCompiler } },
    // Bodies are read by the relay, after the key was checked.
    bodyLimit: 1,
    routerOptions: { ignoreTrailingSlash: true },
    frameworkErrors: (error, _request, reply) => {
      reply.hijack();
      refuse(
        reply.raw,
        clientError("invalid_request", `The address of this request cannot be read: ${error.message}.`),
      );
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));

  const refuse = (response: ServerResponse, error: ClientError): void =>
    errorAnswer(response, error, newTraceId(relay.clock.wall()));

  const raw =
    (handler: Handler) => (request: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): unknown }) => {
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
    const responses = `${prefix}/responses/`;
    const stored = raw((message, response) => void storedResponse(message, response, relay, responses));
    app.get(`${responses}:id`, stored);
    app.delete(`${responses}:id`, stored);
    app.post(`${responses}:id/cancel`, stored);
    app.get(`${responses}:id/input_items`, stored);
    app.get(
      `${prefix}/models`,
      raw((message, response) => listModels(message, response, relay)),
    );
    app.get(
      `${prefix}/models/*`,
      raw((message, response) => oneModel(message, response, relay, `${prefix}/models/`)),
    );
  }
  // As HEAD, with a slash or a query after it: the plain ones have the short way.
  for (const [path, answer] of healthPaths)
    app.get(
      path,
      raw((_message, response) => answer(response, relay)),
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
  await app.ready();
  return (message, response) => app.routing(message, response);
}

function noCompiler(): never {
  throw new Error("a route has a schema, but the router was made without compilers for them");
}

function unknownPath(message: IncomingMessage): ClientError {
  const path = (message.url ?? "/").split("?", 1)[0]?.slice(0, 200) ?? "/";
  const known = prefixes.flatMap((prefix) => dataPlane.map(([tail]) => prefix + tail));
  const read = prefixes.map((prefix) => `${prefix}/models`);
  const plain = path.replace(/\/+$/, "");
  const method = known.includes(plain) ? "POST" : read.includes(plain) ? "GET" : null;
  if (method !== null && method !== message.method) {
    return clientError(
      "method_not_allowed",
      `${message.method ?? "This method"} is not served at ${path}: send a ${method}.`,
    );
  }
  return clientError(
    "not_found",
    `There is nothing at ${path}. Served: POST ${known.slice(0, dataPlane.length).join(", POST ")}, GET /v1/models (and the same under /api).`,
  );
}
