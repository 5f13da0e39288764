import type { ClientError, Clock, Timer, UpstreamError } from "@tuloy/contract";
import type { ClientDialect, StreamWatch } from "@tuloy/dialects";

import type { ClientReply } from "../http/client-reply.ts";
import type { KeptAnswer } from "../idempotency/kept-answer.ts";
import { retryHeaders, streamHeaders, traceHeaders } from "./headers.ts";

/** A stream without content for this long gets its 200 and a comment, so that no proxy or SDK on the way gives up on it. */
export const heartbeatMs = 15_000;

/** What a stream began with, see `StreamWatch.head`. */
export type StreamHead = NonNullable<StreamWatch["head"]> | null;

/**
 * Sends an error in the client's dialect: as the answer, or as an event when a stream has begun.
 * @param head of that stream
 */
export function sendError(
  reply: ClientReply,
  dialect: ClientDialect,
  error: ClientError,
  traceId: string,
  attempted: boolean,
  head: StreamHead = null,
): void {
  if (reply.started) {
    reply.end(dialect.writeErrorEvent(error, traceId, head));
    return;
  }
  const headers = traceHeaders(traceId);
  headers["content-type"] = "application/json";
  // A 409 is sent again by the SDKs of their own accord.
  if (attempted || error.retryAfterMs !== null || error.status === 409) retryHeaders(headers, error);
  if (attempted) headers["x-tuloy-attempts"] = String(error.attempts.length);
  reply.send(error.status, headers, dialect.writeError(error, traceId));
}

/** Passes an upstream's error on as it came. Only before anything was sent. */
export function sendUpstreamError(
  reply: ClientReply,
  response: UpstreamError,
  traceId: string,
  attempts: number,
): void {
  const headers = traceHeaders(traceId);
  headers["content-type"] = response.contentType ?? "application/json";
  headers["x-should-retry"] = "false";
  headers["x-tuloy-attempts"] = String(attempts);
  reply.send(response.status, headers, Buffer.from(response.body));
}

/** Gives an answer again, to the byte. */
export function sendReplay(reply: ClientReply, { status, headers, body }: KeptAnswer, traceId: string): void {
  reply.send(
    status,
    { ...traceHeaders(traceId), ...headers, "idempotent-replayed": "true", "x-tuloy-attempts": "0" },
    body,
  );
}

/** Keeps a stream that has no content yet alive. Cancel it at the commit. */
export function startHeartbeat(reply: ClientReply, dialect: ClientDialect, traceId: string, clock: Clock): Timer {
  let timer: Timer;
  const beat = (): void => {
    reply.start(200, streamHeaders(traceHeaders(traceId)));
    reply.write(dialect.heartbeat);
    timer = clock.after(heartbeatMs, beat);
  };
  timer = clock.after(heartbeatMs, beat);
  return { cancel: () => timer.cancel() };
}
