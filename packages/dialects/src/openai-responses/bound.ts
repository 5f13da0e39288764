import { count, isObject, text, type JsonObject } from "../json/value.ts";
import type { Bound } from "../request.ts";

/** Items that every dialect has words for. */
const common: ReadonlySet<string> = new Set(["message", "function_call", "function_call_output", "reasoning"]);

/** What in a request binds it to this dialect; null: nothing, so any dialect can carry it. */
export function boundBy(fields: JsonObject): Bound | null {
  return byState(fields) ?? byItems(fields.input) ?? byTools(fields) ?? byOutput(fields);
}

/** All that a request goes on from, in the order in which it names them. */
function keptFor({ previous_response_id: previous, conversation, input }: JsonObject): readonly string[] {
  const items = Array.isArray(input) ? input.filter(isObject).filter(isReference) : [];
  const named = [previous, idOf(conversation), ...items.map(({ id }) => id)];
  return named.map(text).filter((id) => id !== null);
}

/**
 * Whether an item is nothing but the id of one that is kept: said in so many words, or without a type (a message has a role), or an
 * image that was made earlier and is not sent along.
 */
function isReference({ type, id, role, content, result }: JsonObject): boolean {
  if (type === "item_reference") return true;
  if (text(id) === null) return false;
  if (type === "image_generation_call") return !isSet(result);
  return !isSet(type) && !isSet(role) && !isSet(content);
}

function idOf(conversation: unknown): string | null {
  return text(isObject(conversation) ? conversation.id : conversation);
}

/** Kept at the provider, and reachable through its own endpoints only. */
function byState(fields: JsonObject): Bound | null {
  const { previous_response_id: previous, conversation, prompt, background } = fields;
  if (isSet(previous))
    return bound(
      "previous_response_id",
      "goes on from a response that is kept at its provider",
      keptFor(fields),
      idOf(conversation),
    );
  if (isSet(conversation))
    return bound(
      "conversation",
      "belongs to a conversation that is kept at its provider",
      keptFor(fields),
      idOf(conversation),
    );
  if (isSet(prompt))
    return bound("prompt", "uses a prompt that is kept at its provider", keptFor(fields), idOf(conversation));
  return background === true
    ? bound("background", "asks for an answer in the background", keptFor(fields), idOf(conversation))
    : null;
}

function byTools({ tools, tool_choice: choice }: JsonObject): Bound | null {
  if (Array.isArray(tools)) {
    for (const [index, tool] of tools.entries()) {
      const type = isObject(tool) ? text(tool.type) : null;
      if (type !== "function")
        return bound(`tools[${index}]`, `uses the tool ${type ?? "without a type"}, which only this API has`);
    }
  }
  if (!isObject(choice) || choice.type === "function" || choice.type === "allowed_tools") return null;
  return bound("tool_choice", `chooses the tool ${text(choice.type) ?? "without a type"}, which only this API has`);
}

function byOutput({ include, top_logprobs: logprobs }: JsonObject): Bound | null {
  if ((count(logprobs) ?? 0) > 0) return bound("top_logprobs", "asks for log probabilities");
  return Array.isArray(include) && include.includes("message.output_text.logprobs")
    ? bound("include", "asks for log probabilities")
    : null;
}

function byItems(input: unknown): Bound | null {
  if (!Array.isArray(input)) return null;
  for (const [index, item] of input.entries()) {
    if (!isObject(item)) continue;
    const type = text(item.type) ?? "message";
    if (isReference(item))
      return bound(`input[${index}]`, "refers to an item that is kept at its provider", keptFor({ input }));
    if (!common.has(type))
      return bound(`input[${index}]`, `holds an item of the type ${type}, which only this API has`, keptFor({ input }));
  }
  return null;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

const nothing: readonly string[] = [];

function bound(
  param: string,
  why: string,
  kept: readonly string[] = nothing,
  conversation: string | null = null,
): Bound {
  return { param, why: why.slice(0, 200), kept, conversation };
}
