import { readMessageStream } from "@tuloy/testkit";

import { callSignature, readSignature } from "../anthropic-messages/opaque.ts";
import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import { carried } from "../openai-responses/carried.ts";

/** What a client has of an answer, in whatever dialect. */
export interface View {
  readonly thought: string;
  /** Each thought that is signed, with its signature. */
  readonly signed: readonly (readonly [thought: string, signature: string])[];
  readonly hidden: number;
  readonly text: string;
  /** Empty where the dialect has no place for it but the text. */
  readonly refusal: string;
  readonly calls: readonly (readonly [name: string, json: string])[];
  /** The reason to end, and the counts. */
  readonly end: unknown;
  /** What ends a whole stream. */
  readonly terminators: number;
  readonly errors: number;
  /** What is no stream of its dialect. */
  readonly problems: readonly string[];
}

export type Client = "openai-chat" | "openai-responses" | "anthropic-messages";
export const clients: readonly Client[] = ["openai-chat", "openai-responses", "anthropic-messages"];

export function viewOf(client: Client, wire: string): View {
  if (client === "openai-chat") return chatView(wire);
  return client === "openai-responses" ? responsesView(wire) : messageView(wire);
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.map(objectOf) : []);
const said = (value: unknown): string => text(value) ?? "";

function dataOf(wire: string, problems: string[]): string[] {
  const blocks = wire.split("\n\n");
  if (blocks.pop() !== "") problems.push("the stream ends within an event");
  return blocks.flatMap((block) => {
    const line = block.split("\n").find((one) => one.startsWith("data: "));
    return line === undefined ? [] : [line.slice("data: ".length)];
  });
}

function chatView(wire: string): View {
  const problems: string[] = [];
  const view = { thought: "", text: "", refusal: "", terminators: 0, errors: 0 };
  const calls: [name: string, json: string][] = [];
  const details = new Map<number, { text: string; signature: string; hidden: boolean }>();
  const ends: unknown[] = [];
  const heads = new Set<string>();
  let roles = 0;
  for (const data of dataOf(wire, problems)) {
    if (view.terminators > 0) problems.push("an event after [DONE]");
    if (data === "[DONE]") {
      view.terminators++;
      continue;
    }
    const chunk = objectOf(parseJson(data));
    if (chunk.error !== undefined) {
      view.errors++;
      continue;
    }
    heads.add(`${String(chunk.id)} ${String(chunk.model)}`);
    if (isObject(chunk.usage)) ends.push([chunk.usage.prompt_tokens, chunk.usage.completion_tokens]);
    for (const choice of listOf(chunk.choices)) {
      const delta = objectOf(choice.delta);
      if (delta.role !== undefined) roles++;
      view.thought += said(delta.reasoning_content) + said(delta.reasoning);
      view.text += said(delta.content);
      view.refusal += said(delta.refusal);
      for (const entry of listOf(delta.reasoning_details)) noteEntry(entry, details, problems);
      for (const piece of listOf(delta.tool_calls)) {
        const index = Number(piece.index);
        if (index > calls.length) problems.push(`call ${index} after ${calls.length}`);
        const call = (calls[index] ??= ["", ""]);
        const made = objectOf(piece.function);
        if (call[0] !== "" && text(made.name) !== null) problems.push("a call is named twice");
        call[0] += said(made.name);
        call[1] += said(made.arguments);
      }
      if (text(choice.finish_reason) !== null) ends.push(choice.finish_reason);
    }
  }
  if (roles > 1) problems.push(`${roles} roles`);
  if (heads.size > 1) problems.push(`${heads.size} answers`);
  const entries = [...details.values()];
  return {
    ...view,
    calls,
    signed: entries
      .filter(({ signature, hidden }) => signature !== "" && !hidden)
      .map((one) => [one.text, one.signature]),
    hidden: entries.filter(({ hidden }) => hidden).length,
    end: ends,
    problems,
  };
}

/** As OpenRouter's clients put entries of one index together. */
function noteEntry(
  entry: JsonObject,
  details: Map<number, { text: string; signature: string; hidden: boolean }>,
  problems: string[],
): void {
  const index = Number(entry.index);
  const last = Math.max(-1, ...details.keys());
  if (index < last) problems.push(`entry ${index} of reasoning_details after ${last}`);
  let known = details.get(index);
  if (known === undefined) details.set(index, (known = { text: "", signature: "", hidden: false }));
  if (known.signature !== "") problems.push("an entry of reasoning_details goes on after its signature");
  known.text += said(entry.text);
  known.signature += said(entry.signature) + said(entry.data);
  known.hidden ||= entry.data !== undefined;
}

