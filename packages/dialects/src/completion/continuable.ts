import { hiddenThoughtPart, reasoningPart, signaturePart, textPart, type SentAnswer } from "./sent.ts";

/** How many of the last characters a soft continuation quotes. */
const quotedCharacters = 200;

/** A character that a server could not write whole stands at the end: half of the next one is in it. */
const halfCharacter = "\u{FFFD}";

/** The text that was sent of the one choice there is. Only where `whyNotContinuable` says nothing. */
export function sentText(sent: SentAnswer): string {
  return sent.choices.get(0)?.parts.find(({ part }) => part === textPart)?.text ?? "";
}

/** Only reasoning was sent, so the answer can begin anew. */
export function isOnlyReasoning(sent: SentAnswer): boolean {
  return [...sent.choices.values()].every(
    ({ parts, finishReason }) => finishReason === null && parts.every(({ part }) => isThought(part)),
  );
}

function isThought(part: string): boolean {
  return part === reasoningPart || part === hiddenThoughtPart || part === signaturePart;
}

/** Why what was sent can't be continued, only replayed, whatever was asked; empty when it can be. */
export function whyNotContinuable(sent: SentAnswer): string {
  const [choice] = sent.choices.values();
  if (choice === undefined || sent.choices.size > 1 || !sent.choices.has(0)) return "there are several choices";
  if (choice.finishReason !== null) return "its end was sent";
  // What was thought out of sight before the answer is no part of it.
  const shown = choice.parts.slice(choice.parts.findIndex(({ part }) => part !== hiddenThoughtPart));
  const other = shown.find(({ part }) => part !== textPart);
  if (other !== undefined) return `it holds ${other.part}, and only text can be continued`;
  const text = shown[0]?.text ?? "";
  if (text.trim() === "") return "nothing but white space was sent";
  if (!text.isWellFormed() || text.endsWith(halfCharacter)) return "it broke off inside a character";
  return "";
}

/** What a model is asked, as a user would, to go on with a text that broke off. */
export function softInstruction(text: string): string {
  const quoted = JSON.stringify(text.slice(-quotedCharacters).toWellFormed());
  return (
    "Your answer was cut off by a technical fault. Go on from exactly where it stops, in the middle of a sentence or word if need be. " +
    `Write only what follows: no introduction, no apology, no repetition. It stops after these characters: ${quoted}`
  );
}
