import type { ClientCodec, UpstreamCodec } from "../hub/codec.ts";
import { continueRequest } from "./continue.ts";
import { readAnswer } from "./hub-answer.ts";
import { ResponsesEventReader } from "./hub-events.ts";
import { toHub } from "./hub-request.ts";
import { writeRequest } from "./write-request.ts";
import { ResponseWriter } from "./writer.ts";

/** How a provider is spoken to by the Responses API. */
export const responsesUpstream: UpstreamCodec = {
  dialect: "openai-responses",
  // It has no several choices; log probabilities and audio the hub can't carry.
  expresses: new Set(["tools", "images", "files", "json_schema"]),
  write: writeRequest,
  readAnswer,
  reader: (sink, preset) => new ResponsesEventReader(sink, preset),
  continueRequest,
};

/** How a client speaks it. */
export const responsesClient: ClientCodec = {
  dialect: "openai-responses",
  toHub,
  inTurn: true,
  answerWriter: (context) => new ResponseWriter(context, false),
  eventWriter: (context, after) => new ResponseWriter(context, true, after),
};
