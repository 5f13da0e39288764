import type { ClientDialect } from "../client-dialect.ts";
import { readExpressAnswer } from "../hub/reading.ts";
import { ExpressWatch } from "../hub/watch.ts";
import { heartbeat, writeError } from "../openai-chat/errors.ts";
import { relabelObject } from "../relabel/answer.ts";
import { StreamRelabel } from "../relabel/stream.ts";
import { responsesUpstream } from "./codec.ts";
import { completable, continueRequest } from "./continue.ts";
import { writeErrorEvent } from "./errors.ts";
import { readOwnAnswer } from "./hub-answer.ts";
import { isInBackground, keptBy, keptIn } from "./kept.ts";
import { follow, headOf } from "./place.ts";
import { responsesPromptSize } from "./prompt-size.ts";
import { relabelEvent } from "./relabel.ts";
import { readResponsesRequest } from "./request.ts";

const ownCodec = { ...responsesUpstream, readAnswer: readOwnAnswer };

/** A stream ends with the whole response, which nobody can make up. */
const trailer = Buffer.alloc(0);

/** `POST /responses`. */
export const openaiResponses: ClientDialect = {
  dialect: "openai-responses",
  operation: "chat",
  read: readResponsesRequest,
  promptSize: responsesPromptSize,
  watch: (options) => new ExpressWatch(options, { codec: ownCodec, headOf, follow, trailer }),
  headOf,
  follow,
  keptIn,
  keptBy,
  isInBackground,
  completable,
  continueRequest,
  readAnswer: (body, preset) => readExpressAnswer(ownCodec, body, preset),
  relabel: relabelObject,
  relabelStream: (model) => new StreamRelabel(model, relabelEvent),
  writeError,
  writeErrorEvent,
  heartbeat,
  trailer,
};
