const quote = 0x22;
const backslash = 0x5c;

/**
 * Finds where a JSON object ends that comes in pieces: once it is whole, nothing but white space can follow. What does not begin
 * as an object never is one, and what is no JSON may end as well as it can. It looks at every character once.
 */
export class ObjectEnd {
  /** The closing bracket has come. */
  whole = false;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** It began with something else. */
  #other = false;

  push(json: string): void {
    for (let at = 0; at < json.length && !this.whole && !this.#other; at++) this.#take(json.charCodeAt(at));
  }

  #take(code: number): void {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (code === backslash) this.#escaped = true;
      else if (code === quote) this.#inString = false;
      return;
    }
    switch (code) {
      case 0x7b: // {
        this.#depth++;
        return;
      case 0x7d: // }
        if (--this.#depth <= 0) this.#close();
        return;
      case quote:
        this.#inString = true;
        break;
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
        return;
    }
    if (this.#depth === 0) this.#other = true;
  }

  #close(): void {
    if (this.#depth < 0) this.#other = true;
    else this.whole = true;
  }
}
