import type { Answer } from "../client-dialect.ts";
import { garbled, readAnswerObject } from "../failure/answer-object.ts";
import { isObject, text } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { contentLength } from "./content.ts";
import { glanceAtAnswer } from "./glance.ts";
import { readUsage } from "./usage.ts";

/** Judges a whole `chat.completion`. */
export function readChatAnswer(body: Buffer, preset: Pick<ProviderPreset, "markers">): Answer {
  const usage = glanceAtAnswer(body);
  return usage === null ? parseChatAnswer(body, preset) : { ok: true, usage, textLength: 0, empty: false };
}

/** The same for any answer, by parsing it. */
export function parseChatAnswer(body: Buffer, preset: Pick<ProviderPreset, "markers">): Answer {
  const read = readAnswerObject(body, preset);
  if (!read.ok) return read;
  const { answer } = read;
  const { choices } = answer;
  if (!Array.isArray(choices) || choices.length === 0)
    return garbled("the answer is no chat completion: it has no choices");
  let length = 0;
  let finishReason: string | null = null;
  for (const choice of choices) {
    if (!isObject(choice) || !isObject(choice.message))
      return garbled("the answer is no chat completion: a choice has no message");
    length += contentLength(choice.message);
    finishReason = text(choice.finish_reason) ?? finishReason;
  }
  const usage = readUsage(answer.usage);
  const silent = length === 0 && (usage?.output_tokens ?? 0) === 0;
  return {
    ok: true,
    usage,
    textLength: usage === null ? length : 0,
    empty: silent && finishReason !== "content_filter",
  };
}
