import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import { tokensPerAudio, tokensPerImage } from "../openai-chat/media.ts";
import { PromptScale, type PromptSize } from "../prompt-size.ts";

/** Of an item's frame, and of the answer's beginning: as OpenAI's own recipe counts a chat's messages. */
const tokensPerItem = 3;
const tokensToAnswer = 3;

/** The size of a prompt as far as it is in the request: what a provider keeps of earlier turns is not. */
export function responsesPromptSize(body: Buffer, count: (text: string) => number): PromptSize | null {
  const fields = parseJson(body.toString("utf8"));
  if (!isObject(fields)) return null;
  const scale = new PromptScale(count);
  let other = tokensToAnswer;
  scale.add(text(fields.instructions) ?? "");
  const { input } = fields;
  if (typeof input === "string") {
    other += tokensPerItem;
    scale.add(input);
  } else if (Array.isArray(input)) {
    for (const item of input) {
      other += tokensPerItem;
      if (isObject(item)) other += addItem(item, scale);
    }
  } else return null;
  for (const part of [fields.tools, isObject(fields.text) ? fields.text.format : null]) {
    if (typeof part === "object" && part !== null) scale.add(JSON.stringify(part));
  }
  return scale.size(other);
}

/** @returns tokens that are no text */
function addItem(item: JsonObject, scale: PromptScale): number {
  scale.add(text(item.role) ?? "");
  scale.add(text(item.name) ?? "");
  scale.add(text(item.arguments) ?? "");
  return addContent(item.content, scale) + addContent(item.output, scale) + addContent(item.summary, scale);
}

function addContent(content: unknown, scale: PromptScale): number {
  if (typeof content === "string") scale.add(content);
  if (!Array.isArray(content)) return 0;
  let other = 0;
  for (const part of content) {
    if (!isObject(part)) continue;
    if (part.type === "input_image") other += tokensPerImage;
    else if (part.type === "input_audio") other += tokensPerAudio;
    else scale.add(text(part.text) ?? text(part.refusal) ?? "");
  }
  return other;
}
