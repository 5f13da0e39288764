import type { Usage } from "@tuloy/contract";

import { completedUsage, type Resume } from "../completion/completion.ts";
import { fittingOf, type Fitting } from "../completion/fitting.ts";
import { isObject, text, type JsonObject } from "../json/value.ts";
import { choiceIndex, noteChunk, strangeness, takeParts, type TakePart } from "./deltas.ts";
import { ResumedDetails } from "./details.ts";
import { readUsage } from "./usage.ts";

/** What all events of one answer have in common. */
export const envelope = ["id", "created", "model", "system_fingerprint", "service_tier"] as const;

/** Makes the events of a completing stream into the rest of the stream that broke. */
export class ResumedEvents {
  readonly #resume: Resume;
  readonly #head: JsonObject;
  readonly #sentTokens: number;
  readonly #usageSent: boolean;
  readonly #fitting: Fitting;
  readonly #details: ResumedDetails;
  /** Why the new stream does not fit what was sent, once it does not. */
  misfit: string | null = null;

  constructor(resume: Resume) {
    const { sent } = resume;
    this.#resume = resume;
    this.#head = sent.head ?? {};
    this.#sentTokens = sent.tokens;
    this.#usageSent = sent.usageSent;
    this.#fitting = fittingOf(resume);
    this.#details = new ResumedDetails(sent, resume.mode === "replay");
    if (resume.mode === "anew") sent.restart();
  }

  /** @returns the event for the client; null when it holds nothing new, and when `misfit` is set */
  event(chunk: JsonObject): Buffer | null {
    const choices: Record<string, unknown>[] = [];
    for (const choice of Array.isArray(chunk.choices) ? chunk.choices : []) {
      if (!isObject(choice)) continue;
      const left = this.#choice(choice);
      if (this.misfit !== null) return null;
      if (left !== null) choices.push(left);
    }
    const usage = this.#usage(chunk);
    if (choices.length === 0 && usage === null) return null;
    const event: Record<string, unknown> = { ...chunk, choices };
    for (const member of envelope) {
      if (this.#head[member] === undefined) delete event[member];
      else event[member] = this.#head[member];
    }
    if (usage !== null) event.usage = usage;
    else if (isObject(chunk.usage)) delete event.usage;
    noteChunk(this.#resume.sent, event, choices);
    return Buffer.from(`data: ${JSON.stringify(event)}\n\n`);
  }

  /** @returns what of a choice is new; null when nothing is, and when `misfit` is set */
  #choice(choice: JsonObject): Record<string, unknown> | null {
    const index = choiceIndex(choice);
    const said = isObject(choice.delta) ? choice.delta : {};
    const strange = strangeness(said);
    if (strange !== null) return this.#drop(strange);
    let cut = false;
    const take: TakePart = (part, whole) => {
      const kept = this.#fitting.take(index, part, whole);
      if (kept !== null && kept !== "" && kept !== whole) cut = true;
      return kept;
    };
    const delta = takeParts(said, take);
    if (delta === null) return this.#drop(this.#fitting.why);
    const details = this.#details.place(delta);
    if (details.length > 0) delta.reasoning_details = details;
    else delete delta.reasoning_details;
    if (cut && isObject(choice.logprobs))
      return this.#drop("its pieces are cut otherwise, and it has log probabilities");
    const reason = text(choice.finish_reason);
    const isNew = reason === null ? false : this.#fitting.finish(index, reason);
    if (isNew === null) return this.#drop(this.#fitting.why);
    const released = this.#fitting.released();
    if (released !== "") delta.content = released + (text(delta.content) ?? "");
    return isNew || hasContent(delta) ? { ...choice, delta } : null;
  }

  /** Null: none, or the client was told already. */
  #usage(chunk: JsonObject): JsonObject | null {
    const own = readUsage(chunk.usage);
    if (own === null || !isObject(chunk.usage)) return null;
    const alone = !Array.isArray(chunk.choices) || chunk.choices.length === 0;
    return alone && this.#usageSent ? null : { ...chunk.usage, ...usageMembers(this.usageOf(own)) };
  }

  /** The whole answer's usage, from the completing stream's own. */
  usageOf(own: Usage): Usage {
    return completedUsage(this.#resume.mode, this.#sentTokens, own);
  }

  #drop(why: string): null {
    this.misfit = why;
    return null;
  }
}

function usageMembers(usage: Usage): JsonObject {
  return {
    prompt_tokens: usage.input_tokens,
    completion_tokens: usage.output_tokens,
    total_tokens: usage.input_tokens + usage.output_tokens,
  };
}

function hasContent(delta: JsonObject): boolean {
  return Object.keys(delta).length > 0;
}
