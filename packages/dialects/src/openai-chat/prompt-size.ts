import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import { PromptScale, type PromptSize } from "../prompt-size.ts";
import { base64PerTokenOfFiles, tokensPerAudio, tokensPerImage } from "./media.ts";

/** Of a message's frame, and of the answer's beginning: OpenAI's own recipe for counting (its cookbook, "How to count tokens"). */
const tokensPerMessage = 3;
const tokensToAnswer = 3;

/** The size of a chat's prompt. Tools and schemas are counted as the JSON they are sent in; providers render them a little shorter. */
export function chatPromptSize(body: Buffer, count: (text: string) => number): PromptSize | null {
  const fields = parseJson(body.toString("utf8"));
  if (!isObject(fields) || !Array.isArray(fields.messages)) return null;
  const scale = new PromptScale(count);
  let other = tokensToAnswer;
  for (const message of fields.messages) {
    other += tokensPerMessage;
    if (isObject(message)) other += addMessage(message, scale);
  }
  for (const part of [fields.tools, fields.functions, fields.response_format]) {
    if (typeof part === "object" && part !== null) scale.add(JSON.stringify(part));
  }
  return scale.size(other);
}

/** @returns tokens that are no text */
function addMessage(message: JsonObject, scale: PromptScale): number {
  scale.add(text(message.role) ?? "");
  const { content, tool_calls: calls, name } = message;
  if (typeof name === "string") scale.add(name);
  if (typeof content === "string") scale.add(content);
  if (calls !== undefined && calls !== null) scale.add(JSON.stringify(calls));
  return Array.isArray(content) ? addParts(content, scale) : 0;
}

function addParts(parts: readonly unknown[], scale: PromptScale): number {
  let other = 0;
  for (const part of parts) {
    if (!isObject(part)) continue;
    if (part.type === "image_url") other += tokensPerImage;
    else if (part.type === "input_audio") other += tokensPerAudio;
    else if (part.type === "file") other += fileTokens(part.file);
    else scale.add(text(part.text) ?? "");
  }
  return other;
}

function fileTokens(file: unknown): number {
  return isObject(file) ? Math.ceil((text(file.file_data)?.length ?? 0) / base64PerTokenOfFiles) : 0;
}
