import { garbled, readAnswerObject } from "../failure/answer-object.ts";
import type { HubFinish, HubSink } from "../hub/answer.ts";
import { calledBy, isObject, text, type JsonObject } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { readFinish } from "./finish.ts";
import { jsonTool } from "./json-tool.ts";
import { readUsage } from "./usage.ts";

/** Tells a whole message to a sink. */
export function tellMessage(body: Buffer, preset: Pick<ProviderPreset, "markers">, sink: HubSink): void {
  const read = readAnswerObject(body, preset);
  if (!read.ok) return sink.fail(read.failure);
  const { answer } = read;
  const { content, stop_reason: reason, stop_details: details } = answer;
  if (!Array.isArray(content)) return sink.fail(garbled("the answer is no message: it has no content").failure);
  sink.begin(text(answer.id), text(answer.model));
  let calls = 0;
  let answered = false;
  for (const block of content) {
    if (!isObject(block)) continue;
    if (block.type === "tool_use" && block.name !== jsonTool) tellCall(block, calls++, sink);
    else if (block.type === "tool_use") {
      answered = true;
      sink.text(JSON.stringify(block.input ?? {}));
    } else tellBlock(block, sink);
  }
  const usage = readUsage(answer.usage);
  if (usage !== null) sink.usage(usage);
  tellRefusal(details, sink);
  const finish = finishOf(text(reason), calls === 0 && answered, sink);
  sink.finish(finish, text(answer.stop_sequence));
}

function tellCall(block: JsonObject, call: number, sink: HubSink): void {
  sink.toolCall(call, text(block.id) ?? "", text(block.name) ?? "", null);
  sink.toolArguments(call, JSON.stringify(block.input ?? {}));
}

function tellBlock(block: JsonObject, sink: HubSink): void {
  switch (block.type) {
    case "text": {
      if (Array.isArray(block.citations) && block.citations.length > 0) sink.left("citations were left out");
      const said = text(block.text);
      if (said !== null) sink.text(said);
      return;
    }
    case "thinking": {
      const thought = text(block.thinking);
      if (thought !== null) sink.thought(thought);
      const signature = text(block.signature);
      if (signature !== null) sink.thoughtOpaque({ dialect: "anthropic-messages", data: signature }, false, null);
      return;
    }
    case "redacted_thinking": {
      const data = text(block.data);
      if (data !== null) sink.thoughtOpaque({ dialect: "anthropic-messages", data }, true, null);
      return;
    }
    default:
      sink.left(leftBlock(block.type));
  }
}

export function leftBlock(type: unknown): string {
  return `a block of type ${calledBy(type)} was left out`;
}

/** Why it declined, where it says so. It stands beside the content. */
export function tellRefusal(details: unknown, sink: HubSink): void {
  if (!isObject(details) || details.type !== "refusal") return;
  const explanation = text(details.explanation);
  if (explanation !== null) sink.refusal(explanation);
}

/** @param onlyJson the one call was the answer itself */
export function finishOf(reason: string | null, onlyJson: boolean, sink: HubSink): HubFinish {
  if (reason === null) return "stop";
  const finish = readFinish(reason);
  if (finish === null) sink.left(`the stop reason ${reason.slice(0, 60)} was passed on as an ordinary end`);
  return finish === null || (finish === "tool_calls" && onlyJson) ? "stop" : finish;
}
