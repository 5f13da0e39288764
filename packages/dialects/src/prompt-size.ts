/** How large a prompt is by a real count. */
export interface PromptSize {
  /** All input, in tokens. */
  readonly inputTokens: number;
  /** What must fit into the context at once, in tokens: as `inputTokens`, or the largest of several inputs. */
  readonly contextTokens: number;
  /** Characters of text that were counted, to judge other text of the same kind by. */
  readonly characters: number;
  /** Tokens of that text. */
  readonly textTokens: number;
}

/** Adds up texts and what has no text. */
export class PromptScale {
  readonly #count: (text: string) => number;
  #characters = 0;
  #textTokens = 0;

  constructor(count: (text: string) => number) {
    this.#count = count;
  }

  /** @returns its tokens */
  add(text: string): number {
    const tokens = this.#count(text);
    this.#characters += text.length;
    this.#textTokens += tokens;
    return tokens;
  }

  /** @param other tokens that are no text @param largest of several inputs that each have the context for themselves */
  size(other: number, largest: number | null = null): PromptSize {
    const inputTokens = this.#textTokens + other;
    return {
      inputTokens,
      contextTokens: largest ?? inputTokens,
      characters: this.#characters,
      textTokens: this.#textTokens,
    };
  }
}
