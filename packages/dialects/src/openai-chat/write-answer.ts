import type { Usage } from "@tuloy/contract";

import type { HubFinish } from "../hub/answer.ts";
import type { AnswerWriter, WriteContext } from "../hub/codec.ts";
import type { Opaque } from "../hub/request.ts";
import { chatFinish } from "./finish.ts";
import { writeCallProof, writeReasoningDetail } from "./opaque.ts";
import { writeUsage } from "./write-usage.ts";

interface Call {
  readonly id: string;
  readonly name: string;
  readonly opaque: Opaque | null;
  arguments: string;
}

/** Writes a whole `chat.completion`. */
export class ChatAnswerWriter implements AnswerWriter {
  readonly #context: WriteContext;
  #id: string | null = null;
  #model: string | null = null;
  #text = "";
  #thought = "";
  /** The thought that a signature would be for. */
  #unsigned = "";
  readonly #details: Record<string, unknown>[] = [];
  #refusal = "";
  readonly #calls: Call[] = [];
  #usage: Usage | null = null;
  #finish: HubFinish = "stop";

  constructor(context: WriteContext) {
    this.#context = context;
  }

  begin(id: string | null, model: string | null): void {
    this.#id = id;
    this.#model = model;
  }

  text(text: string): void {
    this.#unsigned = "";
    this.#text += text;
  }

  thought(text: string): void {
    this.#thought += text;
    this.#unsigned += text;
  }

  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void {
    const detail = writeReasoningDetail({ text: this.#unsigned, opaque, redacted, id }, this.#details.length);
    this.#unsigned = "";
    if (detail !== null) this.#details.push(detail);
  }

  refusal(text: string): void {
    this.#unsigned = "";
    this.#refusal += text;
  }

  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    this.#unsigned = "";
    this.#calls[call] = { id: id === "" ? `call_${this.#context.makeId()}` : id, name, opaque, arguments: "" };
  }

  toolArguments(call: number, json: string): void {
    const made = this.#calls[call];
    if (made !== undefined) made.arguments += json;
  }

  usage(usage: Usage): void {
    this.#usage = usage;
  }

  finish(reason: HubFinish, _stopSequence: string | null): void {
    this.#finish = reason;
  }

  fail(): void {}

  left(): void {}

  toBody(): Buffer {
    const { makeId, created, reportModel, model } = this.#context;
    const calls = this.#calls.filter((call) => call !== undefined);
    const refused = this.#refusal !== "";
    const message = {
      role: "assistant",
      content: this.#text === "" && (calls.length > 0 || refused) ? null : this.#text,
      refusal: refused ? this.#refusal : null,
      ...(this.#thought === "" ? {} : { reasoning_content: this.#thought }),
      ...(this.#details.length === 0 ? {} : { reasoning_details: this.#details }),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(writeCall) }),
    };
    const answer = {
      id: this.#id ?? `chatcmpl-${makeId()}`,
      object: "chat.completion",
      created,
      model: reportModel ?? this.#model ?? model,
      choices: [{ index: 0, message, logprobs: null, finish_reason: chatFinish(this.#finish, refused) }],
      ...(this.#usage === null ? {} : { usage: writeUsage(this.#usage) }),
    };
    return Buffer.from(JSON.stringify(answer));
  }
}

function writeCall({ id, name, opaque, arguments: json }: Call): Record<string, unknown> {
  return {
    id,
    type: "function",
    function: { name, arguments: json === "" ? "{}" : json },
    ...writeCallProof(opaque),
  };
}
