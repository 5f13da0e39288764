import type { ClientError } from "@tuloy/contract";

import type { JsonObject } from "../json/value.ts";
import { errorObject } from "../openai-chat/errors.ts";
import { Place } from "./place.ts";

/**
 * An error inside a stream. The API's own form has the error's members beside `type: "error"`; OpenAI's SDKs raise on a nested
 * `error` or the event's name, and Vercel's reads the nested one, so both are there. Nothing may follow it.
 * @param head of the stream that it ends
 */
export function writeErrorEvent(error: ClientError, traceId: string, head: JsonObject | null = null): Buffer {
  const { code, message, param } = error;
  const sequence = head instanceof Place ? head.sequence : 0;
  const event = { type: "error", sequence_number: sequence, code, message, param, error: errorObject(error, traceId) };
  return Buffer.from(`event: error\ndata: ${JSON.stringify(event)}\n\n`);
}
