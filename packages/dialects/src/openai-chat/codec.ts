import type { ClientCodec, UpstreamCodec } from "../hub/codec.ts";
import { continueRequest } from "./continue.ts";
import { tellChatAnswer } from "./hub-answer.ts";
import { ChatEventReader } from "./hub-events.ts";
import { chatToHub } from "./hub-request.ts";
import { ChatAnswerWriter } from "./write-answer.ts";
import { ChatEventWriter } from "./write-events.ts";
import { chatObstacle } from "./write-messages.ts";
import { chatExpresses, writeChatRequest } from "./write-request.ts";

/** How a provider is spoken to in OpenAI's chat dialect. */
export const chatUpstream: UpstreamCodec = {
  dialect: "openai-chat",
  expresses: chatExpresses,
  obstacle: chatObstacle,
  write: writeChatRequest,
  readAnswer: tellChatAnswer,
  reader: (sink, preset) => new ChatEventReader(sink, preset),
  continueRequest,
};

/** How a client is spoken to in it. */
export const chatClient: ClientCodec = {
  dialect: "openai-chat",
  toHub: chatToHub,
  inTurn: false,
  answerWriter: (context) => new ChatAnswerWriter(context),
  eventWriter: (context, after) => new ChatEventWriter(context, after),
};
