import type { Usage } from "@tuloy/contract";

import { reasoningPart, refusalPart, type SentChoice } from "../completion/sent.ts";
import type { HubFinish } from "../hub/answer.ts";
import type { EventWriter, WriteContext, WrittenBefore } from "../hub/codec.ts";
import type { Opaque } from "../hub/request.ts";
import type { JsonObject } from "../json/value.ts";
import { chatFinish } from "./finish.ts";
import { writeCallProof, writeReasoningDetail } from "./opaque.ts";
import { envelope } from "./resumed.ts";
import { trailer } from "./trailer.ts";
import { writeUsage } from "./write-usage.ts";

const none: readonly Buffer[] = [];
/** Longer thoughts are written, but not a second time with their signature. Characters. */
const maxThought = 1024 * 1024;

/**
 * Writes `chat.completion.chunk` events. What all events have in common is made into text once; a piece of text costs one
 * concatenation and the quoting of that piece.
 */
export class ChatEventWriter implements EventWriter {
  head: JsonObject | null = null;
  readonly #context: WriteContext;
  /** Up to the delta. */
  #before = "";
  #out = "";
  #usage: Usage | null = null;
  #usageSent = false;
  #refused = false;
  /** The thought that a signature would be for. */
  #thought = "";
  #details = 0;
  /** The client has the beginning of the thought in the entry that the next one goes on with. */
  #goesOn = false;

  constructor(context: WriteContext, after: WrittenBefore | null) {
    this.#context = context;
    if (after === null) return;
    const { sent, mode } = after;
    const choice = sent.choices.get(0);
    this.#usageSent = sent.usageSent;
    this.#refused = choice?.parts.some(({ part }) => part === refusalPart) ?? false;
    this.#goesOn = mode === "replay" && sent.detailOpen && choice?.parts.at(-1)?.part === reasoningPart;
    this.#details = this.#goesOn ? sent.details - 1 : sent.details;
    if (mode === "replay" && !this.#goesOn && choice !== undefined) this.#thought = unsignedThought(choice);
    this.#setHead(sent.head === null ? this.#made(null, null) : common(sent.head));
  }

  begin(id: string | null, model: string | null): void {
    this.#setHead(this.#made(id, model));
    this.#delta('{"role":"assistant","content":""}');
  }

  text(text: string): void {
    if (this.#thought !== "") this.#thought = "";
    this.#delta(`{"content":${JSON.stringify(text)}}`);
  }

  thought(text: string): void {
    if (this.#thought.length < maxThought) this.#thought += text;
    this.#delta(`{"reasoning_content":${JSON.stringify(text)}}`);
  }

  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void {
    const text = this.#thought;
    this.#thought = "";
    if (text.length >= maxThought) return;
    const goesOn = this.#goesOn && !redacted;
    this.#goesOn = false;
    const detail = writeReasoningDetail({ text, opaque, redacted, id, goesOn }, this.#details);
    if (detail === null) return;
    this.#details++;
    this.#delta(JSON.stringify({ reasoning_details: [detail] }));
  }

  refusal(text: string): void {
    this.#thought = "";
    this.#refused = true;
    this.#delta(`{"refusal":${JSON.stringify(text)}}`);
  }

  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    this.#thought = "";
    const made = {
      index: call,
      id: id === "" ? `call_${this.#context.makeId()}` : id,
      type: "function",
      function: { name, arguments: "" },
      ...writeCallProof(opaque),
    };
    this.#delta(`{"tool_calls":[${JSON.stringify(made)}]}`);
  }

  toolArguments(call: number, json: string): void {
    this.#delta(`{"tool_calls":[{"index":${call},"function":{"arguments":${JSON.stringify(json)}}}]}`);
  }

  usage(usage: Usage): void {
    this.#usage = usage;
  }

  finish(reason: HubFinish, _stopSequence: string | null): void {
    const finish = JSON.stringify(chatFinish(reason, this.#refused));
    this.#out += `${this.#before}{},"finish_reason":${finish}}]}\n\n`;
  }

  fail(): void {}

  left(): void {}

  take(): readonly Buffer[] {
    if (this.#out === "") return none;
    const taken = Buffer.from(this.#out);
    this.#out = "";
    return [taken];
  }

  end(): Buffer {
    if (this.#usage === null || !this.#context.wantsUsage || this.#usageSent) return trailer;
    const chunk = { ...this.head, choices: [], usage: writeUsage(this.#usage) };
    return Buffer.concat([Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`), trailer]);
  }

  #made(id: string | null, model: string | null): JsonObject {
    const { makeId, created, reportModel, model: asked } = this.#context;
    return {
      id: id ?? `chatcmpl-${makeId()}`,
      object: "chat.completion.chunk",
      created,
      model: reportModel ?? model ?? asked,
    };
  }

  #setHead(head: JsonObject): void {
    this.head = head;
    this.#before = `data: ${JSON.stringify(head).slice(0, -1)},"choices":[{"index":0,"delta":`;
  }

  #delta(json: string): void {
    this.#out += `${this.#before}${json},"finish_reason":null}]}\n\n`;
  }
}

/** What was thought and is not signed yet. */
function unsignedThought({ parts }: SentChoice): string {
  let thought = "";
  for (const { part, text } of parts) {
    thought = part === reasoningPart ? thought + text : "";
  }
  return thought;
}

/** What all events of an answer have in common, from one of them. */
function common(chunk: JsonObject): JsonObject {
  const head: Record<string, unknown> = { object: "chat.completion.chunk" };
  for (const member of envelope) if (chunk[member] !== undefined) head[member] = chunk[member];
  return head;
}
