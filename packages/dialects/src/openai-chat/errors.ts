import type { ClientError } from "@tuloy/contract";

function errorJson(error: ClientError, traceId: string): string {
  const { message, type, code, param, attempts } = error;
  return JSON.stringify({
    error: {
      message,
      type,
      code,
      param,
      metadata: {
        trace_id: traceId,
        attempts: attempts.map(({ provider, model, failure, status }) => ({ provider, model, failure, status })),
      },
    },
  });
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
