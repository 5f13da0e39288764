import type { HubSink } from "../hub/answer.ts";
import { garbled, readAnswerObject } from "../failure/answer-object.ts";
import { isObject, text, type JsonObject } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { failedFinishes, hubFinish } from "./finish.ts";
import { readCallProof, readReasoningDetail } from "./opaque.ts";
import { readUsage } from "./usage.ts";

/** Tells a whole `chat.completion`. Of several choices the first: nobody who is translated can have asked for more. */
export function tellChatAnswer(body: Buffer, preset: Pick<ProviderPreset, "markers">, sink: HubSink): void {
  const read = readAnswerObject(body, preset);
  if (!read.ok) {
    sink.fail(read.failure);
    return;
  }
  const { id, model, choices, usage } = read.answer;
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  if (!isObject(choice) || !isObject(choice.message)) {
    sink.fail(garbled("the answer is no chat completion: it has no choice with a message").failure);
    return;
  }
  sink.begin(text(id), text(model));
  const { message } = choice;
  tellContent(message, sink);
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  let told = 0;
  for (const call of calls) if (tellCall(call, told, sink)) told++;
  const counted = readUsage(usage);
  if (counted !== null) sink.usage(counted);
  const reason = text(choice.finish_reason);
  const failed = reason === null ? undefined : failedFinishes.get(reason);
  if (failed !== undefined) {
    const why = `the answer ended with finish_reason ${reason ?? ""}`;
    sink.fail({ class: failed, reason: why, status: 200, code: null, retryAfterMs: null });
  } else {
    // A whole answer without a reason comes from servers that know only one.
    sink.finish(hubFinish(reason ?? "stop", told, text(message.refusal) !== null), null);
  }
}

/** All of a message or a delta but its calls: reasoning, text, a refusal. */
export function tellContent(message: JsonObject, sink: HubSink): void {
  const { content } = message;
  // DeepSeek, vLLM and SGLang write `reasoning_content`; OpenRouter, Groq and newer vLLM write `reasoning`. Never both with different text.
  const thought = text(message.reasoning_content) ?? text(message.reasoning);
  if (!tellProofs(message.reasoning_details, sink) && thought !== null) sink.thought(thought);
  if (typeof content === "string") {
    if (content !== "") sink.text(content);
  } else if (Array.isArray(content)) {
    for (const part of content) if (isObject(part)) tellPart(part, sink);
  }
  const refusal = text(message.refusal);
  if (refusal !== null) sink.refusal(refusal);
  if (isObject(message.audio)) sink.left("speech in the answer was left out");
  if (Array.isArray(message.annotations) && message.annotations.length > 0) sink.left("annotations were left out");
  if (isObject(message.function_call)) sink.left("a call in the old form was left out");
}

/**
 * Signed or encrypted reasoning (https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks). Its text is
 * that of `reasoning`, of which each signature is for a part.
 * @returns whether there was any, and so the text was told with it; without a signature `reasoning` says it better, since some
 * servers send all of it again with each piece
 */
function tellProofs(details: unknown, sink: HubSink): boolean {
  if (!Array.isArray(details)) return false;
  const read = details.map(readReasoningDetail).filter((detail) => detail !== null);
  const signed = read.some(({ opaque }) => opaque !== null);
  if (signed) {
    for (const { text: said, opaque, redacted, id } of read) {
      if (said !== "") sink.thought(said);
      if (opaque !== null) sink.thoughtOpaque(opaque, redacted, id);
    }
  }
  if (details.some(isUnknown)) sink.left("what the provider wants back of its reasoning was left out");
  return signed;
}

/** Signed or encrypted for a maker that has no dialect here. */
function isUnknown(detail: unknown): boolean {
  if (!isObject(detail) || (text(detail.signature) ?? text(detail.data)) === null) return false;
  return (readReasoningDetail(detail)?.opaque ?? null) === null;
}

/** Mistral's reasoning models answer with parts. https://docs.mistral.ai/capabilities/reasoning */
function tellPart(part: JsonObject, sink: HubSink): void {
  if (part.type === "thinking") sink.thought(partsText(part.thinking));
  else if (typeof part.text === "string") sink.text(part.text);
}

export function partsText(parts: unknown): string {
  if (typeof parts === "string") return parts;
  if (!Array.isArray(parts)) return "";
  return parts.map((part) => (isObject(part) ? (text(part.text) ?? "") : "")).join("");
}

/** @returns whether it is a function's: no other has a place in the hub */
function tellCall(call: unknown, index: number, sink: HubSink): boolean {
  const made = isObject(call) && isObject(call.function) ? call.function : null;
  if (!isObject(call) || made === null) {
    sink.left("a call that is no function's was left out");
    return false;
  }
  sink.toolCall(index, text(call.id) ?? "", text(made.name) ?? "", readCallProof(call.extra_content));
  const json = text(made.arguments);
  if (json !== null) sink.toolArguments(index, json);
  return true;
}
