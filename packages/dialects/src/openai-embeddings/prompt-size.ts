import { isObject, parseJson } from "../json/value.ts";
import { PromptScale, type PromptSize } from "../prompt-size.ts";

/** The size of what is to be embedded: one text, several, one list of tokens, or several. */
export function embeddingsPromptSize(body: Buffer, count: (text: string) => number): PromptSize | null {
  const fields = parseJson(body.toString("utf8"));
  const input = isObject(fields) ? fields.input : undefined;
  if (typeof input !== "string" && !Array.isArray(input)) return null;
  const scale = new PromptScale(count);
  let given = 0;
  let largest = 0;
  const items: readonly unknown[] = typeof input === "string" || typeof input[0] === "number" ? [input] : input;
  for (const item of items) {
    const listed = Array.isArray(item) ? item.length : 0;
    given += listed;
    largest = Math.max(largest, typeof item === "string" ? scale.add(item) : listed);
  }
  return scale.size(given, largest);
}
