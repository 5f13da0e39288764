import type { ClientDialect } from "../client-dialect.ts";
import { relabelObject } from "../relabel/answer.ts";
import { StreamRelabel } from "../relabel/stream.ts";
import { readChatAnswer } from "./answer.ts";
import { completable, continueRequest } from "./continue.ts";
import { heartbeat, writeError, writeErrorEvent } from "./errors.ts";
import { chatPromptSize } from "./prompt-size.ts";
import { readChatRequest } from "./request.ts";
import { ChatStreamWatch } from "./stream.ts";
import { trailer } from "./trailer.ts";

/** `POST /chat/completions`. */
export const openaiChat: ClientDialect = {
  dialect: "openai-chat",
  operation: "chat",
  read: readChatRequest,
  promptSize: chatPromptSize,
  watch: (options) => new ChatStreamWatch(options),
  completable,
  continueRequest,
  readAnswer: readChatAnswer,
  relabel: relabelObject,
  relabelStream: (model) => new StreamRelabel(model),
  writeError,
  writeErrorEvent,
  heartbeat,
  trailer,
};
