import type { Failure, Usage } from "@tuloy/contract";

import { hiddenThoughtPart, reasoningPart, refusalPart, textPart, type SentAnswer } from "../completion/sent.ts";
import type { HubFinish } from "../hub/answer.ts";
import type { EventWriter, WriteContext } from "../hub/codec.ts";
import type { Opaque } from "../hub/request.ts";
import type { JsonObject } from "../json/value.ts";
import { hubFinish, writeFinish } from "./finish.ts";
import { callSignature, writeSignature } from "./opaque.ts";
import { toolUseId } from "./tool-ids.ts";
import { writeUsage } from "./usage.ts";
import { messageHead } from "./write-answer.ts";

export const messageStop = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

/** Member of a head: the stream's end and its counts come together, with its last event. */
const late = "ends_late";

const none: readonly Buffer[] = [];

type BlockKind = "text" | "thinking" | "tool_use";

/**
 * Writes a stream of events. The counts of tokens come with its end: other providers tell them there, and the end's are totals
 * that the client takes over.
 */
export class MessageEventWriter implements EventWriter {
  readonly #context: WriteContext;
  #out = "";
  head: JsonObject | null = null;
  /** The open block's, or null between two. */
  #kind: BlockKind | null = null;
  /** The index of the open block, or of the one that was closed last. */
  #index = -1;
  /** The thinking block that is open has its signature. */
  #signed = false;
  /** By call. */
  readonly #callIndexes = new Map<number, number>();
  /** The client was told how the answer ended. */
  #ended = false;
  #usage: Usage | null = null;
  #finish: HubFinish = "stop";
  #stopSequence: string | null = null;

  /** @param sent what an earlier stream of this answer told the client */
  constructor(context: WriteContext, sent: SentAnswer | null) {
    this.#context = context;
    if (sent !== null) this.#goOn(sent);
  }

  begin(id: string | null, model: string | null): void {
    if (this.head !== null) return;
    const message = {
      ...messageHead(this.#context, id, model),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: writeUsage(this.#usage),
    };
    this.head = { message, [late]: true };
    this.#out += `event: message_start\ndata: {"type":"message_start","message":${JSON.stringify(message)}}\n\n`;
  }

  text(text: string): void {
    if (this.#kind !== "text") this.#start("text", '{"type":"text","text":""}');
    this.#delta(`{"type":"text_delta","text":${JSON.stringify(text)}}`);
  }

  refusal(text: string): void {
    this.text(text);
  }

  thought(text: string): void {
    if (this.#kind !== "thinking") this.#startThinking();
    this.#delta(`{"type":"thinking_delta","thinking":${JSON.stringify(text)}}`);
  }

  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void {
    const signature = writeSignature(opaque, id);
    if (redacted) return this.#wholeRedacted(signature);
    if (this.#kind !== "thinking") this.#startThinking();
    this.#sign(signature);
    this.#stop();
  }

  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    if (opaque !== null) this.#wholeRedacted(callSignature + writeSignature(opaque));
    const block = { type: "tool_use", id: toolUseId(id === "" ? this.#context.makeId() : id), name, input: {} };
    this.#start("tool_use", JSON.stringify(block));
    this.#callIndexes.set(call, this.#index);
  }

  toolArguments(call: number, json: string): void {
    const index = this.#callIndexes.get(call);
    if (index !== undefined) this.#delta(`{"type":"input_json_delta","partial_json":${JSON.stringify(json)}}`, index);
  }

  usage(usage: Usage): void {
    this.#usage = usage;
  }

  finish(reason: HubFinish, stopSequence: string | null): void {
    this.#finish = reason;
    this.#stopSequence = stopSequence;
    this.#stop();
  }

  fail(_failure: Failure): void {}

  left(_what: string): void {}

  take(): readonly Buffer[] {
    if (this.#out === "") return none;
    const written = Buffer.from(this.#out);
    this.#out = "";
    return [written];
  }

  end(): Buffer {
    this.begin(null, null);
    this.#stop();
    const written = `${this.#out}${this.#ended ? "" : this.#messageDelta()}${messageStop}`;
    this.#out = "";
    return Buffer.from(written);
  }

  #messageDelta(): string {
    const delta = {
      stop_reason: writeFinish(this.#finish, this.#stopSequence),
      stop_sequence: this.#finish === "stop" ? this.#stopSequence : null,
    };
    const event = { type: "message_delta", delta, usage: writeUsage(this.#usage) };
    return `event: message_delta\ndata: ${JSON.stringify(event)}\n\n`;
  }

  /** Goes on where an earlier stream stopped: its blocks are known from its parts. */
  #goOn({ head, choices }: SentAnswer): void {
    this.head = head ?? {};
    const sent = choices.get(0);
    for (const { part, text } of sent?.parts ?? []) {
      const kind = kindOf(part);
      // Arguments are in the block that the call's name began.
      if (kind === null || (kind === "text" && this.#kind === "text")) continue;
      this.#kind = kind;
      // Of hidden thoughts each has a block, closed with it.
      if (part === hiddenThoughtPart) {
        this.#index += text.length;
        this.#kind = null;
        continue;
      }
      this.#index++;
      if (kind === "tool_use") this.#callIndexes.set(this.#callIndexes.size, this.#index);
    }
    if (sent === undefined) return;
    // A thought that another one's answer begins with is another thought, with a signature of its own.
    if (this.#kind === "thinking" || sent.finishReason !== null) this.#stop();
    if (sent.finishReason === null) return;
    if (head?.[late] === true) this.#finish = hubFinish(sent.finishReason);
    else this.#ended = true;
  }

  #startThinking(): void {
    this.#start("thinking", '{"type":"thinking","thinking":"","signature":""}');
    this.#signed = false;
  }

  #wholeRedacted(data: string): void {
    this.#start("thinking", JSON.stringify({ type: "redacted_thinking", data }));
    this.#signed = true;
    this.#stop();
  }

  #sign(signature: string): void {
    this.#delta(`{"type":"signature_delta","signature":${JSON.stringify(signature)}}`);
    this.#signed = true;
  }

  #start(kind: BlockKind, block: string): void {
    this.begin(null, null);
    this.#stop();
    this.#kind = kind;
    this.#index++;
    this.#out += `event: content_block_start\ndata: {"type":"content_block_start","index":${this.#index},"content_block":${block}}\n\n`;
  }

  #delta(delta: string, index: number = this.#index): void {
    this.#out += `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":${delta}}\n\n`;
  }

  #stop(): void {
    if (this.#kind === null) return;
    // A block without a signature can't be told from one of Anthropic's whose signature was lost.
    if (this.#kind === "thinking" && !this.#signed) this.#sign(writeSignature(null));
    this.#kind = null;
    this.#out += `event: content_block_stop\ndata: {"type":"content_block_stop","index":${this.#index}}\n\n`;
  }
}

/** @returns null for a part without a block of its own */
function kindOf(part: string): BlockKind | null {
  if (part === reasoningPart || part === hiddenThoughtPart) return "thinking";
  if (part === textPart || part === refusalPart) return "text";
  return part.startsWith("the name of call ") ? "tool_use" : null;
}
