import type { Socket } from "node:net";

import { clientError, type ClientError } from "@tuloy/contract";
import { openaiChat } from "@tuloy/dialects";

import { ServerResponse, STATUS_CODES } from "./node-http.ts";

/**
 * Answers bytes that could not be read as a request, and closes the connection: where the next request would begin is
 * not known. There is no response object to answer with, only the socket.
 */
export function answerUnreadable(problem: Error & { readonly code?: string }, socket: Socket, traceId: string): void {
  // After a reset there is nobody, and in the middle of an answer the error would be taken for a part of it.
  if (socket.writable && !isAnswering(socket)) {
    const error = errorFor(problem.code);
    const body = openaiChat.writeError(error, traceId);
    const head = [
      `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ""}`,
      `x-request-id: ${traceId}`,
      "content-type: application/json",
      `content-length: ${body.length}`,
      "connection: close",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    socket.write(body);
  }
  socket.destroySoon();
}

function errorFor(code: string | undefined): ClientError {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return clientError(
      "request_timeout",
      "The request did not arrive in time: its headers and body were sent too slowly.",
    );
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return clientError("invalid_request", "The headers of this request are larger than 16 KB together.", {
      status: 431,
    });
  }
  return clientError(
    "invalid_request",
    `This is not a proper HTTP/1.1 request${code === undefined ? "" : ` (${code})`}.`,
  );
}

/** Node keeps the response that a socket is busy with in a field of its own, as its own handler for this event reads it. */
function isAnswering(socket: Socket): boolean {
  const response: unknown = Reflect.get(socket, "_httpMessage");
  return response instanceof ServerResponse && response.headersSent;
}
