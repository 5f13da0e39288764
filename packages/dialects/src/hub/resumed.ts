import type { Failure, Usage } from "@tuloy/contract";

import { completedUsage, type CompletionMode, type Resume } from "../completion/completion.ts";
import { fittingOf, type Fitting } from "../completion/fitting.ts";
import {
  hiddenThoughtPart,
  reasoningPart,
  refusalPart,
  signaturePart,
  textPart,
  unreadable,
} from "../completion/sent.ts";
import type { HubFinish, HubSink } from "./answer.ts";
import { argumentsPart, namePart } from "./outgoing.ts";
import type { Opaque } from "./request.ts";

/**
 * Makes an answer that completes another into the rest of it: what was sent before is taken out, and what was held back to be
 * compared is told before what follows it. The answer began long ago, so no second beginning is told.
 */
export class Resumed implements HubSink {
  readonly #mode: CompletionMode;
  readonly #fitting: Fitting;
  readonly #next: HubSink;
  readonly #sentTokens: number;
  /** Why the answer does not fit what was sent, once it does not. Nothing is told from then on. */
  misfit: string | null = null;
  /** What was told last is a thought that shows something, so a signature is its. */
  #thinks = false;
  #call = -1;
  #argumentsPart = "";

  /** With `anew` what was sent no longer counts from here on: whoever has to know it reads it before. */
  constructor(resume: Resume, next: HubSink) {
    const { sent, mode } = resume;
    this.#mode = mode;
    this.#next = next;
    this.#sentTokens = sent.tokens;
    this.#fitting = fittingOf(resume);
    if (mode === "anew") sent.restart();
  }

  begin(_id: string | null, _model: string | null): void {}

  text(text: string): void {
    this.#thinks = false;
    const kept = this.#take(textPart, text);
    if (kept !== "") this.#next.text(kept);
  }

  thought(text: string): void {
    this.#thinks = true;
    const kept = this.#take(reasoningPart, text);
    if (kept !== "") this.#next.thought(kept);
  }

  /** What a thought's maker wants back of it, unless the client has that of the answer that broke. */
  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void {
    const part = redacted || !this.#thinks ? hiddenThoughtPart : signaturePart;
    this.#thinks = false;
    if (this.#take(part, unreadable) !== "") this.#next.thoughtOpaque(opaque, redacted, id);
  }

  refusal(text: string): void {
    this.#thinks = false;
    const kept = this.#take(refusalPart, text);
    if (kept !== "") this.#next.refusal(kept);
  }

  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    this.#thinks = false;
    const kept = this.#take(namePart(call), name);
    if (kept === name) this.#next.toolCall(call, id, name, opaque);
    else if (kept !== "") this.misfit = "the name of a call was sent in part";
  }

  toolArguments(call: number, json: string): void {
    if (call !== this.#call) {
      this.#call = call;
      this.#argumentsPart = argumentsPart(call);
    }
    const kept = this.#take(this.#argumentsPart, json);
    if (kept !== "") this.#next.toolArguments(call, kept);
  }

  usage(usage: Usage): void {
    if (this.misfit === null) this.#next.usage(completedUsage(this.#mode, this.#sentTokens, usage));
  }

  finish(reason: HubFinish, stopSequence: string | null): void {
    if (this.misfit !== null) return;
    const isNew = this.#fitting.finish(0, reason);
    if (isNew === null) {
      this.misfit = this.#fitting.why;
      return;
    }
    this.#release();
    if (isNew) this.#next.finish(reason, stopSequence);
  }

  fail(failure: Failure): void {
    this.#next.fail(failure);
  }

  left(what: string): void {
    this.#next.left(what);
  }

  /** @returns what of a part is new, perhaps nothing */
  #take(part: string, said: string): string {
    if (this.misfit !== null) return "";
    const kept = this.#fitting.take(0, part, said);
    if (kept === null) {
      this.misfit = this.#fitting.why;
      return "";
    }
    if (part !== textPart) this.#release();
    return kept;
  }

  #release(): void {
    const released = this.#fitting.released();
    if (released !== "") this.#next.text(released);
  }
}
