import type { EmbeddingsAsk } from "./ask.ts";
import { seededRandom } from "./text.ts";

/** The whole answer to an embeddings request, in OpenAI's form. */
export function embeddingsAnswer(ask: EmbeddingsAsk): Record<string, unknown> {
  const words = Math.ceil(wordsThatCount / ask.inputs.length);
  return {
    object: "list",
    data: ask.inputs.map((text, index) => {
      const vector = embed(text, ask.dimensions, words);
      return { object: "embedding", index, embedding: ask.base64 ? toBase64(vector) : [...vector] };
    }),
    model: ask.model,
    usage: { prompt_tokens: ask.promptTokens, total_tokens: ask.promptTokens },
  };
}

/** In one request, over all its texts: the simulated provider shares its process with the gateway. */
const wordsThatCount = 100_000;
const directionsPerWord = 16;

/**
 * A vector of length 1: the sum of a fixed direction for each word, so that texts that share words are near each other and
 * a search over simulated vectors finds something sensible.
 */
function embed(text: string, dimensions: number, words: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const word of (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]).slice(0, words)) {
    const random = seededRandom(word);
    for (let count = 0; count < directionsPerWord; count++) {
      const at = Math.floor(random() * dimensions);
      vector[at] = (vector[at] ?? 0) + random() - 0.5;
    }
  }
  const length = Math.hypot(...vector);
  return length === 0 ? vector.fill(1 / Math.sqrt(dimensions)) : vector.map((value) => value / length);
}

function toBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}
