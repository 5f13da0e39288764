import type { Failure, Usage } from "@tuloy/contract";

import type { HubFinish } from "../hub/answer.ts";
import type { AnswerWriter, WriteContext } from "../hub/codec.ts";
import type { Opaque } from "../hub/request.ts";
import { isObject, parseJson, type JsonObject } from "../json/value.ts";
import { writeFinish } from "./finish.ts";
import { callSignature, writeSignature } from "./opaque.ts";
import { toolUseId } from "./tool-ids.ts";
import { writeUsage } from "./usage.ts";

type Block = { -readonly [Key in string]: unknown };

/** Writes a whole answer as a message. */
export class MessageWriter implements AnswerWriter {
  readonly #context: WriteContext;
  readonly #content: Block[] = [];
  /** The arguments of each call so far, and its block. */
  readonly #calls = new Map<number, { readonly block: Block; json: string }>();
  /** What the next piece may go on with. */
  #open: Block | null = null;
  #id: string | null = null;
  #model: string | null = null;
  #usage: Usage | null = null;
  #finish: HubFinish = "stop";
  #stopSequence: string | null = null;

  constructor(context: WriteContext) {
    this.#context = context;
  }

  begin(id: string | null, model: string | null): void {
    this.#id = id;
    this.#model = model;
  }

  text(text: string): void {
    const block = this.#block("text", { text: "", citations: null });
    block.text = String(block.text) + text;
  }

  refusal(text: string): void {
    this.text(text);
  }

  thought(text: string): void {
    const block = this.#block("thinking", { thinking: "", signature: writeSignature(null) });
    block.thinking = String(block.thinking) + text;
  }

  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void {
    const signature = writeSignature(opaque, id);
    if (redacted) this.#block("redacted_thinking", { data: signature });
    else this.#block("thinking", { thinking: "", signature }).signature = signature;
    this.#open = null;
  }

  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    this.#open = null;
    if (opaque !== null) this.#block("redacted_thinking", { data: callSignature + writeSignature(opaque) });
    this.#open = null;
    const block = this.#block("tool_use", { id: toolUseId(id === "" ? this.#context.makeId() : id), name, input: {} });
    this.#calls.set(call, { block, json: "" });
  }

  toolArguments(call: number, json: string): void {
    const known = this.#calls.get(call);
    if (known !== undefined) known.json += json;
  }

  usage(usage: Usage): void {
    this.#usage = usage;
  }

  finish(reason: HubFinish, stopSequence: string | null): void {
    this.#finish = reason;
    this.#stopSequence = stopSequence;
  }

  fail(_failure: Failure): void {}

  left(_what: string): void {}

  toBody(): Buffer {
    for (const { block, json } of this.#calls.values()) block.input = inputOf(json);
    return Buffer.from(
      JSON.stringify({
        ...messageHead(this.#context, this.#id, this.#model),
        content: this.#content,
        stop_reason: writeFinish(this.#finish, this.#stopSequence),
        stop_sequence: this.#finish === "stop" ? this.#stopSequence : null,
        usage: writeUsage(this.#usage),
      }),
    );
  }

  /** The open block of this type, or a new one. */
  #block(type: string, members: JsonObject): Block {
    if (this.#open?.type === type) return this.#open;
    const block: Block = { type, ...members };
    this.#content.push(block);
    this.#open = block;
    return block;
  }
}

/** What a model wrote in place of a JSON object is shown as it is, in a place where a client will see it. */
function inputOf(json: string): unknown {
  const input = json.trim() === "" ? {} : parseJson(json);
  return isObject(input) ? input : { arguments: json };
}

/** The members that a message begins with, whole or in a stream. Anthropic's ids begin with `msg_`, another provider's stay as they are. */
export function messageHead(
  { makeId, reportModel, model: ownName }: WriteContext,
  id: string | null,
  model: string | null,
): JsonObject {
  return { id: id ?? `msg_${makeId()}`, type: "message", role: "assistant", model: reportModel ?? model ?? ownName };
}
