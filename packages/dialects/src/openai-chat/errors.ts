import type { ClientError } from "@tuloy/contract";

import type { JsonObject } from "../json/value.ts";

/** The `error` of an answer or an event, in OpenAI's form. */
export function errorObject(error: ClientError, traceId: string): JsonObject {
  const { message, type, code, param, attempts } = error;
  return {
    message,
    type,
    code,
    param,
    metadata: {
      trace_id: traceId,
      attempts: attempts.map(({ provider, model, failure, status }) => ({ provider, model, failure, status })),
    },
  };
}

function errorJson(error: ClientError, traceId: string): string {
  return JSON.stringify({ error: errorObject(error, traceId) });
}

/** An error as OpenAI's clients expect it. */
export function writeError(error: ClientError, traceId: string): Buffer {
  return Buffer.from(errorJson(error, traceId));
}

/** An error inside a stream. OpenAI's SDKs raise on a data event with an `error` member; nothing may follow it. */
export function writeErrorEvent(error: ClientError, traceId: string): Buffer {
  return Buffer.from(`data: ${errorJson(error, traceId)}\n\n`);
}

/** A comment: clients ignore it, proxies see that the connection lives. */
export const heartbeat: Buffer = Buffer.from(": keep-alive\n\n");
