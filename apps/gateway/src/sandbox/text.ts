import { hash } from "node:crypto";

/** A rough count, as where no tokenizer is at hand: four characters a token. At least 1. */
export function estimateTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** Numbers from 0 to 1 that look random and are the same for the same text, on every machine. */
export function seededRandom(text: string): () => number {
  // Mulberry32: small, and good enough for choosing words.
  let state = hash("sha256", text, "buffer").readUInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The longest answer, in tokens, so that no prompt makes the sandbox work without end. */
export const longestAnswer = 200_000;

/**
 * The simulated answer to a prompt: readable sentences, in pieces the size of tokens. The same prompt always has the same
 * answer, at every sandbox, as twins of one model should.
 * @param length about how many pieces: the last sentence is finished. Absent: between 40 and 120, by the prompt
 */
export function answerPieces(prompt: string, length?: number): string[] {
  const random = seededRandom(prompt);
  const wanted = Math.min(length ?? 40 + Math.floor(random() * 81), longestAnswer);
  const pieces = cut("This answer is simulated.");
  while (pieces.length < wanted) {
    for (const piece of cut(` ${sentence(random)}`)) pieces.push(piece);
  }
  return pieces;
}

/** Words with the space before them; long words in parts. */
function cut(text: string): string[] {
  return text.match(/ ?[^ ]{1,6}/g) ?? [];
}

const subjects = [
  "The ferry",
  "A fishing boat",
  "The night bus",
  "The baker",
  "An old friend",
  "The lighthouse keeper",
  "The market",
  "A young engineer",
  "The river",
  "The choir",
  "Every second train",
  "The post office",
] as const;

const actions = [
  "crosses the bay",
  "opens its doors",
  "waits for the tide",
  "counts the lanterns",
  "changes its course",
  "carries fresh mangoes",
  "finds another way",
  "goes on as planned",
  "keeps a careful record",
  "shares the morning news",
  "repairs a small engine",
  "follows the coast",
] as const;

const circumstances = [
  "before sunrise",
  "while the rain lasts",
  "when the road is closed",
  "without losing a minute",
  "on the far side of the island",
  "as it has done for years",
  "although nobody asked",
  "in spite of the wind",
  "until the last guest has left",
  "because the bridge is open again",
  "with time to spare",
  "at the end of the week",
] as const;

function sentence(random: () => number): string {
  return `${pick(subjects, random)} ${pick(actions, random)} ${pick(circumstances, random)}.`;
}

function pick(choices: readonly string[], random: () => number): string {
  return choices[Math.floor(random() * choices.length)] ?? "";
}
