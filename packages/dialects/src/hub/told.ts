import type { Failure, Usage } from "@tuloy/contract";

import type { HubFinish, HubSink } from "./answer.ts";
import type { Opaque } from "./request.ts";

/** A stream of nothing but oddities must not fill the trace. */
const maxNotes = 20;

/**
 * Keeps the books of one answer while it is told, and passes on what is in order: a beginning before any content, one end,
 * nothing after a failure. So neither a reader nor a writer has to guard these.
 */
export class Told implements HubSink {
  /** Content was told since this was last set to false. */
  progress = false;
  /** Content was told. */
  committed = false;
  ending: HubFinish | null = null;
  failure: Failure | null = null;
  counted: Usage | null = null;
  /** Characters of content. */
  textLength = 0;
  readonly notes: string[] = [];
  readonly #next: HubSink | null;
  #begun = false;
  #late = false;

  /** @param next null: only the books are kept */
  constructor(next: HubSink | null) {
    this.#next = next;
  }

  begin(id: string | null, model: string | null): void {
    if (this.#begun || this.failure !== null) return;
    this.#begun = true;
    this.#next?.begin(id, model);
  }

  text(text: string): void {
    if (this.#says(text.length)) this.#next?.text(text);
  }

  thought(text: string): void {
    if (this.#says(text.length)) this.#next?.thought(text);
  }

  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void {
    if (!this.#goesOn()) return;
    // A sign of life, but nothing that a client could show.
    this.progress = true;
    this.#next?.thoughtOpaque(opaque, redacted, id);
  }

  refusal(text: string): void {
    if (this.#says(text.length)) this.#next?.refusal(text);
  }

  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    // A call counts even without a name or arguments: a client may act on it.
    if (this.#says(Math.max(1, name.length))) this.#next?.toolCall(call, id, name, opaque);
  }

  toolArguments(call: number, json: string): void {
    if (this.#says(json.length)) this.#next?.toolArguments(call, json);
  }

  acts(): void {
    if (!this.#goesOn()) return;
    this.progress = true;
    this.committed = true;
  }

  usage(usage: Usage): void {
    if (this.failure !== null) return;
    this.counted = usage;
    this.#next?.usage(usage);
  }

  finish(reason: HubFinish, stopSequence: string | null): void {
    if (this.ending !== null || this.failure !== null) return;
    this.begin(null, null);
    this.ending = reason;
    this.#next?.finish(reason, stopSequence);
  }

  /** Is not passed on: an error is written by who knows what else is to be said of it. */
  fail(failure: Failure): void {
    this.failure ??= failure;
  }

  left(what: string): void {
    this.note(what);
  }

  /** Notes an oddity, once and not without end. */
  note(note: string): void {
    if (this.notes.length < maxNotes && !this.notes.includes(note)) this.notes.push(note);
  }

  /** @returns whether content of this length is there and in its place */
  #says(length: number): boolean {
    if (length === 0 || !this.#goesOn()) return false;
    this.textLength += length;
    this.progress = true;
    this.committed = true;
    return true;
  }

  #goesOn(): boolean {
    if (this.failure !== null) return false;
    if (this.ending !== null) {
      if (!this.#late) this.note("content after the answer's end was left out");
      this.#late = true;
      return false;
    }
    if (!this.#begun) this.begin(null, null);
    return true;
  }
}