function messageView(wire: string): View {
  const { message, content, stops, errors, problems } = readMessageStream(Buffer.from(wire));
  const calls: [string, string][] = [];
  const signed: [string, string][] = [];
  const view = { thought: "", text: "", hidden: 0 };
  for (const block of content) {
    if (block.type === "text") view.text += said(block.text);
    else if (block.type === "thinking") {
      view.thought += said(block.thinking);
      const { opaque } = readSignature(said(block.signature));
      if (opaque !== null) signed.push([said(block.thinking), opaque.data]);
    } else if (block.type === "redacted_thinking") {
      if (!said(block.data).startsWith(callSignature)) view.hidden++;
    } else if (block.type === "tool_use") calls.push([said(block.name), JSON.stringify(block.input)]);
  }
  return {
    ...view,
    signed,
    refusal: "",
    calls,
    end: [message?.stop_reason, message?.usage],
    terminators: stops,
    errors: errors.length,
    // What is reported breaks off within a block.
    problems: errors.length > 0 ? problems.filter((problem) => !problem.endsWith("was never closed")) : problems,
  };
}

function responsesView(wire: string): View {
  const problems: string[] = [];
  const items = new Map<number, { item: JsonObject; text: string; done: boolean }>();
  const view = { terminators: 0, errors: 0 };
  let end: unknown = null;
  let created = 0;
  for (const [sequence, data] of dataOf(wire, problems).entries()) {
    const event = objectOf(parseJson(data));
    if (event.sequence_number !== sequence) problems.push(`event ${String(event.sequence_number)} at ${sequence}`);
    if (view.terminators > 0) problems.push("an event after the end");
    const open = items.get(Number(event.output_index));
    const type = said(event.type);
    if (type === "error") view.errors++;
    else if (type === "response.created") created++;
    else if (type === "response.output_item.added") {
      if (open !== undefined) problems.push("an item begins twice");
      items.set(Number(event.output_index), { item: objectOf(event.item), text: "", done: false });
    } else if (type === "response.output_item.done") {
      if (open === undefined || open.done) problems.push("an item ends that is not open");
      else items.set(Number(event.output_index), { ...open, item: objectOf(event.item), done: true });
    } else if (type.endsWith(".delta")) {
      if (open === undefined || open.done) problems.push(`${type} outside an open item`);
      else open.text += said(event.delta);
    } else if (type === "response.completed" || type === "response.incomplete") {
      view.terminators++;
      const response = objectOf(event.response);
      const whole = [...items.values()].map(({ item }) => item);
      if (JSON.stringify(response.output) !== JSON.stringify(whole)) problems.push("the response is not its items");
      end = [type, response.usage];
    }
  }
  if (created !== 1) problems.push(`${created} beginnings`);
  const calls: [string, string][] = [];
  const signed: [string, string][] = [];
  const told = { thought: "", text: "", refusal: "", hidden: 0 };
  for (const { item, text: deltas, done } of items.values()) {
    if (item.type === "function_call") {
      calls.push([said(item.name), done ? said(item.arguments) : deltas]);
      if (done && said(item.arguments) !== (deltas || "{}")) problems.push("arguments are not what their pieces say");
    } else if (item.type === "message") {
      const parts = listOf(item.content);
      const whole = parts.map((part) => said(part.text) + said(part.refusal)).join("");
      if (done && whole !== deltas) problems.push("a message is not what its pieces say");
      if (!done) told.text += deltas;
      for (const part of parts) {
        told.text += said(part.text);
        told.refusal += said(part.refusal);
      }
    } else {
      const shown = done
        ? listOf(item.summary)
            .map((part) => said(part.text))
            .join("")
        : deltas;
      if (shown !== deltas) problems.push("a thought is not what its pieces say");
      told.thought += shown;
      const encrypted = text(item.encrypted_content);
      if (encrypted === null) continue;
      if (shown === "") told.hidden++;
      else signed.push([shown, carried(encrypted).opaque.data]);
    }
  }
  return { ...told, signed, calls, end, ...view, problems };
}
