import type { ClientError } from "@tuloy/contract";

import { errorObject } from "../openai-chat/errors.ts";

/**
 * An error inside a stream. The API's own form has the error's members beside `type: "error"`; OpenAI's SDKs raise on a nested
 * `error` or the event's name, and Vercel's reads the nested one, so both are there. Nothing may follow it.
 * @param sequence the number of the event
 */
export function writeErrorEvent(error: ClientError, traceId: string, sequence: number): Buffer {
  const { code, message, param } = error;
  const event = { type: "error", sequence_number: sequence, code, message, param, error: errorObject(error, traceId) };
  return Buffer.from(`event: error\ndata: ${JSON.stringify(event)}\n\n`);
}
