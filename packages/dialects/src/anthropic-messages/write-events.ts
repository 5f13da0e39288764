import type { Failure, Usage } from "@tuloy/contract";

import { signaturePart } from "../completion/sent.ts";
import type { HubFinish } from "../hub/answer.ts";
import type { EventWriter, WriteContext, WrittenBefore } from "../hub/codec.ts";
import { callOf } from "../hub/outgoing.ts";
import type { Opaque } from "../hub/request.ts";
import type { JsonObject } from "../json/value.ts";
import { hubFinish, writeFinish } from "./finish.ts";
import { MessageHead, type BlockKind } from "./head.ts";
import { callSignature, writeSignature } from "./opaque.ts";
import { toolUseId } from "./tool-ids.ts";
import { writeUsage } from "./usage.ts";
import { messageHead } from "./write-answer.ts";

export const messageStop = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

const none: readonly Buffer[] = [];

/**
 * Writes a stream of events. The counts of tokens come with its end: other providers tell them there, and the end's are totals
 * that the client takes over. Blocks come one after the other and are closed for good: clients act on a call when its block is
 * closed. So it is told one part after the other (`ClientCodec.inTurn`).
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
  /** Nothing more is thought in that block. */
  #thoughtIsOver = false;
  /** The call whose block is open, or was last. */
  #call = -1;
  /** Content was told: before that, a stream that goes on with another may still be dropped unsent. */
  #told: boolean;
  /** The client was told how the answer ended. */
  #ended = false;
  #usage: Usage | null = null;
  #finish: HubFinish = "stop";
  #stopSequence: string | null = null;

  constructor(context: WriteContext, after: WrittenBefore | null) {
    this.#context = context;
    this.#told = after === null;
    if (after !== null) this.#goOn(after);
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
    this.head = new MessageHead(message, true);
    this.#out += `event: message_start\ndata: {"type":"message_start","message":${JSON.stringify(message)}}\n\n`;
  }

  text(text: string): void {
    this.#told = true;
    if (this.#kind !== "text") this.#start("text", '{"type":"text","text":""}');
    this.#delta(`{"type":"text_delta","text":${JSON.stringify(text)}}`);
  }

  refusal(text: string): void {
    this.text(text);
  }

  thought(text: string): void {
    this.#told = true;
    if (this.#kind !== "thinking" || this.#thoughtIsOver) this.#startThinking();
    this.#delta(`{"type":"thinking_delta","thinking":${JSON.stringify(text)}}`);
  }

  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void {
    this.#told = true;
    const signature = writeSignature(opaque, id);
    if (redacted) return this.#wholeRedacted(signature);
    if (this.#kind !== "thinking" || this.#thoughtIsOver) this.#startThinking();
    this.#sign(signature);
    this.#stop();
  }

  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    this.#told = true;
    if (opaque !== null) this.#wholeRedacted(callSignature + writeSignature(opaque));
    const block = { type: "tool_use", id: toolUseId(id === "" ? this.#context.makeId() : id), name, input: {} };
    this.#start("tool_use", JSON.stringify(block));
    this.#call = call;
  }

  toolArguments(call: number, json: string): void {
    // Of a call whose block is closed nothing more is told.
    if (call !== this.#call || this.#kind !== "tool_use") return;
    this.#told = true;
    this.#delta(`{"type":"input_json_delta","partial_json":${JSON.stringify(json)}}`);
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
    if (this.#told && this.head instanceof MessageHead) {
      this.head.index = this.#index;
      this.head.open = this.#kind;
    }
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

  /** Goes on where an earlier stream stopped, in the block that it left open. */
  #goOn({ sent, mode }: WrittenBefore): void {
    const { head, choices } = sent;
    this.head = head ?? {};
    const { parts = [], finishReason = null } = choices.get(0) ?? {};
    this.#call = parts.reduce((last, { part }) => Math.max(last, callOf(part)), -1);
    this.#signed = parts.at(-1)?.part === signaturePart;
    // A thought that another one's answer begins with is another thought, with a signature of its own.
    this.#thoughtIsOver = mode === "anew" || this.#signed;
    if (head instanceof MessageHead) {
      this.#index = head.index;
      this.#kind = head.open;
    }
    if (finishReason === null) return;
    if (head?.endsLate === true) this.#finish = hubFinish(finishReason);
    else this.#ended = true;
  }

  #startThinking(): void {
    this.#start("thinking", '{"type":"thinking","thinking":"","signature":""}');
    this.#signed = false;
    this.#thoughtIsOver = false;
  }

  #wholeRedacted(data: string): void {
    this.#start("other", JSON.stringify({ type: "redacted_thinking", data }));
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

  #delta(delta: string): void {
    this.#out += `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.#index},"delta":${delta}}\n\n`;
  }

  #stop(): void {
    if (this.#kind === null) return;
    // A block without a signature can't be told from one of Anthropic's whose signature was lost.
    if (this.#kind === "thinking" && !this.#signed) this.#sign(writeSignature(null));
    this.#kind = null;
    this.#out += `event: content_block_stop\ndata: {"type":"content_block_stop","index":${this.#index}}\n\n`;
  }
}
