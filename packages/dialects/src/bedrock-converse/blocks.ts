import type { Failure } from "@tuloy/contract";

import type { HubSink } from "../hub/answer.ts";
import { text, type JsonObject } from "../json/value.ts";
import { jsonToolName } from "./json-tool.ts";
import { keepRedacted } from "./redacted.ts";
import { finishOf } from "./stop-reasons.ts";

/** The longest signature or redacted thought that is put together from pieces, in characters. */
const maxOpaque = 4 * 1024 * 1024;

/** Tells a sink of an answer's blocks, be it whole or a stream. What is the same for both is here. */
export class BlockTeller {
  readonly #sink: HubSink;
  /** Calls by the index of their block. */
  readonly #calls = new Map<number, { readonly call: number; written: boolean }>();
  #nextCall = 0;
  /** The block whose input is the answer itself: see `jsonToolName`. -1: none. */
  #jsonBlock = -1;
  #jsonSaid = false;
  #signature = "";
  #redacted: string[] = [];
  #redactedLength = 0;
  readonly #left = new Set<string>();

  constructor(sink: HubSink) {
    this.#sink = sink;
  }

  text(said: string): void {
    if (said !== "") this.#sink.text(said);
  }

  thought(said: string): void {
    if (said !== "") this.#sink.thought(said);
  }

  signature(piece: string): void {
    if (this.#signature.length + piece.length <= maxOpaque) this.#signature += piece;
  }

  redacted(piece: string): void {
    this.#redactedLength += piece.length;
    if (this.#redactedLength <= maxOpaque) this.#redacted.push(piece);
  }

  /** A call begins. One that the provider carries out itself is none of the client's. */
  call(block: number, { toolUseId, name, type }: JsonObject): void {
    if (type === "server_tool_use") {
      this.left("a call of a tool at the provider");
      return;
    }
    if (name === jsonToolName) {
      this.#jsonBlock = block;
      return;
    }
    const call = this.#nextCall++;
    this.#calls.set(block, { call, written: false });
    this.#sink.toolCall(call, text(toolUseId) ?? `call_${call}`, text(name) ?? "", null);
  }

  callInput(block: number, piece: string): void {
    if (piece === "") return;
    if (block === this.#jsonBlock) {
      this.#jsonSaid = true;
      this.#sink.text(piece);
      return;
    }
    const known = this.#calls.get(block);
    if (known === undefined) return;
    known.written = true;
    this.#sink.toolArguments(known.call, piece);
  }

  /** Another block has its turn: what was gathered of a thought is told. */
  leave(): void {
    if (this.#signature !== "") {
      this.#sink.thoughtOpaque({ dialect: "bedrock-converse", data: this.#signature }, false, null);
      this.#signature = "";
    }
    if (this.#redacted.length > 0) {
      this.#sink.thoughtOpaque(
        { dialect: "bedrock-converse", data: keepRedacted(joinBase64(this.#redacted)) },
        true,
        null,
      );
      this.#redacted = [];
      this.#redactedLength = 0;
    }
  }

  /** A block is over. */
  end(block: number): void {
    this.leave();
    const known = this.#calls.get(block);
    // A tool without parameters is called without any input.
    if (known !== undefined && !known.written) this.callInput(block, "{}");
    if (block === this.#jsonBlock && !this.#jsonSaid) this.callInput(block, "{}");
  }

  /** All blocks are over, also those whose end was not said. */
  endAll(): void {
    this.leave();
    for (const block of this.#calls.keys()) this.end(block);
    if (this.#jsonBlock !== -1) this.end(this.#jsonBlock);
  }

  /** What the hub has no place for, each once. */
  left(what: string): void {
    if (this.#left.has(what)) return;
    this.#left.add(what);
    this.#sink.left(`${what} was left out`);
  }

  /** @returns false where what was written is no answer: the failure has been told */
  finish(stopReason: unknown, fields: unknown, stopSequence: string | null): boolean {
    const reason = text(stopReason) ?? "";
    const finish = finishOf(reason);
    if (finish === null) {
      this.#sink.fail(malformed(reason));
      return false;
    }
    if (finish === undefined) this.#sink.left(`the stop reason ${reason.slice(0, 60)} is not known`);
    if (fields !== undefined && stopSequence === null) this.left("additionalModelResponseFields");
    const answered = this.#jsonSaid && this.#nextCall === 0;
    this.#sink.finish(finish === "tool_calls" && answered ? "stop" : (finish ?? "stop"), stopSequence);
    return true;
  }
}

function malformed(reason: string): Failure {
  const what = reason === "malformed_tool_use" ? "a call of a tool" : "something";
  return {
    class: "garbled",
    reason: `the model wrote ${what} that can't be read (${reason})`,
    status: 200,
    code: reason,
    retryAfterMs: null,
  };
}

/** Each piece was encoded by itself. */
function joinBase64(pieces: readonly string[]): string {
  const [only = ""] = pieces;
  return pieces.length === 1
    ? only
    : Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64"))).toString("base64");
}
