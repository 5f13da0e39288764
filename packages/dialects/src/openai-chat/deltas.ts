import { reasoningPart, refusalPart, textPart, type SentAnswer } from "../completion/sent.ts";
import { isObject, text, type JsonObject } from "../json/value.ts";
import { noteDetails, takeDetails, type OwnReasoning } from "./details.ts";

/** Asked for each part of a delta, in order. @returns what is to stand in its place, empty for nothing; null: it does not fit */
export type TakePart = (part: string, text: string) => string | null;

/** Never both with different text. */
const reasoningMembers = ["reasoning_content", "reasoning"] as const;

/** The other parts of a delta that hold one text. */
const plainParts: readonly (readonly [member: string, part: string])[] = [
  ["content", textPart],
  ["refusal", refusalPart],
];

/** No request may ask for more choices. */
const maxChoices = 1024;

/** Which choice it is; what no choice can be is taken for the first. */
export function choiceIndex({ index }: JsonObject): number {
  return typeof index === "number" && Number.isInteger(index) && index >= 0 && index < maxChoices ? index : 0;
}

/** Notes what one event adds to the answer. */
export function noteChunk(sent: SentAnswer, chunk: JsonObject, choices: readonly unknown[]): void {
  for (const choice of choices) {
    if (!isObject(choice)) continue;
    const index = choiceIndex(choice);
    const { delta } = choice;
    if (isObject(delta)) {
      noteDelta(sent, index, delta);
      if (sent.head === null && sent.length > 0) sent.head = chunk;
    }
    if (typeof choice.finish_reason === "string" && choice.finish_reason !== "") {
      sent.finished(index, choice.finish_reason);
    }
  }
  if (choices.length === 0 && isObject(chunk.usage)) sent.usageSent = true;
}

function noteDelta(sent: SentAnswer, index: number, delta: JsonObject): void {
  const strange = strangeness(delta);
  if (strange !== null) {
    sent.forget(strange);
    return;
  }
  takeParts(delta, (part, said) => {
    sent.add(index, part, said);
    return said;
  });
  if (Array.isArray(delta.reasoning_details)) noteDetails(sent, delta.reasoning_details);
}

/** What a delta holds that can't be compared, or null. */
export function strangeness(delta: JsonObject): string | null {
  if (isObject(delta.audio)) return "the answer is spoken";
  if (isObject(delta.function_call)) return "the answer calls a function in the old form";
  if (Array.isArray(delta.content)) return "the answer is not plain text";
  return null;
}

/**
 * Takes a delta apart and puts it together again from what is to stand in each part's place.
 * @returns the new delta without its role, empty when nothing is left; null: a part does not fit
 */
export function takeParts(delta: JsonObject, take: TakePart): Record<string, unknown> | null {
  const { role: _role, tool_calls: calls, reasoning_details: details, ...rest } = delta;
  const left: Record<string, unknown> = rest;
  let reasoning: OwnReasoning | null = null;
  for (const member of reasoningMembers) {
    const said: string | null = reasoning === null ? text(left[member]) : null;
    const kept: string | null = said === null ? "" : take(reasoningPart, said);
    if (kept === null) return null;
    if (said !== null) reasoning = { said, kept };
    if (kept === "") delete left[member];
    else left[member] = kept;
  }
  if (Array.isArray(details)) {
    const kept = takeDetails(details, reasoning, take);
    if (kept === null) return null;
    if (kept.length > 0) left.reasoning_details = kept;
  }
  for (const [member, part] of plainParts) {
    const said = text(left[member]);
    const kept = said === null ? "" : take(part, said);
    if (kept === null) return null;
    if (kept === "") delete left[member];
    else left[member] = kept;
  }
  if (!Array.isArray(calls)) return left;
  const kept: unknown[] = [];
  for (const [position, call] of calls.entries()) {
    if (!isObject(call)) continue;
    const taken = takeCall(call, position, take);
    if (taken === null) return null;
    if (Object.keys(taken).length > 1) kept.push(taken);
  }
  if (kept.length > 0) left.tool_calls = kept;
  return left;
}

/** A call's name and its kind are sent once, before its arguments; its id is the provider's own and is not compared. */
function takeCall(call: JsonObject, position: number, take: TakePart): Record<string, unknown> | null {
  const index = typeof call.index === "number" ? call.index : position;
  const member = isObject(call.custom) ? "custom" : "function";
  const said = call[member];
  const content = isObject(said) ? said : {};
  const body = member === "custom" ? "input" : "arguments";
  const left: Record<string, unknown> = { index };
  const put: Record<string, unknown> = {};
  const name = text(content.name);
  if (name !== null) {
    const kept = take(`the name of call ${index}`, name);
    if (kept === null) return null;
    if (kept !== "") {
      for (const [key, value] of Object.entries(call)) if (key !== member) left[key] = value;
      put.name = kept;
      put[body] = "";
    }
  }
  const written = text(content[body]);
  if (written !== null) {
    const kept = take(`the arguments of call ${index}`, written);
    if (kept === null) return null;
    if (kept !== "") put[body] = kept;
  }
  if (Object.keys(put).length > 0) left[member] = put;
  return left;
}
