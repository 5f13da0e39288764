import type { ClientCodec, UpstreamCodec } from "../hub/codec.ts";
import { continuationWayOf } from "./claude.ts";
import { continueMessages } from "./continue.ts";
import { MessageEvents } from "./hub-events.ts";
import { tellMessage } from "./hub-answer.ts";
import { messagesToHub } from "./hub-request.ts";
import { MessageWriter } from "./write-answer.ts";
import { MessageEventWriter } from "./write-events.ts";
import { contentObstacle } from "./write-content.ts";
import { writeMessagesRequest } from "./write-request.ts";

/** `POST /messages`, as providers speak it. */
export const anthropicUpstream: UpstreamCodec = {
  dialect: "anthropic-messages",
  expresses: new Set(["tools", "images", "files", "json_schema"]),
  obstacle: contentObstacle,
  continues: continuationWayOf,
  write: writeMessagesRequest,
  readAnswer: tellMessage,
  reader: (sink, preset) => new MessageEvents(sink, preset),
  continueRequest: continueMessages,
};

/** `POST /messages`, as clients speak it. */
export const anthropicClient: ClientCodec = {
  dialect: "anthropic-messages",
  toHub: messagesToHub,
  inTurn: true,
  answerWriter: (context) => new MessageWriter(context),
  eventWriter: (context, after) => new MessageEventWriter(context, after),
};
