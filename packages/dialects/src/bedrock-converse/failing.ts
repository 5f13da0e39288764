import { waitHeaders, type FailureForms, type SimulatedError, type SimulatedErrorName } from "../hub/failing.ts";
import { messageLength, writeMessage } from "./write-event.ts";

/** https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html */
const words: Readonly<Record<SimulatedErrorName, readonly [type: string, message: string, status?: number]>> = {
  "500": ["InternalServerException", "The system encountered an unexpected error during processing."],
  "503": ["ServiceUnavailableException", "Bedrock is unable to process your request."],
  "529": ["ServiceUnavailableException", "Bedrock is unable to process your request."],
  "429": ["ThrottlingException", "Too many requests, please wait before trying again."],
  // AWS sends a bill later: what is used up there is a quota of the account.
  quota: ["ServiceQuotaExceededException", "Your account has exceeded its quota for this model.", 400],
  "401": ["UnrecognizedClientException", "The security token included in the request is invalid.", 403],
  "403": ["AccessDeniedException", "You don't have access to the model with the specified model ID."],
  "404": ["ResourceNotFoundException", "The model could not be resolved."],
};

function event(type: string, payload: string): Buffer {
  const headers = { ":event-type": type, ":content-type": "application/json", ":message-type": "event" };
  return writeMessage(headers, payload);
}

/** How Bedrock fails. */
export const converseFailing: FailureForms = {
  streamType: "application/vnd.amazon.eventstream",
  // It sends none; a piece without text is the nearest to one.
  keepAlive: event("contentBlockDelta", '{"contentBlockIndex":0,"delta":{"text":""}}'),
  brokenEvent: event("contentBlockDelta", '{"contentBlockIndex":0,"delta":{"text":" brok'),
  errorAnswer(error) {
    const [type, message, status = error.status] = words[error.name];
    return {
      status,
      headers: { ...waitHeaders(error), "x-amzn-errortype": type },
      body: JSON.stringify({ __type: type, message }),
    };
  },
  errorEvent({ name }: SimulatedError) {
    const [type, message] = words[name];
    // In a stream it is named as a member is.
    const exception = type.charAt(0).toLowerCase() + type.slice(1);
    const headers = {
      ":exception-type": exception,
      ":content-type": "application/json",
      ":message-type": "exception",
    };
    return writeMessage(headers, JSON.stringify({ message }));
  },
  emptyAnswer({ stream }) {
    const usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
    const rest = { usage, metrics: { latencyMs: 0 } };
    if (!stream) {
      const output = { message: { role: "assistant", content: [] } };
      return Buffer.from(JSON.stringify({ output, stopReason: "end_turn", ...rest }));
    }
    return Buffer.concat([
      event("messageStart", '{"role":"assistant"}'),
      event("messageStop", '{"stopReason":"end_turn"}'),
      event("metadata", JSON.stringify(rest)),
    ]);
  },
  messageLength,
};
