import type { JsonObject } from "../json/value.ts";
import type { EventOut } from "./event-out.ts";
import { Pieces } from "./pieces.ts";

/** How an item ended: one that was cut by a limit or a filter is incomplete. */
export type ItemStatus = "completed" | "incomplete";

/**
 * An item of an answer while it is being written. `out` is null for an answer that is no stream: then it only gathers.
 * Each event's form is the API's: https://platform.openai.com/docs/api-reference/responses-streaming
 */
export interface WrittenItem {
  readonly index: number;
  /** As `response.output_item.added` has it. */
  readonly begun: JsonObject;
  /** Ends it. @returns the whole item */
  close(out: EventOut | null, status: ItemStatus): JsonObject;
}

/** Announces an item. */
export function announce(item: WrittenItem, out: EventOut | null): void {
  out?.add("response.output_item.added", `"output_index":${item.index},"item":${JSON.stringify(item.begun)}`);
}

function ended(index: number, item: JsonObject, out: EventOut | null): JsonObject {
  out?.add("response.output_item.done", `"output_index":${index},"item":${JSON.stringify(item)}`);
  return item;
}

type PartKind = "output_text" | "refusal";

/** A message of the model: texts and refusals. */
export class MessageItem implements WrittenItem {
  readonly index: number;
  readonly begun: JsonObject;
  readonly #content: JsonObject[];
  #kind: PartKind | null = null;
  #pieces = new Pieces();
  /** What all events of the open part have in common. */
  #place = "";

  constructor(index: number, id: string, content: readonly JsonObject[] = []) {
    this.index = index;
    this.begun = { id, type: "message", status: "in_progress", role: "assistant", content: [] };
    this.#content = [...content];
  }

  /** What is in it, for the same item in another stream. */
  resume(kind: PartKind, text: string): void {
    this.#kind = kind;
    this.#pieces = new Pieces(text);
    this.#place = this.#placeOf();
  }

  say(kind: PartKind, text: string, out: EventOut | null): void {
    if (this.#kind !== kind) this.#open(kind, out);
    this.#pieces.push(text);
    if (out === null) return;
    const delta = `${this.#place},"delta":${JSON.stringify(text)}`;
    if (kind === "output_text") out.add("response.output_text.delta", `${delta},"logprobs":[]`);
    else out.add("response.refusal.delta", delta);
  }

  close(out: EventOut | null, status: ItemStatus): JsonObject {
    this.#closePart(out);
    return ended(this.index, { ...this.begun, status, content: this.#content }, out);
  }

  #open(kind: PartKind, out: EventOut | null): void {
    this.#closePart(out);
    this.#kind = kind;
    this.#pieces = new Pieces();
    this.#place = this.#placeOf();
    out?.add("response.content_part.added", `${this.#place},"part":${JSON.stringify(partOf(kind, ""))}`);
  }

  #closePart(out: EventOut | null): void {
    if (this.#kind === null) return;
    const kind = this.#kind;
    const { text } = this.#pieces;
    const part = partOf(kind, text);
    this.#kind = null;
    this.#content.push(part);
    if (out === null) return;
    const said = JSON.stringify(text);
    if (kind === "output_text") out.add("response.output_text.done", `${this.#place},"text":${said},"logprobs":[]`);
    else out.add("response.refusal.done", `${this.#place},"refusal":${said}`);
    out.add("response.content_part.done", `${this.#place},"part":${JSON.stringify(part)}`);
  }

  #placeOf(): string {
    return `"item_id":${JSON.stringify(this.begun.id)},"output_index":${this.index},"content_index":${this.#content.length}`;
  }
}

export function partOf(kind: PartKind, text: string): JsonObject {
  return kind === "output_text"
    ? { type: "output_text", annotations: [], logprobs: [], text }
    : { type: "refusal", refusal: text };
}

/** Reasoning, with one summary where anything of it is shown. */
export class ReasoningItem implements WrittenItem {
  readonly index: number;
  readonly begun: JsonObject;
  readonly #place: string;
  #summary: Pieces | null = null;
  /** What its maker wants back. */
  encrypted: string | null = null;

  constructor(index: number, id: string) {
    this.index = index;
    this.begun = { id, type: "reasoning", summary: [] };
    this.#place = `"item_id":${JSON.stringify(id)},"output_index":${index},"summary_index":0`;
  }

  resume(text: string): void {
    this.#summary = new Pieces(text);
  }

  say(text: string, out: EventOut | null): void {
    if (this.#summary === null) {
      this.#summary = new Pieces();
      out?.add("response.reasoning_summary_part.added", `${this.#place},"part":{"type":"summary_text","text":""}`);
    }
    this.#summary.push(text);
    out?.add("response.reasoning_summary_text.delta", `${this.#place},"delta":${JSON.stringify(text)}`);
  }

  close(out: EventOut | null, _status: ItemStatus): JsonObject {
    const summary = this.#summary === null ? [] : [{ type: "summary_text", text: this.#summary.text }];
    for (const part of summary) {
      out?.add("response.reasoning_summary_text.done", `${this.#place},"text":${JSON.stringify(part.text)}`);
      out?.add("response.reasoning_summary_part.done", `${this.#place},"part":${JSON.stringify(part)}`);
    }
    const kept = this.encrypted === null ? {} : { encrypted_content: this.encrypted };
    return ended(this.index, { ...this.begun, summary, ...kept }, out);
  }
}

export interface CallNames {
  readonly callId: string;
  readonly name: string;
}

/** A call of a function. */
export class CallItem implements WrittenItem {
  readonly index: number;
  readonly begun: JsonObject;
  readonly #place: string;
  readonly #arguments: Pieces;

  constructor(index: number, id: string, { callId, name }: CallNames, sent = "") {
    this.index = index;
    this.begun = { id, type: "function_call", status: "in_progress", arguments: "", call_id: callId, name };
    this.#place = `"item_id":${JSON.stringify(id)},"output_index":${index}`;
    this.#arguments = new Pieces(sent);
  }

  say(json: string, out: EventOut | null): void {
    this.#arguments.push(json);
    out?.add("response.function_call_arguments.delta", `${this.#place},"delta":${JSON.stringify(json)}`);
  }

  /** Nothing can follow: the arguments are one JSON value. */
  get whole(): boolean {
    try {
      JSON.parse(this.#arguments.text);
      return true;
    } catch {
      return false;
    }
  }

  close(out: EventOut | null, status: ItemStatus): JsonObject {
    const { text } = this.#arguments;
    const json = text === "" ? "{}" : text;
    out?.add("response.function_call_arguments.done", `${this.#place},"arguments":${JSON.stringify(json)}`);
    return ended(this.index, { ...this.begun, status, arguments: json }, out);
  }
}
