import type { IncomingMessage, ServerResponse } from "node:http";

import { clientError } from "@tuloy/contract";
import {
  anthropicMessages,
  anthropicTokenCount,
  openaiChat,
  openaiEmbeddings,
  openaiResponses,
  type ClientDialect,
} from "@tuloy/dialects";

import { serve, type Relay } from "../relay/serve.ts";
import { newTraceId } from "../relay/trace-id.ts";
import { errorAnswer } from "./error-answer.ts";

/** Paths of the data plane, each under both prefixes, and the dialect spoken there. */
export const dataPlane: readonly (readonly [path: string, dialect: ClientDialect])[] = [
  ["/chat/completions", openaiChat],
  ["/responses", openaiResponses],
  ["/embeddings", openaiEmbeddings],
  ["/messages", anthropicMessages],
  ["/messages/count_tokens", anthropicTokenCount],
];

/** Anthropic's SDKs and Claude Code write most of their requests so: it takes the short way too. */
export const alsoWritten: readonly (readonly [path: string, dialect: ClientDialect])[] = [
  ["/messages?beta=true", anthropicMessages],
  ["/messages/count_tokens?beta=true", anthropicTokenCount],
];

/** `/api/v1` is for clients made for gateways that have it there. */
export const prefixes = ["/v1", "/api/v1"] as const;

/** Once a shutdown has begun, kept connections may still bring requests: they are sent elsewhere at once. */
export function relayOrRefuse(
  message: IncomingMessage,
  response: ServerResponse,
  dialect: ClientDialect,
  relay: Relay,
): void {
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
