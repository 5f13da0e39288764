import type { OutgoingHttpHeaders } from "node:http";

import type { AttemptKind, AttemptRecord, ClientError, Deployment } from "@tuloy/contract";

import { failoverClass } from "./failover-class.ts";

/** Waiting longer than this is not worth asking of a client. */
const longestRetryAfterMs = 60_000;

/** The headers that every answer has. */
export function traceHeaders(traceId: string): OutgoingHttpHeaders {
  return { "x-tuloy-trace-id": traceId, "x-request-id": traceId, "request-id": traceId };
}

/**
 * The headers of an answer that a deployment gave.
 * @param kind of the attempt that gave it
 * @param others the attempts that failed or lost before it answered
 */
export function answerHeaders(
  traceId: string,
  deployment: Pick<Deployment, "provider" | "model">,
  kind: AttemptKind,
  others: readonly AttemptRecord[],
): OutgoingHttpHeaders {
  const headers = traceHeaders(traceId);
  headers["x-tuloy-provider"] = deployment.provider;
  headers["x-tuloy-model"] = deployment.model;
  headers["x-tuloy-attempts"] = String(others.length + 1);
  const failover = others.length === 0 ? null : failoverClass(kind, others);
  if (failover) headers["x-tuloy-failover"] = failover;
  return headers;
}

export function streamHeaders(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  headers["content-type"] = "text/event-stream; charset=utf-8";
  headers["cache-control"] = "no-cache";
  // Asks nginx and its kin not to collect events before they pass them on.
  headers["x-accel-buffering"] = "no";
  return headers;
}

/**
 * Tells the official SDKs whether sending the request again makes sense. Once attempts were made for the client it does
 * not, unless waiting helps: an SDK would otherwise multiply every attempt by its own.
 */
export function retryHeaders(
  headers: OutgoingHttpHeaders,
  error: Pick<ClientError, "retryAfterMs">,
): OutgoingHttpHeaders {
  const { retryAfterMs } = error;
  if (retryAfterMs !== null && retryAfterMs <= longestRetryAfterMs) {
    headers["retry-after-ms"] = String(Math.ceil(retryAfterMs));
    headers["retry-after"] = String(Math.ceil(retryAfterMs / 1000));
  } else {
    headers["x-should-retry"] = "false";
  }
  return headers;
}
