const cr = 0x0d;
const lf = 0x0a;
const semicolon = 0x3b;
const tab = 0x09;
const space = 0x20;

/** The size of one chunk, in hexadecimal digits: up to 4 GiB. */
const maxSizeDigits = 8;

/** Extensions and trailers mean nothing to a gateway, but they come from the network: bytes of one answer. */
const maxIgnoredBytes = 16 * 1024;

/** What is expected next. `-end`: the line end after it. */
type Expected =
  | "size"
  | "extension"
  | "size-end"
  | "data"
  | "data-end"
  | "data-end-2"
  | "trailer"
  | "trailer-name"
  | "trailer-end"
  | "last-end";

/** Takes the framing out of a chunked body (RFC 9112, section 7.1), as its bytes come. For one body. */
export class ChunkedBody {
  #expected: Expected = "size";
  /** Of the chunk: what is left of its data, or what its size is so far. */
  #left = 0;
  #sizeDigits = 0;
  #ignored = 0;
  /** The last chunk and the trailers have come. */
  whole = false;
  /** Where the body ended, in the bytes given last. Only when it is whole. */
  endedAt = 0;

  /**
   * Reads on.
   * @param take is given the body's bytes among them, a chunk or a part of one at a time
   * @returns null, or why they are not chunks
   */
  read(bytes: Buffer, from: number, take: (data: Buffer) => void): string | null {
    let at = from;
    while (at < bytes.length && !this.whole) {
      if (this.#expected !== "data") {
        const wrong = this.#frame(bytes[at] ?? 0);
        if (wrong !== null) return wrong;
        at += 1;
        continue;
      }
      const end = Math.min(bytes.length, at + this.#left);
      this.#left -= end - at;
      if (this.#left === 0) this.#expected = "data-end";
      take(bytes.subarray(at, end));
      at = end;
    }
    this.endedAt = at;
    return null;
  }

  /** One byte that is no data. */
  #frame(byte: number): string | null {
    switch (this.#expected) {
      case "size":
        return this.#size(byte);
      case "extension":
        return this.#ignore(byte, "size-end");
      case "size-end":
        if (byte !== lf) return "the size of a chunk ends with half a line end";
        return this.#begin();
      case "data-end":
        return this.#expect(byte, cr, "data-end-2");
      case "data-end-2":
        return this.#expect(byte, lf, "size");
      case "trailer":
        return byte === cr ? this.#next("last-end") : this.#ignore(byte, "trailer-end");
      case "trailer-name":
        return this.#ignore(byte, "trailer-end");
      case "trailer-end":
        return this.#expect(byte, lf, "trailer");
      case "last-end":
        this.whole = byte === lf;
        return this.whole ? null : "it ends with half a line end";
      case "data":
        return null;
    }
  }

  #size(byte: number): string | null {
    const digit = hexadecimal(byte);
    if (digit !== -1) {
      this.#sizeDigits += 1;
      this.#left = this.#left * 16 + digit;
      return this.#sizeDigits > maxSizeDigits ? "a chunk is larger than 4 GiB" : null;
    }
    if (this.#sizeDigits === 0) return "a chunk has no size";
    if (byte === cr) return this.#next("size-end");
    // Some servers pad the size with spaces; extensions begin with a semicolon.
    if (byte === semicolon || byte === space || byte === tab) return this.#next("extension");
    return "the size of a chunk is not a number";
  }

  #begin(): null {
    this.#sizeDigits = 0;
    return this.#next(this.#left === 0 ? "trailer" : "data");
  }

  /** A byte of a line that nobody reads. */
  #ignore(byte: number, atEnd: Expected): string | null {
    this.#ignored += 1;
    if (this.#ignored > maxIgnoredBytes) return "its chunks have more extensions or trailers than data is worth";
    if (byte === cr) return this.#next(atEnd);
    if ((byte < space && byte !== tab) || byte === 0x7f) return "a control character is among its chunks";
    return this.#expected === "trailer" ? this.#next("trailer-name") : null;
  }

  #expect(byte: number, wanted: number, then: Expected): string | null {
    return byte === wanted ? this.#next(then) : "a chunk is longer than its size";
  }

  #next(expected: Expected): null {
    this.#expected = expected;
    return null;
  }
}

function hexadecimal(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
