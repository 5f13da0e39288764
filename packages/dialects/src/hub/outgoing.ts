import type { Failure, Usage } from "@tuloy/contract";

import {
  hiddenThoughtPart,
  reasoningPart,
  refusalPart,
  signaturePart,
  textPart,
  unreadable,
  type SentAnswer,
} from "../completion/sent.ts";
import type { HubFinish, HubSink } from "./answer.ts";
import type { Opaque } from "./request.ts";

export function namePart(call: number): string {
  return `the name of call ${call}`;
}

export function argumentsPart(call: number): string {
  return `the arguments of call ${call}`;
}

/** The call that a part belongs to; -1: to none. */
export function callOf(part: string): number {
  const call = Number(part.slice(part.lastIndexOf(" ") + 1));
  return part === namePart(call) || part === argumentsPart(call) ? call : -1;
}

/** What goes to the client: it is written, where somebody has to write it, and kept, where another deployment may have to go on. */
export class Outgoing implements HubSink {
  readonly #sent: SentAnswer | null;
  readonly #writer: HubSink | null;
  /** The name of the part that arguments belong to: made once a call, not once an event. */
  #call = -1;
  #argumentsPart = "";
  /** What was told last is a thought that shows something, so a signature is its. */
  #thinks = false;

  /** @param again it goes on with a replay, whose thought may be the one that was sent last */
  constructor(sent: SentAnswer | null, writer: HubSink | null, again = false) {
    this.#sent = sent;
    this.#writer = writer;
    if (again) this.#thinks = sent?.choices.get(0)?.parts.at(-1)?.part === reasoningPart;
  }

  begin(id: string | null, model: string | null): void {
    this.#writer?.begin(id, model);
  }

  text(text: string): void {
    this.#thinks = false;
    const sent = this.#sent;
    if (sent !== null && !sent.addText(text)) sent.add(0, textPart, text);
    this.#writer?.text(text);
  }

  thought(text: string): void {
    this.#thinks = true;
    const sent = this.#sent;
    if (sent !== null) {
      sent.add(0, reasoningPart, text);
      // What is written of it here has no entry before its signature.
      sent.detailOpen = false;
    }
    this.#writer?.thought(text);
  }

  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void {
    // A signature of nothing is a hidden thought, too.
    if (this.#sent !== null) {
      this.#sent.add(0, redacted || !this.#thinks ? hiddenThoughtPart : signaturePart, unreadable);
      this.#sent.details++;
      this.#sent.detailOpen = false;
    }
    this.#thinks = false;
    this.#writer?.thoughtOpaque(opaque, redacted, id);
  }

  refusal(text: string): void {
    this.#thinks = false;
    this.#sent?.add(0, refusalPart, text);
    this.#writer?.refusal(text);
  }

  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    this.#thinks = false;
    this.#sent?.add(0, namePart(call), name);
    this.#writer?.toolCall(call, id, name, opaque);
  }

  toolArguments(call: number, json: string): void {
    if (this.#sent !== null) {
      if (call !== this.#call) {
        this.#call = call;
        this.#argumentsPart = argumentsPart(call);
      }
      this.#sent.add(0, this.#argumentsPart, json);
    }
    this.#writer?.toolArguments(call, json);
  }

  usage(usage: Usage): void {
    this.#writer?.usage(usage);
  }

  finish(reason: HubFinish, stopSequence: string | null): void {
    this.#sent?.finished(0, reason);
    this.#writer?.finish(reason, stopSequence);
  }

  fail(failure: Failure): void {
    this.#writer?.fail(failure);
  }

  left(what: string): void {
    this.#writer?.left(what);
  }
}
