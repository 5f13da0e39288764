import type { ClientDialect } from "../client-dialect.ts";
import { readExpressAnswer } from "../hub/reading.ts";
import { ExpressWatch } from "../hub/watch.ts";
import { scanTopLevel } from "../json/top-level.ts";
import { splice } from "../json/splice.ts";
import { relabelObject } from "../relabel/answer.ts";
import { StreamRelabel } from "../relabel/stream.ts";
import { anthropicUpstream } from "./codec.ts";
import { completable, continueMessages } from "./continue.ts";
import { ping, writeMessagesError, writeMessagesErrorEvent } from "./errors.ts";
import { follow, headOf } from "./head.ts";
import { messagesPromptSize } from "./prompt-size.ts";
import { readMessagesRequest } from "./request.ts";
import { messageStop } from "./write-events.ts";

const trailer = Buffer.from(messageStop);

/** `POST /messages`. */
export const anthropicMessages: ClientDialect = {
  dialect: "anthropic-messages",
  operation: "chat",
  read: readMessagesRequest,
  promptSize: messagesPromptSize,
  watch: (options) => new ExpressWatch(options, { codec: anthropicUpstream, headOf, follow, trailer }),
  headOf,
  follow,
  completable,
  continueRequest: continueMessages,
  readAnswer: (body, preset) => readExpressAnswer(anthropicUpstream, body, preset),
  relabel: relabelObject,
  relabelStream: (model) => new StreamRelabel(model, relabelEvent),
  writeError: writeMessagesError,
  writeErrorEvent: writeMessagesErrorEvent,
  heartbeat: ping,
  trailer,
};

/** Only the first event names the model, inside its message. */
function relabelEvent(event: Buffer, model: string): Buffer {
  if (!event.includes('"message_start"')) return event;
  const scanned = scanTopLevel(event, Infinity);
  if (scanned.kind !== "object") return event;
  const edits = scanned.members
    .filter(({ key }) => key === "message")
    .flatMap(({ start, end }) => {
      const message = event.subarray(start, end);
      const relabelled = relabelObject(message, model);
      return relabelled === message ? [] : [{ start, end, text: relabelled.toString("utf8") }];
    });
  return splice(event, edits);
}
