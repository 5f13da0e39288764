import { eventStream, writeNothing, type FailureForms } from "../hub/failing.ts";
import { openaiErrorAnswer } from "../openai-chat/failing.ts";
import { responsesClient } from "./codec.ts";

/** How a provider fails in the Responses API (https://platform.openai.com/docs/api-reference/responses-streaming). */
export const responsesFailing: FailureForms = {
  streamType: eventStream,
  // The API has none of its own; a comment is one in any stream of events.
  keepAlive: Buffer.from(": PROCESSING\n\n"),
  brokenEvent: Buffer.from(
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":" brok\n\n',
  ),
  errorAnswer: openaiErrorAnswer,
  errorEvent: ({ code, type, message }) =>
    Buffer.from(
      `event: error\ndata: ${JSON.stringify({ type: "error", sequence_number: 0, code: code ?? type, message, param: null })}\n\n`,
    ),
  emptyAnswer: (asked) => writeNothing(responsesClient, asked),
};
