import type { IncomingMessage, ServerResponse } from "node:http";

import { controlErrors, type ControlErrorCode } from "@tuloy/contract";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { z } from "zod";

import { createServer } from "../http/node-http.ts";
import { controlErrorBody, type ControlContext } from "./control.ts";
import { deployments } from "./deployments/routes.ts";
import { drills } from "./drills/routes.ts";
import { keyCheck } from "./operator-key.ts";
import { ControlRefusal } from "./refusal.ts";

/** Bodies here are a handful of names. */
const maxBodyBytes = 64 * 1024;

/** The control plane as a handler of requests: one folder a resource, each a plugin of its own. */
export async function createControlApp(
  context: ControlContext,
): Promise<(message: IncomingMessage, response: ServerResponse) => void> {
  const app = Fastify({
    // It listens nowhere itself: requests are handed to it by the gateway's own server.
    serverFactory: (handler) => createServer({}, handler),
    bodyLimit: maxBodyBytes,
    routerOptions: { ignoreTrailingSlash: true },
    // Schemas are zod's, and answers are written as they are: the compilers for JSON schemas need not be loaded.
    schemaController: { compilersFactory: { buildValidator: () => noCompiler, buildSerializer: () => noCompiler } },
  });
  app.setValidatorCompiler(zodValidator);
  app.removeContentTypeParser("text/plain");
  guard(app, context.operatorKey);
  app.setErrorHandler((error, _request, reply) => {
    const { code, message } = refusalOf(error);
    if (code === "internal_error") context.observer.fault("none", error);
    void reply.code(controlErrors[code]).type("application/json").send(controlErrorBody(code, message));
  });
  app.setNotFoundHandler((request) => {
    throw new ControlRefusal(
      "not_found",
      `There is no ${request.method} ${request.url.split("?", 1)[0]?.slice(0, 200)}.`,
    );
  });
  await app.register(drills, { prefix: "/control/v1/drills", context });
  await app.register(deployments, { prefix: "/control/v1/deployments", context });
  await app.ready();
  return (message, response) => app.routing(message, response);
}

/** Everything here is for whoever holds the operator's key, on any address. */
function guard(app: FastifyInstance, operatorKey: string): void {
  const isKey = keyCheck(operatorKey);
  app.addHook("onRequest", (request, _reply, done) => {
    const presented = presentedKey(request);
    if (presented !== null && isKey(presented)) return done();
    done(
      new ControlRefusal(
        "invalid_control_key",
        'The control plane needs its own key, the one in the file control.key of the data directory: send "Authorization: Bearer <key>".',
      ),
    );
  });
}

function presentedKey({ headers: { authorization } }: FastifyRequest): string | null {
  return authorization !== undefined && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : null;
}

/** A route's schemas are zod's. */
function zodValidator({ schema }: { schema: unknown }): (data: unknown) => { value: unknown } | { error: Error } {
  if (!(schema instanceof z.ZodType)) throw new Error("a route of the control plane has a schema that is not zod's");
  return (data) => {
    const parsed = schema.safeParse(data ?? {});
    return parsed.success
      ? { value: parsed.data }
      : { error: new ControlRefusal("invalid_request", words(parsed.error)) };
  };
}

function words({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => (path.length === 0 ? `The body: ${message}.` : `${path.join(".")}: ${message}.`))
    .join(" ");
}

function noCompiler(): never {
  throw new Error("a route of the control plane needs a compiler that it was made without");
}

/** Fastify's own refusals, in our words. */
const fastifyRefusals: Readonly<Record<string, readonly [ControlErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["unsupported_media_type", 'Send JSON, with "content-type: application/json".'],
  FST_ERR_CTP_BODY_TOO_LARGE: ["request_too_large", "The body is larger than 64 KB."],
};

function refusalOf(error: unknown): { readonly code: ControlErrorCode; readonly message: string } {
  if (error instanceof ControlRefusal) return error;
  const known = error instanceof Error && "code" in error ? fastifyRefusals[String(error.code)] : undefined;
  if (known !== undefined) return { code: known[0], message: known[1] };
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : 500;
  return status === 400 && error instanceof Error
    ? { code: "invalid_request", message: `The request cannot be read: ${error.message}.` }
    : { code: "internal_error", message: "The gateway failed on this request; its log has the reason." };
}
