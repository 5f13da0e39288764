import { parentPort } from "node:worker_threads";

import { loadTokenizer, type CountTokens, type Tokenizer } from "@tuloy/catalog";
import type { Dialect } from "@tuloy/contract";
import { anthropicMessages, openaiChat, openaiEmbeddings, openaiResponses, type ClientDialect } from "@tuloy/dialects";

import type { CountJob, CountResult } from "./messages.ts";

const dialects: ReadonlyMap<Dialect, ClientDialect> = new Map(
  [openaiChat, openaiResponses, openaiEmbeddings, anthropicMessages].map((dialect) => [dialect.dialect, dialect]),
);
const loaded = new Map<Tokenizer, Promise<CountTokens>>();

function counterOf(tokenizer: Tokenizer): Promise<CountTokens> {
  let counter = loaded.get(tokenizer);
  if (counter === undefined) loaded.set(tokenizer, (counter = loadTokenizer(tokenizer)));
  return counter;
}

async function count({ id, tokenizer, dialect, body }: CountJob): Promise<CountResult> {
  const spoken = dialects.get(dialect);
  return { id, size: spoken?.promptSize(Buffer.from(body.buffer), await counterOf(tokenizer)) ?? null };
}

if (parentPort === null) throw new Error("this file is a worker thread's");
const port = parentPort;
port.on("message", (job: CountJob) => {
  void count(job).then((result) => port.postMessage(result));
});
