/** Answers up to this size are kept: longer than any model's longest answer, and little enough to hold in memory. */
export const maxKeptBytes = 16 * 1024 * 1024;

const firstBytes = 16 * 1024;

/**
 * A body, copied as it is sent. Copied, since a stream's pieces are slices of large buffers that each would keep alive.
 */
export class Recording {
  #bytes: Buffer | null = null;
  #length = 0;
  #tooLarge = false;

  get tooLarge(): boolean {
    return this.#tooLarge;
  }

  take(piece: Buffer): void {
    if (this.#tooLarge) return;
    const length = this.#length + piece.length;
    if (length > maxKeptBytes) {
      this.#tooLarge = true;
      this.#bytes = null;
      return;
    }
    let bytes = this.#bytes;
    if (bytes === null || bytes.length < length) {
      const grown = Buffer.allocUnsafe(Math.max(length, firstBytes, 2 * (bytes?.length ?? 0)));
      bytes?.copy(grown, 0, 0, this.#length);
      this.#bytes = bytes = grown;
    }
    piece.copy(bytes, this.#length);
    this.#length = length;
  }

  /** What was taken so far. Empty when it was too large. */
  get body(): Buffer {
    return this.#bytes?.subarray(0, this.#length) ?? Buffer.alloc(0);
  }
}
