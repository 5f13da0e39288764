/** So many characters of the answer's beginning at the joint mean that the answer starts over. */
const headCharacters = 8;
/** Asked as a user would, a model may well begin a paragraph as it began the answer. */
const softHeadCharacters = 24;
/** How far back an overlap is looked for, in words and characters. */
const exactWords = 8;
const softWords = 40;
const tailCharacters = 400;
/** A shorter overlap may as well be the text's own. */
const shortestTail = 3;

/** How the text that follows a joint may begin, if it does not simply go on. */
interface Repetition {
  readonly text: string;
  /** `strip`: it was sent before. `drop`: nobody can say whether it was. */
  readonly verdict: "strip" | "drop";
  readonly why: string;
}

export interface JointOptions {
  /** The text that was sent. */
  readonly sent: string;
  readonly soft: boolean;
  /** The deployment is known to repeat what it was given. */
  readonly echoes: boolean;
}

/**
 * The place where a continuation joins the text that was sent. What comes is held back only while it might be a repetition of
 * it, which the first character mostly settles.
 *
 * From a deployment that goes on exactly, a repetition is a sign that it does not: it may have started over, or gone back some
 * words. It may also be what the answer really says, so it is not cut out but the continuation dropped. Asked softly, a model
 * repeats its last words often, and they are cut out.
 */
export class Joint {
  readonly #echo: string | null;
  readonly #head: number;
  readonly #repetitions: readonly Repetition[];
  #held = "";
  #open = true;
  /** White space that was sent but not given to the deployment, and which it is to repeat. */
  #space: string;
  /** Why the continuation does not fit, once it does not. */
  why = "";

  constructor({ sent, soft, echoes }: JointOptions) {
    const given = soft ? sent : sent.trimEnd();
    this.#space = sent.slice(given.length);
    this.#echo = soft || echoes ? given : null;
    this.#head = soft ? softHeadCharacters : headCharacters;
    this.#repetitions = soft
      ? tails(given, softWords).map((text) => ({ text, verdict: "strip", why: "" }))
      : echoes
        ? []
        : [
            { text: given.slice(0, headCharacters), verdict: "drop", why: startsOver },
            ...tails(given, exactWords).map((text): Repetition => ({
              text,
              verdict: "drop",
              why: "it may have repeated the last words",
            })),
          ];
  }

  /** @returns what of it is new and certain, perhaps nothing yet; null: it does not fit */
  take(text: string): string | null {
    if (!this.#open) return this.#afterSpace(text);
    this.#held += text;
    return this.#judge(false);
  }

  /** Nothing more comes. @returns what was held back and is new */
  flush(): string | null {
    return this.#open ? this.#judge(true) : "";
  }

  #judge(last: boolean): string | null {
    const held = this.#held;
    let longest = 0;
    let pending = this.#echo !== null && this.#echo.length > held.length && this.#echo.startsWith(held);
    for (const { text, verdict, why } of this.#repetitions) {
      if (held.startsWith(text)) {
        if (verdict === "drop") return this.#misfit(why);
        longest = Math.max(longest, text.length);
      } else if (text.startsWith(held)) {
        pending = true;
      }
    }
    if (pending && !last) return "";
    const echo = this.#echo;
    if (echo !== null && held.startsWith(echo)) longest = Math.max(longest, echo.length);
    else if (echo !== null && longest === 0 && common(held, echo) >= this.#head) return this.#misfit(startsOver);
    this.#open = false;
    this.#held = "";
    return this.#afterSpace(held.slice(longest));
  }

  #misfit(why: string): null {
    this.why = why;
    return null;
  }

  #afterSpace(text: string): string {
    if (this.#space === "") return text;
    const repeated = common(text, this.#space);
    this.#space = repeated === text.length ? this.#space.slice(repeated) : "";
    return text.slice(repeated);
  }
}

const startsOver = "it may have started over";

/** Length of the common beginning. */
function common(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** The last words, the last two, the last three and so on, each from its first letter and, from two on, from the space before it. */
function tails(text: string, most: number): string[] {
  const words = text.slice(-tailCharacters).match(/\s*\S+/g) ?? [];
  const found: string[] = [];
  let tail = text.slice(text.trimEnd().length);
  let count = 0;
  for (const word of words.slice(-most).reverse()) {
    tail = word + tail;
    const bare = tail.trimStart();
    if (bare.trimEnd().length >= shortestTail) found.push(bare);
    if (++count > 1 && bare !== tail) found.push(tail);
  }
  return found;
}
