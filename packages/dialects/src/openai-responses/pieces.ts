/** So many pieces are joined at a time: a string that grows by a token costs four times the memory. */
const bundle = 256;

/** A text that comes in pieces. */
export class Pieces {
  #pieces: string[] = [];
  #joined: string;

  constructor(start = "") {
    this.#joined = start;
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
