import { hiddenThoughtPart, reasoningPart, signaturePart, unreadable, type SentAnswer } from "../completion/sent.ts";
import { isObject, text, type JsonObject } from "../json/value.ts";
import type { TakePart } from "./deltas.ts";

/** A delta's own reasoning beside its `reasoning_details`, which say the same: what came, and what is to stand in its place. */
export interface OwnReasoning {
  readonly said: string;
  readonly kept: string;
}

/**
 * Takes the entries of a delta's `reasoning_details`, as OpenRouter sends them: the text of a thought comes in pieces under one
 * index, and its signature at last.
 * @returns those that are to stand in their place; null: one does not fit
 */
export function takeDetails(
  details: readonly unknown[],
  own: OwnReasoning | null,
  take: TakePart,
): readonly JsonObject[] | null {
  const entries = details.filter(isObject);
  let skip = own === null ? 0 : skipped(entries, own);
  const left: JsonObject[] = [];
  for (const detail of entries) {
    const put: Record<string, unknown> = { ...detail };
    let says = false;
    const member = typeof detail.text === "string" ? "text" : "summary";
    const said = text(detail[member]);
    if (said !== null) {
      const dropped = Math.min(skip, said.length);
      skip -= dropped;
      const kept = own === null ? take(reasoningPart, said) : said.slice(dropped);
      if (kept === null) return null;
      put[member] = kept;
      says = kept !== "";
    }
    const proof = text(detail.signature) !== null ? "signature" : text(detail.data) !== null ? "data" : null;
    if (proof !== null) {
      const kept = take(proof === "data" ? hiddenThoughtPart : signaturePart, unreadable);
      if (kept === null) return null;
      if (kept === "") delete put[proof];
      else says = true;
    }
    if (says) left.push(put);
  }
  return left;
}

/** How many characters of the entries' texts were sent before. Some servers repeat in them all that was thought so far. */
function skipped(entries: readonly JsonObject[], { said, kept }: OwnReasoning): number {
  if (kept === said) return 0;
  const whole = entries.map((detail) => text(detail.text) ?? text(detail.summary) ?? "").join("");
  return kept !== "" && whole === said ? said.length - kept.length : whole.length;
}

/** Notes which entries were sent. */
export function noteDetails(sent: SentAnswer, details: readonly unknown[]): void {
  for (const detail of details) {
    if (!isObject(detail)) continue;
    const { index } = detail;
    if (typeof index === "number" && Number.isSafeInteger(index)) sent.details = Math.max(sent.details, index + 1);
    const proof = text(detail.signature) ?? text(detail.data);
    if (proof !== null) sent.detailOpen = false;
    else if ((text(detail.text) ?? text(detail.summary)) !== null) sent.detailOpen = true;
  }
}

/**
 * Brings the `reasoning_details` of a completing stream in line with what the client has: indices rise, and a signature stands
 * with all that it signs.
 */
export class ResumedDetails {
  #offset: number;
  /** The first index that no entry has. */
  readonly #free: number;
  /** The thought that goes on, where the client has its beginning but no entry for it: its signature comes with all of it. */
  #unlisted: string | null;

  /** @param again the new stream answers again, so what of its first thought is new goes on with the last that was sent */
  constructor(sent: SentAnswer, again: boolean) {
    const last = sent.choices.get(0)?.parts.at(-1);
    this.#free = sent.details;
    this.#offset = again ? 0 : this.#free;
    this.#unlisted = again && last?.part === reasoningPart && !sent.detailOpen ? last.text : null;
  }

  /** @param delta what is left of it @returns its entries as the client is to get them */
  place(delta: JsonObject): readonly JsonObject[] {
    const details: readonly JsonObject[] = Array.isArray(delta.reasoning_details)
      ? delta.reasoning_details.filter(isObject)
      : [];
    if (this.#unlisted !== null) return this.#list(this.#unlisted, delta, details);
    return details.map((detail) => this.#placed(detail));
  }

  #list(before: string, delta: JsonObject, details: readonly JsonObject[]): readonly JsonObject[] {
    const own = text(delta.reasoning_content) ?? text(delta.reasoning);
    let thought = before + (own ?? "");
    for (const [at, detail] of details.entries()) {
      if (own === null) thought += text(detail.text) ?? text(detail.summary) ?? "";
      const signed = text(detail.signature) !== null;
      if (!signed && text(detail.data) === null) continue;
      this.#unlisted = null;
      // An entry that the client has is not gone on with: it may hold some of the thought, and not all.
      if (typeof detail.index === "number") this.#offset = Math.max(0, this.#free - detail.index);
      const first = signed ? { ...detail, text: thought } : detail;
      return [first, ...details.slice(at + 1)].map((one) => this.#placed(one));
    }
    // Something else was said, and nobody signed it.
    this.#unlisted = text(delta.content) === null && !Array.isArray(delta.tool_calls) ? thought : null;
    return [];
  }

  #placed(detail: JsonObject): JsonObject {
    const { index } = detail;
    return typeof index === "number" ? { ...detail, index: index + this.#offset } : detail;
  }
}
