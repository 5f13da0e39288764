import {
  eventStream,
  waitHeaders,
  writeNothing,
  type FailureForms,
  type SimulatedError,
  type SimulatedErrorName,
} from "../hub/failing.ts";
import { anthropicClient } from "./codec.ts";
import { ping } from "./errors.ts";

/** https://platform.claude.com/docs/en/api/errors */
const words: Readonly<Record<SimulatedErrorName, readonly [type: string, message: string, status?: number]>> = {
  "500": ["api_error", "Internal server error"],
  "503": ["overloaded_error", "Overloaded"],
  "529": ["overloaded_error", "Overloaded"],
  "429": ["rate_limit_error", "This request would exceed the rate limit of your organization."],
  // It has a type for billing, and says this of prepaid credit all the same.
  quota: ["invalid_request_error", "Your credit balance is too low to access the Anthropic API.", 400],
  "401": ["authentication_error", "invalid x-api-key"],
  "403": ["permission_error", "Your API key does not have permission to use the specified resource."],
  // The id follows.
  "404": ["not_found_error", "model: "],
};

function errorJson({ name, model }: SimulatedError): string {
  const [type, text] = words[name];
  const message = name === "404" ? text + model : text;
  return JSON.stringify({ type: "error", error: { type, message }, request_id: "req_drill" });
}

/** How a provider fails in Anthropic's dialect. */
export const messagesFailing: FailureForms = {
  streamType: eventStream,
  keepAlive: ping,
  brokenEvent: Buffer.from(
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" brok\n\n',
  ),
  errorAnswer(error) {
    const [, , status = error.status] = words[error.name];
    return { status, headers: waitHeaders(error), body: errorJson(error) };
  },
  errorEvent: (error) => Buffer.from(`event: error\ndata: ${errorJson(error)}\n\n`),
  emptyAnswer: (asked) => writeNothing(anthropicClient, asked),
};
