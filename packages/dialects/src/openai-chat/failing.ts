import {
  eventStream,
  waitHeaders,
  writeNothing,
  type ErrorAnswer,
  type FailureForms,
  type SimulatedError,
} from "../hub/failing.ts";
import { chatClient } from "./codec.ts";

/** An error in the form that all of OpenAI's dialects have. */
export function openaiErrorAnswer(error: SimulatedError): ErrorAnswer {
  return { status: error.status, headers: waitHeaders(error), body: errorJson(error) };
}

function errorJson({ message, type, code }: SimulatedError): string {
  return JSON.stringify({ error: { message, type, param: null, code } });
}

/** How a provider fails in OpenAI's chat dialect. */
export const chatFailing: FailureForms = {
  streamType: eventStream,
  // OpenRouter's.
  keepAlive: Buffer.from(": PROCESSING\n\n"),
  brokenEvent: Buffer.from('data: {"choices":[{"index":0,"delta":{"content":" brok\n\n'),
  errorAnswer: openaiErrorAnswer,
  errorEvent: (error) => Buffer.from(`data: ${errorJson(error)}\n\n`),
  emptyAnswer: (asked) => writeNothing(chatClient, asked),
};
