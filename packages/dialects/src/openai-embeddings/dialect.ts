import type { ClientDialect } from "../client-dialect.ts";
import { heartbeat, writeError, writeErrorEvent } from "../openai-chat/errors.ts";
import { readEmbeddingsAnswer } from "./answer.ts";
import { readEmbeddingsRequest } from "./request.ts";

/** `POST /embeddings`. */
export const openaiEmbeddings: ClientDialect = {
  dialect: "openai-embeddings",
  operation: "embeddings",
  read: readEmbeddingsRequest,
  watch() {
    throw new Error("embeddings are never streamed");
  },
  readAnswer: readEmbeddingsAnswer,
  writeError,
  writeErrorEvent,
  heartbeat,
  trailer: Buffer.alloc(0),
};
