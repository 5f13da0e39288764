import { reasoningPart, refusalPart, textPart, type SentAnswer, type SentChoice } from "../completion/sent.ts";
import { argumentsPart } from "../hub/outgoing.ts";
import { isObject, text, type JsonObject } from "../json/value.ts";
import { CallItem, MessageItem, partOf, ReasoningItem } from "./items.ts";
import { summaryText } from "./hub-items.ts";
import type { Place, PlacedItem } from "./place.ts";

type Resumed = readonly [call: number, item: MessageItem | ReasoningItem | CallItem];

/**
 * The items that a stream left open when it broke, with what the client was sent of them. What kind of text went to which item
 * follows from the order: an item's text is what was sent of its kind after all earlier items of that kind.
 */
export function resumeItems(place: Place, sent: SentAnswer): Resumed[] {
  const parts = sent.choices.get(0)?.parts ?? [];
  const said = (name: string): string =>
    parts
      .filter(({ part }) => part === name)
      .map((part) => part.text)
      .join("");
  const open: Resumed[] = [];
  let calls = 0;
  for (const placed of place.items) {
    const type = text(placed.begun.type);
    const call = type === "function_call" ? calls++ : -1;
    if (placed.done !== null) continue;
    const id = String(placed.begun.id);
    if (type === "message") {
      open.push([call, resumeMessage(placed, id, restOf(parts, place))]);
    } else if (type === "reasoning") {
      const item = new ReasoningItem(placed.index, id);
      const rest = said(reasoningPart).slice(doneLength(place, "reasoning"));
      if (rest !== "") item.resume(rest);
      open.push([call, item]);
    } else if (type === "function_call") {
      const names = { callId: String(placed.begun.call_id), name: String(placed.begun.name) };
      open.push([call, new CallItem(placed.index, id, names, said(argumentsPart(call)))]);
    } else {
      // Of another kind, as only this API has them: it stays as it was last seen.
      placed.done = placed.begun;
    }
  }
  return open;
}

/** What was sent of the message that is open: texts and refusals, as they came after those of all messages that are over. */
function restOf(parts: SentChoice["parts"], place: Place): SentChoice["parts"] {
  const done = { [textPart]: doneLength(place, "output_text"), [refusalPart]: doneLength(place, "refusal") };
  const rest: { readonly part: string; text: string }[] = [];
  for (const { part, text: said } of parts) {
    if (part !== textPart && part !== refusalPart) continue;
    const left = said.slice(done[part]);
    done[part] = Math.max(0, done[part] - said.length);
    const last = rest.at(-1);
    if (left === "") continue;
    if (last?.part === part) last.text += left;
    else rest.push({ part, text: left });
  }
  return rest;
}

function resumeMessage({ index }: PlacedItem, id: string, parts: SentChoice["parts"]): MessageItem {
  const last = parts.at(-1);
  const closed = parts.slice(0, -1).map(({ part, text: said }) => partOf(kindOf(part), said));
  const item = new MessageItem(index, id, closed);
  if (last !== undefined) item.resume(kindOf(last.part), last.text);
  return item;
}

function kindOf(part: string): "output_text" | "refusal" {
  return part === refusalPart ? "refusal" : "output_text";
}

/** Characters of one kind in the items that are over. */
function doneLength({ items, discarded }: Place, kind: "output_text" | "refusal" | "reasoning"): number {
  let length = 0;
  for (const { done } of items.slice(discarded)) {
    if (done === null) continue;
    if (kind === "reasoning") length += done.type === "reasoning" ? summaryText(done).length : 0;
    else length += contentLength(done, kind);
  }
  return length;
}

function contentLength({ content }: JsonObject, kind: "output_text" | "refusal"): number {
  if (!Array.isArray(content)) return 0;
  let length = 0;
  for (const part of content) {
    if (!isObject(part) || part.type !== kind) continue;
    length += (text(kind === "refusal" ? part.refusal : part.text) ?? "").length;
  }
  return length;
}
