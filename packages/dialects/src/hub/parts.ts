import type { HubMessage, HubPart, HubRequest } from "./request.ts";

/** What is first found in a part of a conversation, tools' results and what they hold included; null: nothing anywhere. */
export function findInParts<Found>(
  messages: readonly Pick<HubMessage, "parts">[],
  find: (part: HubPart) => Found | null,
): Found | null {
  for (const { parts } of messages) {
    for (const part of parts) {
      const found = find(part) ?? (part.kind === "tool_result" ? findInParts([part], find) : null);
      if (found !== null) return found;
    }
  }
  return null;
}

/** Notes prompt-cache marks, for dialects without them. They change no answer, but what it costs. */
export function noteCacheMarks({ system, tools, messages }: HubRequest, note: (words: string) => void): void {
  const isMarked =
    system.some(({ cache }) => cache !== null) ||
    tools.some(({ cache }) => cache !== null) ||
    findInParts(messages, ({ cache }) => cache) !== null;
  if (isMarked) note("prompt-cache marks were left out");
}

export const callProofsLeftOut = "signatures of earlier calls were left out: they are for the model that made them";
/** Of what an assistant refused, where a dialect has no other place for it. */
export const refusalAsText = "an earlier refusal was sent as text";
/** Of what is answered with 400. */
export const blankLeftOut = "text of nothing but white space was left out: it is refused there";
export const endTrimmed = "white space at the end of the begun answer was left out: it is refused there";
