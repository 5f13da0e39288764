import type { IncomingMessage } from "node:http";

import type { ApiError } from "./faults.ts";

/** As the gateway's own limit: 32 MB. */
const longestBody = 32 * 1024 * 1024;

type Read = { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly error: ApiError };

/** Reads a request's JSON body. Rejects when the client leaves before its end. */
export async function readBody(request: IncomingMessage): Promise<Read> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    // The rest is read and thrown away: a client that is still sending would not see an early answer.
    if (size <= longestBody) pieces.push(piece);
  }
  if (size > longestBody) return refused(413, "The body is larger than 32 MB.");
  try {
    return { ok: true, body: JSON.parse(Buffer.concat(pieces).toString("utf8")) };
  } catch {
    return refused(400, "The body is not valid JSON.");
  }
}

function refused(status: number, message: string): Read {
  return { ok: false, error: { status, type: "invalid_request_error", code: null, message } };
}
