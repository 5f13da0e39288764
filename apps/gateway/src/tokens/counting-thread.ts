import { parentPort } from "node:worker_threads";

import { loadTokenizer, type CountTokens, type Tokenizer } from "@tuloy/catalog";
import { openaiChat, openaiEmbeddings } from "@tuloy/dialects";

import type { CountJob, CountResult } from "./messages.ts";

const dialects = { chat: openaiChat, embeddings: openaiEmbeddings };
const loaded = new Map<Tokenizer, Promise<CountTokens>>();

function counterOf(tokenizer: Tokenizer): Promise<CountTokens> {
  let counter = loaded.get(tokenizer);
  if (counter === undefined) loaded.set(tokenizer, (counter = loadTokenizer(tokenizer)));
  return counter;
}

async function count({ id, tokenizer, operation, body }: CountJob): Promise<CountResult> {
  return { id, size: dialects[operation].promptSize(Buffer.from(body.buffer), await counterOf(tokenizer)) };
}

if (parentPort === null) throw new Error("this file is a worker thread's");
const port = parentPort;
port.on("message", (job: CountJob) => {
  void count(job).then((result) => port.postMessage(result));
});
