import { isObject, parseJson } from "../json/value.ts";
import type { Continuation } from "../providers/continuation.ts";

/**
 * Broken off in the middle of a word: only who goes on from exactly here begins with its other half. Who takes a new turn begins
 * with a whole word, and who starts over with the first.
 */
const begun = "one, two, three, four, five, six, sev";
const goesOn = "en, eight";

/** The smallest request that shows whether a server goes on with an answer that it is given the beginning of. */
export function continuationProbe(upstreamModel: string, { message, body }: Continuation): Buffer {
  const request = {
    ...body,
    model: upstreamModel,
    max_tokens: 8,
    temperature: 0,
    messages: [
      {
        role: "user",
        content: "Write the numbers from one to ten as words, with a comma and a space between them, and nothing else.",
      },
      { ...message, role: "assistant", content: begun },
    ],
  };
  return Buffer.from(JSON.stringify(request));
}

/** Whether a whole answer to the probe goes on from where it was to. */
export function showsContinuation(answer: Buffer): boolean {
  const completion = parseJson(answer.toString("utf8"));
  const choices = isObject(completion) && Array.isArray(completion.choices) ? completion.choices : [];
  const [choice]: unknown[] = choices;
  const message = isObject(choice) && isObject(choice.message) ? choice.message : {};
  return typeof message.content === "string" && message.content.startsWith(goesOn);
}
