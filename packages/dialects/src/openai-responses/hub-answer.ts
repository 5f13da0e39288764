import type { Failure } from "@tuloy/contract";

import { readAnswerObject } from "../failure/answer-object.ts";
import { classifyErrorObject } from "../failure/classify.ts";
import { cleanReason } from "../failure/reason.ts";
import type { HubFinish, HubSink } from "../hub/answer.ts";
import { calledBy, isObject, text, type JsonObject } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { carried } from "./carried.ts";
import { summaryText } from "./hub-items.ts";
import { readUsage } from "./usage.ts";

type Markers = Pick<ProviderPreset, "markers">;

/** Tells a whole response object to a sink. */
export function readAnswer(body: Buffer, preset: Markers, sink: HubSink): void {
  tellAnswer(body, preset, sink, false);
}

/** The same for a client of this dialect, who may have asked for an answer in the background: then there is only its id yet. */
export function readOwnAnswer(body: Buffer, preset: Markers, sink: HubSink): void {
  tellAnswer(body, preset, sink, true);
}

function tellAnswer(body: Buffer, preset: Markers, sink: HubSink, mayWait: boolean): void {
  const read = readAnswerObject(body, preset);
  if (!read.ok) return sink.fail(read.failure);
  const { answer } = read;
  if (!Array.isArray(answer.output)) return sink.fail(garbled("the answer is no response: it has no output"));
  const failure = failureOf(answer, preset);
  if (failure !== null) return sink.fail(failure);
  const waits = answer.status === "queued" || answer.status === "in_progress";
  if (waits && !mayWait)
    return sink.fail(garbled("the answer is not finished, and was not asked for in the background"));
  sink.begin(text(answer.id), text(answer.model));
  if (waits) {
    sink.acts?.();
    return sink.finish("stop", null);
  }
  const told = { calls: 0, text: false, refusal: false };
  for (const item of answer.output) if (isObject(item)) tellItem(item, sink, told);
  const usage = readUsage(answer.usage);
  if (usage !== null) sink.usage(usage);
  sink.finish(finishOf(answer, told), null);
}

/** What an answer holds, as far as its end depends on it. */
export interface Told {
  calls: number;
  text: boolean;
  refusal: boolean;
}

function tellItem(item: JsonObject, sink: HubSink, told: Told): void {
  switch (item.type) {
    case "message":
      if (Array.isArray(item.content)) for (const part of item.content) if (isObject(part)) tellPart(part, sink, told);
      break;
    case "reasoning": {
      const said = summaryText(item);
      if (said !== "") sink.thought(said);
      tellEncrypted(item, said !== "", sink);
      break;
    }
    case "function_call": {
      const call = told.calls++;
      sink.toolCall(call, text(item.call_id) ?? text(item.id) ?? "", text(item.name) ?? "", null);
      sink.toolArguments(call, text(item.arguments) ?? "{}");
      break;
    }
    default:
      sink.acts?.();
      sink.left(`an item of the type ${calledBy(item.type)}`);
  }
}

function tellPart(part: JsonObject, sink: HubSink, told: Told): void {
  if (part.type === "output_text") {
    const said = text(part.text);
    if (said !== null) {
      told.text = true;
      sink.text(said);
    }
    if (Array.isArray(part.annotations) && part.annotations.length > 0) sink.left("citations");
  } else if (part.type === "refusal") {
    told.refusal = true;
    sink.refusal(text(part.refusal) ?? "");
  } else sink.left(`content of the type ${calledBy(part.type)}`);
}

/** What OpenAI wants back of a reasoning item that is over. */
export function tellEncrypted(item: JsonObject, shown: boolean, sink: HubSink): void {
  const encrypted = text(item.encrypted_content);
  if (encrypted === null) return;
  const { opaque } = carried(encrypted);
  sink.thoughtOpaque(opaque, !shown, text(item.id));
}

/** Why an answer ended, from its status and what it holds: https://platform.openai.com/docs/api-reference/responses/object */
export function finishOf(
  { status, incomplete_details: details }: JsonObject,
  { calls, text: said, refusal }: Told,
): HubFinish {
  if (status === "incomplete") {
    // Beside the two there are `max_messages` and `steered`: the answer was cut short, too.
    return isObject(details) && details.reason === "content_filter" ? "content_filter" : "length";
  }
  if (calls > 0) return "tool_calls";
  return refusal && !said ? "refusal" : "stop";
}

/** What a response object with a status of failure means; null: it has none. */
export function failureOf(response: JsonObject, preset: Markers): Failure | null {
  if (response.status === "cancelled") return garbled("the answer was cancelled at its provider");
  if (response.status !== "failed") return null;
  return classifyErrorObject({ error: response.error }, preset) ?? garbled("the answer failed without an error");
}

function garbled(reason: string): Failure {
  return { class: "garbled", reason: cleanReason(reason), status: 200, code: null, retryAfterMs: null };
}
