import type { IncomingMessage } from "node:http";

import { clientError, type ClientError } from "@tuloy/contract";

import type { Interrupt } from "../relay/interrupt.ts";
import { largeBytes, writeHeld } from "../turn-end.ts";

/** 32 MB: larger than any provider's own limit for a JSON request with images. */
const maxBodyBytes = 32 * 1024 * 1024;

/** The client left before its body was whole: there is nobody to answer. */
export const bodyCut = Symbol("body cut");

/**
 * Reads a request's whole body.
 * @returns the bytes, or an error for the client, or `bodyCut`
 */
export function readBody(
  message: IncomingMessage,
  interrupt: Interrupt,
): Promise<Buffer | ClientError | typeof bodyCut> {
  const refusal = refusalByHeaders(message);
  if (refusal) return Promise.resolve(refusal);
  return new Promise((resolve) => {
    interrupt.listen(() =>
      resolve(
        clientError("shutting_down", "The gateway is shutting down; send the request again.", { retryAfterMs: 1000 }),
      ),
    );
    const chunks: Buffer[] = [];
    let size = 0;
    message.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBodyBytes) {
        message.removeAllListeners("data");
        resolve(tooLarge());
      } else {
        chunks.push(chunk);
      }
    });
    message.on("end", () => {
      if (size > largeBytes) writeHeld();
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
    });
    message.on("error", () => resolve(bodyCut));
    message.on("close", () => resolve(bodyCut));
  });
}

/**
 * Lets the sender of a refused request finish. Closing the connection at once would reset it, and a client that is still
 * sending would see that instead of the answer; reading on for ever would let anybody keep us busy. So as much is
 * discarded as a body may have, and then the connection is closed.
 */
export function discardRest(message: IncomingMessage): void {
  if (message.complete) return;
  let left = maxBodyBytes;
  message.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) message.destroy();
  });
  // A message that nobody has begun to read would be discarded by Node itself when the answer is out, without an end.
  message.read(0);
}

function refusalByHeaders(message: IncomingMessage): ClientError | null {
  const type = message.headers["content-type"];
  if (type === undefined || !/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) {
    return clientError(
      "unsupported_media_type",
      `The request must be JSON: send the header "content-type: application/json"${type === undefined ? "" : ` instead of "${type.slice(0, 80)}"`}.`,
    );
  }
  if (message.headers["content-encoding"] !== undefined) {
    return clientError("unsupported_media_type", "Compressed request bodies are not accepted: send the JSON as it is.");
  }
  return Number(message.headers["content-length"] ?? 0) > maxBodyBytes ? tooLarge() : null;
}

function tooLarge(): ClientError {
  return clientError(
    "request_too_large",
    "The request body is larger than 32 MB. Send large files by reference (a URL) or in several requests.",
  );
}
