import type { Resume } from "./completion.ts";
import { sentText } from "./continuable.ts";
import { Joint } from "./joint.ts";
import { Replayed } from "./replayed.ts";
import { hiddenThoughtPart, reasoningPart, refusalPart, signaturePart, textPart } from "./sent.ts";

/** One choice of the new stream against what was sent of it. @returns null where it does not fit */
export interface Fitting {
  take(index: number, part: string, text: string): string | null;
  /** @returns whether the end is new to the client */
  finish(index: number, reason: string): boolean | null;
  /** Text that was held back until now and goes before what the event has of its own. Once. */
  released(): string;
  readonly why: string;
}

export function fittingOf({ mode, sent, continuation }: Resume): Fitting {
  if (mode === "replay") return new ReplayFitting(new Replayed(sent));
  if (mode === "anew") return anew;
  const joint = new Joint({
    sent: sentText(sent),
    soft: mode === "soft",
    echoes: continuation?.echoes ?? false,
  });
  return new JointFitting(joint);
}

const anew: Fitting = {
  take: (_index, _part, said) => said,
  finish: () => true,
  released: () => "",
  why: "",
};

class ReplayFitting implements Fitting {
  readonly #replayed: Replayed;

  constructor(replayed: Replayed) {
    this.#replayed = replayed;
  }

  get why(): string {
    return this.#replayed.why;
  }

  take(index: number, part: string, said: string): string | null {
    return this.#replayed.take(index, part, said);
  }

  finish(index: number, reason: string): boolean | null {
    return this.#replayed.finish(index, reason);
  }

  released(): string {
    return "";
  }
}

/** The text goes on at a joint. Reasoning about how to go on is no part of the answer, and a refusal to go on does not complete it. */
class JointFitting implements Fitting {
  readonly #joint: Joint;
  #released = "";
  why = "";

  constructor(joint: Joint) {
    this.#joint = joint;
  }

  take(_index: number, part: string, said: string): string | null {
    if (part === textPart) return this.#judged(this.#joint.take(said));
    if (part === reasoningPart || part === hiddenThoughtPart || part === signaturePart) return "";
    if (part === refusalPart) {
      this.why = "it refuses to go on";
      return null;
    }
    return this.#release() ? said : null;
  }

  finish(): boolean | null {
    return this.#release() ? true : null;
  }

  released(): string {
    const released = this.#released;
    this.#released = "";
    return released;
  }

  /** The text ends here. @returns false when it does not fit */
  #release(): boolean {
    const held = this.#judged(this.#joint.flush());
    this.#released += held ?? "";
    return held !== null;
  }

  #judged(text: string | null): string | null {
    if (text === null) this.why = this.#joint.why;
    return text;
  }
}
