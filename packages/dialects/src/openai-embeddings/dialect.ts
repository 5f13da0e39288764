import type { ClientDialect } from "../client-dialect.ts";
import { heartbeat, writeError, writeErrorEvent } from "../openai-chat/errors.ts";
import { relabelObject } from "../relabel/answer.ts";
import { readEmbeddingsAnswer } from "./answer.ts";
import { embeddingsPromptSize } from "./prompt-size.ts";
import { readEmbeddingsRequest } from "./request.ts";

function neverStreamed(): never {
  throw new Error("embeddings are never streamed");
}

/** `POST /embeddings`. */
export const openaiEmbeddings: ClientDialect = {
  dialect: "openai-embeddings",
  operation: "embeddings",
  read: readEmbeddingsRequest,
  promptSize: embeddingsPromptSize,
  watch: neverStreamed,
  completable: neverStreamed,
  continueRequest: neverStreamed,
  readAnswer: readEmbeddingsAnswer,
  relabel: relabelObject,
  relabelStream: neverStreamed,
  writeError,
  writeErrorEvent,
  heartbeat,
  trailer: Buffer.alloc(0),
};
