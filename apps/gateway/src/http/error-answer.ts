import type { ServerResponse } from "node:http";

import type { ClientError } from "@tuloy/contract";
import { openaiChat } from "@tuloy/dialects";

import { traceHeaders } from "../relay/headers.ts";
import { discardRest } from "./body.ts";

/** An error outside any dialect's own path. OpenAI's form is the one that most clients can read. */
export function errorAnswer(response: ServerResponse, error: ClientError, traceId: string): void {
  discardRest(response.req);
  const body = openaiChat.writeError(error, traceId);
  response.writeHead(error.status, {
    ...traceHeaders(traceId),
    "content-type": "application/json",
    "content-length": body.length,
  });
  response.end(body);
}
