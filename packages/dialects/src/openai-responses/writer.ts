import type { Failure, Usage } from "@tuloy/contract";

import { refusalPart } from "../completion/sent.ts";
import type { HubFinish } from "../hub/answer.ts";
import type { AnswerWriter, EventWriter, WriteContext, WrittenBefore } from "../hub/codec.ts";
import type { Opaque } from "../hub/request.ts";
import type { JsonObject } from "../json/value.ts";
import { carry, madeItemId, madeResponseId } from "./carried.ts";
import { echoOf } from "./echo.ts";
import { EventOut } from "./event-out.ts";
import { announce, CallItem, MessageItem, ReasoningItem, type ItemStatus, type WrittenItem } from "./items.ts";
import { Place } from "./place.ts";
import { resumeItems } from "./resume-items.ts";
import { usageObject } from "./usage.ts";

/** Why an answer is incomplete; null for one that is whole. */
const incompleteReasons: Readonly<Record<HubFinish, "max_output_tokens" | "content_filter" | null>> = {
  stop: null,
  // The same as at OpenAI: the calls say it themselves.
  tool_calls: null,
  length: "max_output_tokens",
  content_filter: "content_filter",
  // A refusal is content of a whole answer; without any, see `finish`.
  refusal: null,
  // Nothing here asks to go on: what there is, is the answer.
  pause: null,
};

/** Writes a response from the hub's answer: whole, or as a stream. */
export class ResponseWriter implements AnswerWriter, EventWriter {
  readonly #context: WriteContext;
  readonly #out: EventOut | null;
  #place: Place | null = null;
  /**
   * Of the stream that is gone on with: it moves only once this one has content, since before that a stream may still be dropped
   * unsent.
   */
  #shared: Place | null = null;
  /** The reasoning that is open was broken off, and the answer begins anew. */
  #anew = false;
  /** The message or reasoning that is being written. */
  #open: MessageItem | ReasoningItem | null = null;
  readonly #calls = new Map<number, CallItem>();
  #usage: Usage | null = null;
  #finish: HubFinish = "stop";
  #refused = false;
  /** Any content was told. */
  #content = false;

