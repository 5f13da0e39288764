import { reasoningPart, signaturePart, type SentAnswer, type SentChoice } from "./sent.ts";

interface Cursor {
  readonly choice: SentChoice;
  part: number;
  offset: number;
}

/** Compares a second answer to the same request with what was sent of the first. */
export class Replayed {
  readonly #cursors = new Map<number, Cursor>();
  /** Where and how it differs, once it does. */
  why = "";
  #matched = 0;

  constructor(sent: SentAnswer) {
    for (const [index, choice] of sent.choices) this.#cursors.set(index, { choice, part: 0, offset: 0 });
  }

  /** @returns what goes beyond what was sent; null: it says something else */
  take(index: number, part: string, text: string): string | null {
    const cursor = this.#cursors.get(index);
    const known = cursor?.choice.parts[cursor.part];
    if (cursor === undefined || known === undefined) {
      // Of this choice all was sent: nothing may follow its end.
      return cursor?.choice.finishReason === undefined || cursor.choice.finishReason === null
        ? text
        : this.#misfit("goes on after its end");
    }
    if (known.part !== part) {
      // Not everybody signs: what was signed need not be again, and a signature of what was sent without one is nothing new.
      if (part === signaturePart) return "";
      if (known.part !== signaturePart || part === reasoningPart)
        return this.#misfit(`has ${part} where ${known.part} was sent`);
      cursor.part++;
      return this.take(index, part, text);
    }
    const expected = known.text.slice(cursor.offset, cursor.offset + text.length);
    if (!text.startsWith(expected)) return this.#misfit("says something else");
    this.#matched += expected.length;
    cursor.offset += expected.length;
    if (cursor.offset < known.text.length) return "";
    cursor.part++;
    cursor.offset = 0;
    const rest = text.slice(expected.length);
    return rest === "" ? "" : this.take(index, part, rest);
  }

  /** @returns whether this end is new to the client; null: it comes too early, or is another */
  finish(index: number, reason: string): boolean | null {
    const cursor = this.#cursors.get(index);
    if (cursor === undefined) return true;
    const { parts, finishReason } = cursor.choice;
    const rest = parts.slice(cursor.part);
    if (rest.some(({ part }) => part !== signaturePart)) return this.#misfit("ends earlier");
    if (finishReason === null) return true;
    return finishReason === reason ? false : this.#misfit("ends for another reason");
  }

  #misfit(what: string): null {
    this.why = `it ${what}, after ${this.#matched} characters alike`;
    return null;
  }
}
