import { bytesAre, skipSpace, stringEnd, valueEnd } from "./scan.ts";

/** Real answers have some ten levels. */
const maxDepth = 64;

/**
 * Walks through a JSON document's bytes and stops at what its user asks for. Used so:
 *
 *   if (cursor.enter("{")) while (cursor.member()) cursor.keyIs("usage") ? readUsage(cursor) : cursor.skip();
 *
 * Every member and item must be skipped, read, or entered and left by asking until there is none. The whole document is
 * checked on the way: what was read counts only if `whole()` says so in the end. Of documents that are too unusual (a key
 * with an escape, more than 64 levels) it says that they are not: they have to be parsed.
 */
export class JsonCursor {
  readonly #body: Buffer;
  #at: number;
  #depth = 0;
  /** The object or array was just entered: no comma is due. */
  #first = false;
  #failed = false;
  #keyStart = 0;
  #keyEnd = 0;

  constructor(body: Buffer) {
    this.#body = body;
    this.#at = skipSpace(body, 0);
  }

  /** The document is JSON, and all of it has been gone through. */
  whole(): boolean {
    return !this.#failed && this.#depth === 0 && skipSpace(this.#body, this.#at) === this.#body.length;
  }

  /** Goes into the object or array that comes next. @returns false, without moving, when something else comes */
  enter(open: "{" | "["): boolean {
    if (this.#body[this.#at] !== open.charCodeAt(0) || this.#failed) return false;
    this.#at += 1;
    this.#depth += 1;
    this.#first = true;
    return true;
  }

  /** Goes to the value of an object's next member. @returns false when there is none: the cursor is past the object */
  member(): boolean {
    if (!this.#next(0x7d)) return false;
    const start = this.#at + 1;
    const end = this.#body[this.#at] === 0x22 ? stringEnd(this.#body, start) : -1;
    const colon = end === -1 ? -1 : skipSpace(this.#body, end);
    if (this.#body[colon] !== 0x3a) return this.#fail();
    this.#keyStart = start;
    this.#keyEnd = end - 1;
    if (this.#keyHasEscape()) return this.#fail();
    this.#at = skipSpace(this.#body, colon + 1);
    return true;
  }

  /** Goes to an array's next item. @returns false when there is none: the cursor is past the array */
  item(): boolean {
    return this.#next(0x5d);
  }

  /** Whether the member's key is this, of ASCII characters. */
  keyIs(name: string): boolean {
    return this.#keyEnd - this.#keyStart === name.length && bytesAre(this.#body, this.#keyStart, name);
  }

  /** Goes past the value. */
  skip(): void {
    this.#first = false;
    const end = this.#failed ? -1 : valueEnd(this.#body, this.#at, maxDepth - this.#depth);
    if (end === -1) this.#fail();
    else this.#at = end;
  }

  /** Goes past the value. @returns whether these characters are its text, as `null` or `"a"` */
  is(ascii: string): boolean {
    const start = this.#at;
    this.skip();
    return this.#at - start === ascii.length && bytesAre(this.#body, start, ascii);
  }

  /** Goes past the value. @returns a count of at most fifteen digits and nothing else, or null */
  count(): number | null {
    const start = this.#at;
    this.skip();
    if (this.#failed || this.#at - start > 15) return null;
    let value = 0;
    for (let i = start; i < this.#at; i++) {
      const digit = (this.#body[i] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) return null;
      value = value * 10 + digit;
    }
    return value;
  }

  /** Goes to the next member's key or the next item; past the closing bracket when there is none. */
  #next(close: number): boolean {
    if (this.#failed) return false;
    let i = skipSpace(this.#body, this.#at);
    const first = this.#first;
    this.#first = false;
    if (this.#body[i] === close) {
      this.#at = i + 1;
      this.#depth -= 1;
      return false;
    }
    if (!first) {
      if (this.#body[i] !== 0x2c) return this.#fail();
      i = skipSpace(this.#body, i + 1);
    }
    this.#at = i;
    return true;
  }

  #keyHasEscape(): boolean {
    for (let i = this.#keyStart; i < this.#keyEnd; i++) if (this.#body[i] === 0x5c) return true;
    return false;
  }

  #fail(): false {
    this.#failed = true;
    return false;
  }
}
