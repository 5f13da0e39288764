import type { Failure, Usage } from "@tuloy/contract";

import { garbled } from "../failure/answer-object.ts";
import type { HubFinish, HubSink } from "./answer.ts";
import { ObjectEnd } from "./object-end.ts";
import type { Opaque } from "./request.ts";

/** What waits while the arguments of a call are not whole may be so long, in characters. */
const maxHeld = 1024 * 1024;
/** What a part costs that is held, besides its characters. */
const partCost = 64;

type Said = "text" | "thought" | "refusal";

interface HeldText {
  readonly kind: Said;
  text: string;
}

interface HeldOpaque {
  readonly kind: "opaque";
  readonly opaque: Opaque;
  readonly redacted: boolean;
  readonly id: string | null;
}

interface HeldCall {
  readonly kind: "call";
  readonly call: number;
  readonly id: string;
  readonly name: string;
  readonly opaque: Opaque | null;
  json: string;
}

/**
 * Tells the parts of an answer one after the other, for clients that take a part for whole once the next one begins. Servers may
 * send the arguments of several calls in turns, or text among them.
 *
 * The law: parts come in the order in which they began. What begins while the arguments of a call are no whole JSON object waits
 * until they are, or until the answer's end. Arguments that come after another part had its turn can't be told any more: white
 * space is no loss, all else fails the answer, which was no JSON then.
 *
 * But for that white space it depends on what is said, not on how it is cut into pieces: an answer that is asked for again compares.
 */
export class InTurn implements HubSink {
  /** Why the answer can't be told in turn, once it can't. */
  failure: Failure | null = null;
  readonly #next: HubSink;
  /** The call that was told last, if nothing was told after it; else -1. */
  #call = -1;
  #end = new ObjectEnd();
  #held: (HeldText | HeldOpaque | HeldCall)[] = [];
  /** Those of the calls. */
  readonly #heldCalls = new Map<number, HeldCall>();
  #heldLength = 0;

  constructor(next: HubSink) {
    this.#next = next;
  }

  begin(id: string | null, model: string | null): void {
    this.#next.begin(id, model);
  }

  text(text: string): void {
    if (this.#call === -1 || this.#hasTurn()) this.#next.text(text);
    else this.#holdText("text", text);
  }

  thought(text: string): void {
    if (this.#call === -1 || this.#hasTurn()) this.#next.thought(text);
    else this.#holdText("thought", text);
  }

  refusal(text: string): void {
    if (this.#call === -1 || this.#hasTurn()) this.#next.refusal(text);
    else this.#holdText("refusal", text);
  }

  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void {
    if (this.#call === -1 || this.#hasTurn()) this.#next.thoughtOpaque(opaque, redacted, id);
    else if (this.#mayHold(partCost + opaque.data.length)) this.#held.push({ kind: "opaque", opaque, redacted, id });
  }

  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    if (this.#call === -1 || this.#hasTurn()) {
      this.#begin(call);
      this.#next.toolCall(call, id, name, opaque);
      return;
    }
    if (!this.#mayHold(partCost + id.length + name.length)) return;
    const held: HeldCall = { kind: "call", call, id, name, opaque, json: "" };
    this.#held.push(held);
    this.#heldCalls.set(call, held);
  }

  toolArguments(call: number, json: string): void {
    if (call === this.#call) {
      this.#end.push(json);
      this.#next.toolArguments(call, json);
      if (this.#end.whole && this.#held.length > 0) this.#release(false);
      return;
    }
    const held = this.#heldCalls.get(call);
    if (held !== undefined) {
      if (this.#mayHold(json.length)) held.json += json;
    } else if (json.trim() !== "") {
      this.failure ??= garbled("arguments of a call came after they were whole").failure;
    }
  }

  usage(usage: Usage): void {
    this.#next.usage(usage);
  }

  finish(reason: HubFinish, stopSequence: string | null): void {
    this.#release(true);
    this.#next.finish(reason, stopSequence);
  }

  fail(failure: Failure): void {
    this.#next.fail(failure);
  }

  left(what: string): void {
    this.#next.left(what);
  }

  /** Whether what follows a call may be told now: then it is its turn. */
  #hasTurn(): boolean {
    if (!this.#end.whole || this.#held.length > 0) return false;
    this.#call = -1;
    return true;
  }

  #begin(call: number): void {
    this.#call = call;
    this.#end = new ObjectEnd();
  }

  #holdText(kind: Said, text: string): void {
    const last = this.#held.at(-1);
    if (last?.kind === kind) {
      if (this.#mayHold(text.length)) last.text += text;
    } else if (this.#mayHold(partCost + text.length)) this.#held.push({ kind, text });
  }

  #mayHold(length: number): boolean {
    this.#heldLength += length;
    if (this.#heldLength <= maxHeld) return true;
    this.failure ??= garbled("the arguments of a call did not end, and too much came besides").failure;
    return false;
  }

  /** @param all nothing more comes */
  #release(all: boolean): void {
    const held = this.#held;
    let told = 0;
    for (const part of held) {
      if (!all && this.#call !== -1 && !this.#end.whole) break;
      told++;
      this.#tell(part);
    }
    this.#held = held.slice(told);
    if (this.#held.length === 0) this.#heldLength = 0;
  }

  #tell(part: HeldText | HeldOpaque | HeldCall): void {
    const next = this.#next;
    if (part.kind === "call") {
      this.#heldCalls.delete(part.call);
      this.#begin(part.call);
      next.toolCall(part.call, part.id, part.name, part.opaque);
      if (part.json === "") return;
      this.#end.push(part.json);
      next.toolArguments(part.call, part.json);
      return;
    }
    this.#call = -1;
    switch (part.kind) {
      case "text":
        return next.text(part.text);
      case "thought":
        return next.thought(part.text);
      case "refusal":
        return next.refusal(part.text);
      case "opaque":
        return next.thoughtOpaque(part.opaque, part.redacted, part.id);
    }
  }
}
