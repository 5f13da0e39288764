import type { Failure } from "@tuloy/contract";

import { garbled } from "../failure/answer-object.ts";
import { classifyErrorEvent, classifyErrorObject } from "../failure/classify.ts";
import type { EventReader } from "../hub/codec.ts";
import type { HubSink } from "../hub/answer.ts";
import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { failureOf, finishOf, tellEncrypted, type Told } from "./hub-answer.ts";
import { summaryBreak } from "./hub-items.ts";
import { readUsage } from "./usage.ts";

/** An item of the answer that is being written. */
interface OpenItem {
  readonly type: string;
  /** Counted from 0; of a call only. */
  readonly call: number;
  /** Some of its text or arguments was told. Servers that send no pieces send the whole with `done`. */
  told: boolean;
}

/** More items than any answer has: what names a place beyond them is not followed. */
const maxItems = 4096;

/**
 * Understands the events of a streamed response: https://platform.openai.com/docs/api-reference/responses-streaming. Pieces are told as they
 * come; the `done` events repeat them and are read only where no piece came before.
 */
export class ResponsesEventReader implements EventReader {
  done = false;
  finished = false;
  readonly #sink: HubSink;
  readonly #preset: Pick<ProviderPreset, "markers">;
  readonly #items = new Map<number, OpenItem>();
  readonly #told: Told = { calls: 0, text: false, refusal: false };
  #begun = false;
  /** The item that the last event was about: nearly always the next is about it, too. */
  #last: OpenItem | null = null;
  #lastIndex = -1;
  /** Places of calls that were not announced, though their arguments came. */
  readonly #nameless = new Set<number>();

  constructor(sink: HubSink, preset: Pick<ProviderPreset, "markers">) {
    this.#sink = sink;
    this.#preset = preset;
  }

  event(name: string, data: string): boolean {
    if (this.done) return true;
    // Servers made for chat clients, too, end with it; it says nothing that was not said.
    if (data === "[DONE]") return true;
    if (name === "error") return this.#fail(classifyErrorEvent(data, this.#preset));
    const event = parseJson(data);
    if (!isObject(event)) return false;
    const { type } = event;
    // By far the most common first.
    if (type === "response.output_text.delta") {
      this.#text(event);
      return true;
    }
    if (typeof type !== "string") {
      const failure = classifyErrorObject(event, this.#preset);
      return failure === null ? false : this.#fail(failure);
    }
    return this.#other(type, event, data);
  }

  #text(event: JsonObject): void {
    const said = text(event.delta);
    if (said === null) return;
    this.#item(event, "message").told = true;
    this.#told.text = true;
    this.#sink.text(said);
  }

