import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import { tokensPerImage } from "../openai-chat/media.ts";
import { PromptScale, type PromptSize } from "../prompt-size.ts";
import { inputTokens, lookThrough } from "./facts.ts";

/** Of a message's frame, as other models have it: Anthropic publishes none. */
const tokensPerMessage = 3;

/** The size of a conversation. Tools and schemas are counted as the JSON they are sent in. */
export function messagesPromptSize(body: Buffer, count: (text: string) => number): PromptSize | null {
  const fields = parseJson(body.toString("utf8"));
  if (!isObject(fields) || !Array.isArray(fields.messages)) return null;
  const scale = new PromptScale(count);
  let other = addContent(fields.system, scale);
  for (const message of fields.messages) {
    other += tokensPerMessage;
    if (isObject(message)) other += addContent(message.content, scale);
  }
  const { tools, output_config: config } = fields;
  for (const part of [tools, isObject(config) ? config.format : null]) {
    if (typeof part === "object" && part !== null) scale.add(JSON.stringify(part));
  }
  return scale.size(other);
}

/** @returns tokens that are no text */
function addContent(content: unknown, scale: PromptScale): number {
  if (typeof content === "string") scale.add(content);
  if (!Array.isArray(content)) return 0;
  let other = 0;
  for (const block of content) if (isObject(block)) other += addBlock(block, scale);
  return other;
}

function addBlock(block: JsonObject, scale: PromptScale): number {
  switch (block.type) {
    case "image":
      return tokensPerImage;
    case "document": {
      const { source } = block;
      if (isObject(source) && source.type === "text") scale.add(text(source.data) ?? "");
      if (isObject(source) && source.type === "content") return addContent(source.content, scale);
      // Nothing but its length is known of a PDF.
      return inputTokens(0, lookThrough([{ content: [block] }]));
    }
    case "tool_result":
      return addContent(block.content, scale);
    case "thinking":
    case "redacted_thinking":
      // What was thought in earlier turns is mostly not read again.
      return 0;
    case "text":
      scale.add(text(block.text) ?? "");
      return 0;
    default:
      scale.add(JSON.stringify(block));
      return 0;
  }
}
