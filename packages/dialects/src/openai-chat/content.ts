import { isObject, text, type JsonObject } from "../json/value.ts";

/**
 * How much a model has said in a message or a delta, in characters: text, reasoning, a refusal, tool calls, audio. Zero means no
 * content at all: a role, an empty text.
 */
export function contentLength(message: JsonObject): number {
  // Nearly every delta is this and nothing else.
  const { content } = message;
  let length = typeof content === "string" ? content.length : 0;
  if (Array.isArray(content)) length += partsLength(content);
  // DeepSeek, vLLM and SGLang write `reasoning_content`; OpenRouter, Groq and newer vLLM write `reasoning`. Never both with different text.
  length += text(message.reasoning_content)?.length ?? text(message.reasoning)?.length ?? 0;
  length += text(message.refusal)?.length ?? 0;
  if (Array.isArray(message.tool_calls)) {
    for (const call of message.tool_calls) if (isObject(call)) length += callLength(call.function ?? call.custom);
  }
  if (isObject(message.function_call)) length += callLength(message.function_call);
  if (isObject(message.audio))
    length += text(message.audio.data)?.length ?? text(message.audio.transcript)?.length ?? 1;
  return length;
}

/** Mistral's reasoning models answer with parts. */
function partsLength(parts: readonly unknown[]): number {
  let length = 0;
  for (const part of parts) {
    if (!isObject(part)) continue;
    length += text(part.text)?.length ?? 0;
    if (Array.isArray(part.thinking)) length += partsLength(part.thinking);
  }
  return length;
}

/** A call counts even without arguments: a client may act on its name. */
function callLength(call: unknown): number {
  if (!isObject(call)) return 1;
  return Math.max(1, (text(call.name)?.length ?? 0) + (text(call.arguments)?.length ?? text(call.input)?.length ?? 0));
}