  #other(type: string, event: JsonObject, data: string): boolean {
    switch (type) {
      case "response.created":
      case "response.in_progress":
      case "response.queued":
        this.#begin(event.response);
        return true;
      case "response.output_item.added":
        this.#add(event);
        return true;
      case "response.function_call_arguments.delta":
        this.#arguments(event, text(event.delta));
        return true;
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        this.#thought(event, text(event.delta));
        return true;
      case "response.reasoning_summary_part.added":
        if (typeof event.summary_index === "number" && event.summary_index > 0) this.#thought(event, summaryBreak);
        return true;
      case "response.refusal.delta":
        this.#refusal(event, text(event.delta));
        return true;
      case "response.output_text.annotation.added":
        this.#sink.left("citations");
        return true;
      case "response.output_item.done":
        this.#itemDone(event);
        return true;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
      case "response.cancelled":
        return this.#end(event);
      case "error":
        return this.#fail(classifyErrorEvent(data, this.#preset));
      default:
        // Of a tool that runs there: it is at work.
        if (isOfTool(type)) this.#sink.acts?.();
        return true;
    }
  }

  #begin(response: unknown): void {
    if (this.#begun) return;
    this.#begun = true;
    const named = isObject(response) ? response : {};
    this.#sink.begin(text(named.id), text(named.model));
  }

  #add(event: JsonObject): void {
    const item = isObject(event.item) ? event.item : {};
    const type = text(item.type) ?? "message";
    const open = this.#open(indexOf(event), type);
    if (type === "function_call") {
      this.#sink.toolCall(open.call, text(item.call_id) ?? text(item.id) ?? "", text(item.name) ?? "", null);
      this.#arguments(event, text(item.arguments));
    } else if (type !== "message" && type !== "reasoning") {
      this.#sink.acts?.();
      this.#sink.left(`an item of the type ${type.slice(0, 60)}`);
    }
  }

  #open(index: number, type: string): OpenItem {
    this.#begin(null);
    const call = type === "function_call" ? this.#told.calls++ : -1;
    const open: OpenItem = { type, call, told: false };
    if (this.#items.size < maxItems) this.#items.set(index, open);
    this.#last = open;
    this.#lastIndex = index;
    return open;
  }

  /** The item that an event is about. One that was never added is taken for what the event makes of it. */
  #item(event: JsonObject, type: string): OpenItem {
    const index = indexOf(event);
    if (this.#last !== null && index === this.#lastIndex) return this.#last;
    const item = this.#items.get(index);
    if (item === undefined) return this.#open(index, type);
    this.#last = item;
    this.#lastIndex = index;
    return item;
  }

  #arguments(event: JsonObject, json: string | null): void {
    const index = indexOf(event);
    const item = index === this.#lastIndex ? this.#last : (this.#items.get(index) ?? null);
    // Nobody knows whom it calls: the item comes whole at its end, or the answer fails.
    if (item === null) this.#nameless.add(Math.min(index, maxItems));
    if (json === null || item === null || item.call < 0) return;
    item.told = true;
    this.#sink.toolArguments(item.call, json);
  }

  #thought(event: JsonObject, said: string | null): void {
    if (said === null) return;
    this.#item(event, "reasoning").told = true;
    this.#sink.thought(said);
  }

  #refusal(event: JsonObject, said: string | null): void {
    if (said === null) return;
    this.#item(event, "message").told = true;
    this.#told.refusal = true;
    this.#sink.refusal(said);
  }

  #itemDone(event: JsonObject): void {
    if (!isObject(event.item)) return;
    const { item } = event;
    const index = indexOf(event);
    const known = this.#items.get(index);
    this.#nameless.delete(Math.min(index, maxItems));
    // Never announced: it comes whole.
    if (known === undefined) this.#add(event);
    const open = known ?? this.#item(event, text(item.type) ?? "message");
    if (!open.told) this.#tellWhole(event, item, open);
    if (open.type === "reasoning") tellEncrypted(item, open.told, this.#sink);
  }

  /** What a server that sends no pieces says of an item at its end. */
  #tellWhole(event: JsonObject, item: JsonObject, open: OpenItem): void {
    if (open.type === "function_call") this.#arguments(event, text(item.arguments));
    const parts = open.type === "message" ? item.content : open.type === "reasoning" ? item.summary : null;
    if (!Array.isArray(parts)) return;
    for (const [index, part] of parts.entries()) {
      if (!isObject(part)) continue;
      if (open.type === "reasoning") {
        if (index > 0) this.#thought(event, summaryBreak);
        this.#thought(event, text(part.text));
      } else if (part.type === "refusal") this.#refusal(event, text(part.refusal));
      else this.#text({ ...event, delta: part.text });
    }
  }

  #end(event: JsonObject): boolean {
    const response = isObject(event.response) ? event.response : {};
    this.#begin(response);
    const status =
      event.type === "response.failed" ? "failed" : event.type === "response.cancelled" ? "cancelled" : null;
    const failure = failureOf(status === null ? response : { ...response, status }, this.#preset);
    if (failure !== null) return this.#fail(failure);
    if (this.#nameless.size > 0) return this.#fail(garbled("arguments came of a call that has no name").failure);
    const usage = readUsage(response.usage);
    if (usage !== null) this.#sink.usage(usage);
    const incomplete = event.type === "response.incomplete";
    this.#sink.finish(finishOf(incomplete ? { ...response, status: "incomplete" } : response, this.#told), null);
    this.done = true;
    this.finished = true;
    return true;
  }

  #fail(failure: Failure): boolean {
    this.done = true;
    this.#sink.fail(failure);
    return true;
  }
}

function isOfTool(type: string): boolean {
  return type.includes("_call.") || type.includes("_call_");
}

function indexOf({ output_index: index }: JsonObject): number {
  return typeof index === "number" && Number.isInteger(index) && index >= 0 ? index : 0;
}
