import type { ServerResponse } from "node:http";

import type { ClientError } from "@tuloy/contract";
import { anthropicMessages, openaiChat } from "@tuloy/dialects";

import { retryHeaders, traceHeaders } from "../relay/headers.ts";
import { discardRest } from "./body.ts";

/** An error outside any dialect's own path. OpenAI's form is the one that most clients can read; Anthropic's say who they are. */
export function errorAnswer(response: ServerResponse, error: ClientError, traceId: string): void {
  discardRest(response.req);
  const dialect = response.req.headers["anthropic-version"] === undefined ? openaiChat : anthropicMessages;
  const body = dialect.writeError(error, traceId);
  const headers = traceHeaders(traceId);
  headers["content-type"] = "application/json";
  headers["content-length"] = body.length;
  if (error.retryAfterMs !== null) retryHeaders(headers, error);
  response.writeHead(error.status, headers);
  response.end(body);
}
