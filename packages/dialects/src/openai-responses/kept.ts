import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import { isMade } from "./carried.ts";
import { Place } from "./place.ts";

/** The ids under which a provider keeps a response: its own, its items', and that of the conversation it belongs to. */
export function keptIn(answer: Buffer): readonly string[] {
  const response = parseJson(answer.toString("utf8"));
  return isObject(response) ? idsOf(response, Array.isArray(response.output) ? response.output : []) : [];
}

/** The same of a stream, as far as it has come. */
export function keptBy(head: JsonObject): readonly string[] {
  if (!(head instanceof Place)) return [];
  return idsOf(
    head.response,
    head.items.map(({ begun }) => begun),
  );
}

/** Whether a stream can be taken up again by its response's id, should it break: then the id is needed before the end. */
export function isInBackground(head: JsonObject): boolean {
  return head instanceof Place && head.response.background === true;
}

function idsOf(response: JsonObject, output: readonly unknown[]): readonly string[] {
  const id = text(response.id);
  if (id === null || response.store === false || isMade(id)) return [];
  const items = output.map((item) => (isObject(item) ? text(item.id) : null)).filter((item) => item !== null);
  const conversation = isObject(response.conversation) ? text(response.conversation.id) : null;
  return conversation === null ? [id, ...items] : [id, conversation, ...items];
}
