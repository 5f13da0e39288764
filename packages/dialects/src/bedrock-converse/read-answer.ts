import { garbled, readAnswerObject } from "../failure/answer-object.ts";
import type { HubSink } from "../hub/answer.ts";
import { isObject, text, type JsonObject } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { BlockTeller } from "./blocks.ts";
import { stopSequenceOf } from "./read-events.ts";
import { readUsage } from "./usage.ts";

/** Tells a whole answer of Converse: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export function readAnswer(body: Buffer, preset: Pick<ProviderPreset, "markers">, sink: HubSink): void {
  const read = readAnswerObject(body, preset);
  if (!read.ok) {
    sink.fail(read.failure);
    return;
  }
  const { output, usage, trace, stopReason, additionalModelResponseFields: fields } = read.answer;
  const message = isObject(output) ? output.message : null;
  if (!isObject(message) || !Array.isArray(message.content)) {
    sink.fail(garbled("the answer holds no message").failure);
    return;
  }
  sink.begin(null, null);
  const blocks = new BlockTeller(sink);
  for (const [index, block] of message.content.entries()) {
    if (isObject(block)) tell(index, block, blocks);
    blocks.end(index);
  }
  const counts = readUsage(usage);
  if (counts !== null) sink.usage(counts);
  if (isObject(trace)) blocks.left("the guardrail's trace");
  blocks.finish(stopReason, fields, stopSequenceOf(fields));
}

function tell(index: number, block: JsonObject, blocks: BlockTeller): void {
  if (typeof block.text === "string") blocks.text(block.text);
  else if (isObject(block.toolUse)) {
    blocks.call(index, block.toolUse);
    blocks.callInput(index, JSON.stringify(block.toolUse.input ?? {}));
  } else if (isObject(block.reasoningContent)) thought(block.reasoningContent, blocks);
  else if (isObject(block.citationsContent)) cited(block.citationsContent, blocks);
  else for (const what of Object.keys(block).slice(0, 1)) blocks.left(`a block of ${what.slice(0, 40)}`);
}

function thought({ reasoningText, redactedContent }: JsonObject, blocks: BlockTeller): void {
  if (isObject(reasoningText)) {
    blocks.thought(text(reasoningText.text) ?? "");
    blocks.signature(text(reasoningText.signature) ?? "");
  }
  if (typeof redactedContent === "string") blocks.redacted(redactedContent);
}

/** What was written about its sources is the answer; the sources themselves have no place. */
function cited({ content }: JsonObject, blocks: BlockTeller): void {
  for (const piece of Array.isArray(content) ? content : []) {
    if (isObject(piece)) blocks.text(text(piece.text) ?? "");
  }
  blocks.left("a citation");
}
