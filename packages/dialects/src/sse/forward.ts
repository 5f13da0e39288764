/** Collects the parts of a chunk that may go on, in as few pieces as possible: a chunk that may go on whole is itself the piece. */
export class ForwardRun {
  #chunk: Buffer = Buffer.alloc(0);
  #pieces: Buffer[] = [];
  #start = 0;
  #end = 0;

  /** Starts with a new chunk. What was collected before is the last `finish`'s and stays as it is. */
  begin(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#pieces = [];
    this.#start = 0;
    this.#end = 0;
  }

  /** Adds bytes: `carry` of earlier chunks, then `start` to `end` of this one. */
  take(carry: Buffer | null, start: number, end: number): void {
    if (carry !== null) {
      this.#flush();
      this.#pieces.push(carry);
      this.#start = start;
    } else if (start !== this.#end) {
      this.#flush();
      this.#start = start;
    }
    this.#end = end;
  }

  /** Adds bytes that stand in for a part of this chunk. */
  put(bytes: Buffer): void {
    this.#flush();
    this.#pieces.push(bytes);
  }

  finish(): readonly Buffer[] {
    this.#flush();
    return this.#pieces;
  }

  #flush(): void {
    if (this.#end === this.#start) return;
    const whole = this.#start === 0 && this.#end === this.#chunk.length;
    this.#pieces.push(whole ? this.#chunk : this.#chunk.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
