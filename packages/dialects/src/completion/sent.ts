import type { JsonObject } from "../json/value.ts";

/** Characters of one answer that are kept, a quarter of a million tokens. What is longer can't be completed. */
const maxCharacters = 1024 * 1024;
/** Pieces are joined in bundles: a string that grows by a token at a time costs four times the memory. */
const bundle = 256;
/** Servers send a piece a token; with more characters to a piece they gather several. */
const charactersOfOneToken = 12;
const charactersPerToken = 4;

/** The part of an answer that is its text. */
export const textPart = "text";
export const reasoningPart = "reasoning";
export const refusalPart = "a refusal";
/** A thought that only its maker can read: that there was one is kept, not what it is. */
export const hiddenThoughtPart = "a hidden thought";
/** The end of a thought that was shown: that it was signed is kept, not how. Other providers do not sign, so it may be missing. */
export const signaturePart = "a thought's signature";
/** Stands for what only its maker can read. */
export const unreadable = "·";

/** What was sent of one part of an answer (its text, its reasoning, the arguments of a call), up to the next part. */
class Segment {
  readonly part: string;
  #pieces: string[] = [];
  #joined = "";

  constructor(part: string) {
    this.part = part;
  }

  push(text: string): void {
    if (this.#pieces.push(text) === bundle) this.#join();
  }

  get text(): string {
    if (this.#pieces.length > 0) this.#join();
    return this.#joined;
  }

  #join(): void {
    this.#joined += this.#pieces.join("");
    this.#pieces = [];
  }
}

/** A part of an answer as it stands, with the text of it. */
interface SentPart {
  readonly part: string;
  readonly text: string;
}

/** What was sent of one choice. */
export interface SentChoice {
  readonly parts: readonly SentPart[];
  readonly finishReason: string | null;
}

interface Choice {
  readonly segments: Segment[];
  finishReason: string | null;
}

/**
 * What a client was sent of a streamed answer, so that another deployment can complete it. It is written with every event of
 * every stream and read only when one breaks: writing is a pointer's store.
 */
export class SentAnswer {
  /**
   * What the client's stream began with, in its own dialect: what all events have in common (id, time, model) holds for whoever
   * goes on. Chat: the event that the first content came in.
   */
  head: JsonObject | null = null;
  /** The usage event was sent. */
  usageSent = false;
  /** Why it can be neither compared nor continued; null: it can. */
  unknown: string | null = null;
  /** Entries of `reasoning_details` that were sent, also of what no longer counts: the next has this index, or a higher one. */
  details = 0;
  /** The last of them is of a thought that is not signed yet. */
  detailOpen = false;
  /** All that was sent, in characters. */
  length = 0;
  /** Of these, what no longer counts. */
  #discarded = 0;
  /** Of what counts. */
  #pieces = 0;
  #choices = new Map<number, Choice>();
  /** The segment that was written last, and of which choice: nearly always the next piece belongs there. */
  #last: Segment | null = null;
  #lastIndex = -1;
  /** The same, where it is the first choice's text. */
  #text: Segment | null = null;

  /** Notes a piece of a part, in the order in which they were sent. */
  add(index: number, part: string, text: string): void {
    if (this.unknown !== null || text === "") return;
    this.length += text.length;
    this.#pieces++;
    if (this.length > maxCharacters) this.forget("more was sent than is kept to compare with");
    else if (this.#last !== null && this.#lastIndex === index && this.#last.part === part) this.#last.push(text);
    else this.#segment(index, part).push(text);
  }

  /** Notes one more piece of the first choice's text. @returns false when that is not what was sent last: use `add` */
  addText(text: string): boolean {
    if (this.#text === null || this.length > maxCharacters - text.length) return false;
    this.length += text.length;
    this.#pieces++;
    this.#text.push(text);
    return true;
  }

  finished(index: number, reason: string): void {
    if (this.unknown === null) this.#choice(index).finishReason = reason;
  }

  /** Gives up what is kept. */
  forget(why: string): void {
    this.unknown ??= why;
    this.restart();
  }

  /** What was sent no longer counts: the answer begins anew. */
  restart(): void {
    this.#choices = new Map();
    this.#last = null;
    this.#text = null;
    this.#discarded = this.length;
    this.#pieces = 0;
  }

  get choices(): ReadonlyMap<number, SentChoice> {
    const choices = new Map<number, SentChoice>();
    for (const [index, { segments, finishReason }] of this.#choices) {
      choices.set(index, { parts: segments.map(({ part, text }) => ({ part, text })), finishReason });
    }
    return choices;
  }

  /** Of what counts: estimated from the pieces, or from the characters where pieces are longer than a token. */
  get tokens(): number {
    if (this.#pieces === 0) return 0;
    const length = this.length - this.#discarded;
    return length / this.#pieces <= charactersOfOneToken ? this.#pieces : Math.ceil(length / charactersPerToken);
  }

  #segment(index: number, part: string): Segment {
    const { segments } = this.#choice(index);
    let segment = segments.at(-1);
    if (segment === undefined || segment.part !== part) segments.push((segment = new Segment(part)));
    this.#last = segment;
    this.#lastIndex = index;
    this.#text = index === 0 && part === textPart ? segment : null;
    return segment;
  }

  #choice(index: number): Choice {
    let choice = this.#choices.get(index);
    if (choice === undefined) this.#choices.set(index, (choice = { segments: [], finishReason: null }));
    return choice;
  }
}
