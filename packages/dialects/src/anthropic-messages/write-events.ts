import type { Failure, Usage } from "@tuloy/contract";

import { textPart, type SentAnswer } from "../completion/sent.ts";
import type { HubFinish } from "../hub/answer.ts";
import type { EventWriter, WriteContext } from "../hub/codec.ts";
import type { Opaque } from "../hub/request.ts";
import { writeFinish } from "./finish.ts";
import { callSignature, writeSignature } from "./opaque.ts";
import { toolUseId } from "./tool-ids.ts";
import { writeUsage } from "./usage.ts";
import { messageHead } from "./write-answer.ts";

export const messageStop = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

const none: readonly Buffer[] = [];

type BlockKind = "text" | "thinking" | "tool_use";

/**
 * Writes a stream of events. The counts of tokens come with its end: other providers tell them there, and the end's are totals
 * that the client takes over.
 */
export class MessageEventWriter implements EventWriter {
  readonly #context: WriteContext;
  #out = "";
  #begun = false;
  /** The open block's, or null between two. */
  #kind: BlockKind | null = null;
  /** The index of the open block, or of the one that was closed last. */
  #index = -1;
  /** The thinking block that is open has its signature. */
  #signed = false;
  /** By call. */
  readonly #callIndexes = new Map<number, number>();
  #usage: Usage | null = null;
  #finish: HubFinish = "stop";
  #stopSequence: string | null = null;

  /** @param sent what an earlier stream of this answer told the client */
  constructor(context: WriteContext, sent: SentAnswer | null) {
    this.#context = context;
    if (sent !== null) this.#goOn(sent);
  }

  begin(id: string | null, model: string | null): void {
    if (this.#begun) return;
    this.#begun = true;
    const message = {
      ...messageHead(this.#context, id, model),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: writeUsage(this.#usage),
    };
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
    const delta = {
      stop_reason: writeFinish(this.#finish, this.#stopSequence),
      stop_sequence: this.#finish === "stop" ? this.#stopSequence : null,
    };
    const event = { type: "message_delta", delta, usage: writeUsage(this.#usage) };
    const written = `${this.#out}event: message_delta\ndata: ${JSON.stringify(event)}\n\n${messageStop}`;
    this.#out = "";
    return Buffer.from(written);
  }

  /** Goes on where an earlier stream stopped: its blocks are known from its parts. */
  #goOn(sent: SentAnswer): void {
    this.#begun = true;
    for (const { part } of sent.choices.get(0)?.parts ?? []) {
      const kind = kindOf(part);
      // The arguments of a call belong to the block that its name began.
      if (part.startsWith("the arguments of call ")) continue;
      if (kind === "text" && this.#kind === "text") continue;
      this.#index++;
      this.#kind = kind;
      if (kind === "tool_use") this.#callIndexes.set(Number(part.slice("the name of call ".length)), this.#index);
    }
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

function kindOf(part: string): BlockKind {
  if (part === "reasoning") return "thinking";
  return part === textPart || part === "a refusal" ? "text" : "tool_use";
}