  constructor(context: WriteContext, streams: boolean, after: WrittenBefore | null = null) {
    this.#context = context;
    const place = after?.sent.head instanceof Place ? after.sent.head : null;
    this.#out = streams ? new EventOut(place?.sequence ?? 0) : null;
    if (after === null || place === null) return;
    this.#shared = place;
    this.#place = place.copy();
    this.#anew = after.mode === "anew";
    this.#refused = after.sent.choices.get(0)?.parts.some(({ part }) => part === refusalPart) ?? false;
    for (const [call, item] of resumeItems(this.#place, after.sent)) {
      if (item instanceof CallItem) this.#calls.set(call, item);
      else this.#open = item;
    }
    if (this.#anew) this.#place.discarded = this.#place.items.length;
  }

  /** What the stream began with, and how far it has come. */
  get head(): JsonObject | null {
    return this.#shared ?? this.#place;
  }

  begin(_id: string | null, model: string | null): void {
    if (this.#place !== null) return;
    const { makeId, created, reportModel, request, model: upstreamModel } = this.#context;
    const response: JsonObject = {
      // Never the upstream's: its id means nothing to this API's own endpoints.
      id: madeResponseId(makeId()),
      object: "response",
      created_at: created,
      status: "in_progress",
      error: null,
      incomplete_details: null,
      ...echoOf(request),
      model: reportModel ?? model ?? upstreamModel,
      output: [],
      usage: null,
    };
    this.#place = new Place(response);
    if (this.#out === null) return;
    const text = JSON.stringify(response);
    this.#out.add("response.created", `"response":${text}`);
    this.#out.add("response.in_progress", `"response":${text}`);
  }

  text(text: string): void {
    this.#content = true;
    this.#message().say("output_text", text, this.#out);
  }

  refusal(text: string): void {
    this.#refused = true;
    this.#content = true;
    this.#message().say("refusal", text, this.#out);
  }

  thought(text: string): void {
    this.#content = true;
    this.#reasoning().say(text, this.#out);
  }

  thoughtOpaque(opaque: Opaque, redacted: boolean, _id: string | null): void {
    this.#content = true;
    // One that shows nothing is an item of its own.
    if (redacted) this.#closeOpen();
    const item = this.#reasoning();
    item.encrypted = carry(opaque, redacted ? "redacted" : "thought");
    this.#closeOpen();
  }

  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    this.#content = true;
    this.#closeOpen();
    this.#closeWholeCalls();
    if (opaque !== null) {
      this.#reasoning().encrypted = carry(opaque, "call");
      this.#closeOpen();
    }
    const index = this.#placed.items.length;
    const itemId = madeItemId("fc", this.#responseId, index);
    const item = new CallItem(index, itemId, { callId: id === "" ? `call_${itemId}` : id, name });
    this.#calls.set(call, item);
    this.#announce(item);
  }

  toolArguments(call: number, json: string): void {
    this.#content = true;
    this.#calls.get(call)?.say(json, this.#out);
  }

  usage(usage: Usage): void {
    this.#usage = usage;
  }

  finish(reason: HubFinish, _stopSequence: string | null): void {
    this.#finish = reason;
    // A refusal without words was cut, which clients know as a filter's work; words of our own would be taken for the model's.
    if (reason === "refusal" && !this.#refused) this.#finish = "content_filter";
  }

  fail(_failure: Failure): void {}

  left(_what: string): void {}

  take(): readonly Buffer[] {
    const text = this.#out?.take() ?? "";
    if (this.#out !== null && this.#place !== null) this.#place.sequence = this.#out.sequence;
    if (this.#shared !== null && this.#place !== null && this.#content) this.#shared.become(this.#place);
    return text === "" ? [] : [Buffer.from(text)];
  }

  end(): Buffer {
    const response = this.#whole();
    this.#out?.add(`response.${String(response.status)}`, `"response":${JSON.stringify(response)}`);
    return Buffer.concat(this.take());
  }

  toBody(): Buffer {
    return Buffer.from(JSON.stringify(this.#whole()));
  }

  #whole(): JsonObject {
    const reason = incompleteReasons[this.#finish];
    const status: ItemStatus = reason === null ? "completed" : "incomplete";
    this.#closeOpen(status);
    for (const [call, item] of this.#calls) this.#closeCall(call, item, item.whole ? "completed" : status);
    const { response, items } = this.#placed;
    return {
      ...response,
      status,
      ...(reason === null ? { completed_at: this.#context.created } : {}),
      incomplete_details: reason === null ? null : { reason },
      output: items.flatMap(({ done }) => (done === null ? [] : [done])),
      usage: this.#usage === null ? null : usageObject(this.#usage),
    };
  }

  #message(): MessageItem {
    if (this.#open instanceof MessageItem) return this.#open;
    this.#closeOpen();
    this.#closeWholeCalls();
    const index = this.#placed.items.length;
    const item = new MessageItem(index, madeItemId("msg", this.#responseId, index));
    this.#open = item;
    this.#announce(item);
    return item;
  }

  #reasoning(): ReasoningItem {
    if (this.#open instanceof ReasoningItem && !this.#anew) return this.#open;
    this.#anew = false;
    this.#closeOpen();
    this.#closeWholeCalls();
    const index = this.#placed.items.length;
    const item = new ReasoningItem(index, madeItemId("rs", this.#responseId, index));
    this.#open = item;
    this.#announce(item);
    return item;
  }

  get #placed(): Place {
    if (this.#place === null) this.begin(null, null);
    if (this.#place === null) throw new Error("a response that was begun has no place");
    return this.#place;
  }

  get #responseId(): string {
    return String(this.#placed.response.id);
  }

  #announce(item: WrittenItem): void {
    this.#placed.items.push({ index: item.index, begun: item.begun, done: null });
    announce(item, this.#out);
  }

  #closeOpen(status: ItemStatus = "completed"): void {
    const item = this.#open;
    if (item === null) return;
    this.#open = null;
    this.#ended(item, status);
  }

  /** A call whose arguments are one JSON value gets no more of them. Others may still, however strange their order. */
  #closeWholeCalls(): void {
    for (const [call, item] of this.#calls) if (item.whole) this.#closeCall(call, item, "completed");
  }

  #closeCall(call: number, item: CallItem, status: ItemStatus): void {
    this.#calls.delete(call);
    this.#ended(item, status);
  }

  #ended(item: WrittenItem, status: ItemStatus): void {
    const done = item.close(this.#out, status);
    const placed = this.#placed.items.find(({ index }) => index === item.index);
    if (placed !== undefined) placed.done = done;
  }
}
