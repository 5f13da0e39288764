import type { Answer } from "../client-dialect.ts";
import { garbled, readAnswerObject } from "../failure/answer-object.ts";
import { isObject } from "../json/value.ts";
import { readUsage } from "../openai-chat/usage.ts";
import type { ProviderPreset } from "../providers/preset.ts";

/** Judges a whole list of embeddings. One without any is garbled: every request asks for at least one. */
export function readEmbeddingsAnswer(body: Buffer, preset: Pick<ProviderPreset, "markers">): Answer {
  const read = readAnswerObject(body, preset);
  if (!read.ok) return read;
  const { answer } = read;
  const { data } = answer;
  if (!Array.isArray(data) || data.length === 0) return garbled("the answer is no list of embeddings: it has no data");
  for (const item of data) {
    const embedding = isObject(item) ? item.embedding : undefined;
    // Floats, or base64 when the client asked for that.
    const present =
      typeof embedding === "string" || Array.isArray(embedding) ? embedding.length > 0 : isObject(embedding);
    if (!present) return garbled("the answer is no list of embeddings: an item has none");
  }
  return { ok: true, usage: readUsage(answer.usage), textLength: 0, empty: false };
}
