/** Where a text stops being JSON. Line and column count from 1, columns in characters. */
export interface JsonError {
  readonly line: number;
  readonly column: number;
  /** What is wrong there. Quotes at most one character of the text, so that no prompt ends up in an error message. */
  readonly problem: string;
}

const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// oxlint-disable-next-line eslint/no-control-regex -- JSON forbids exactly these control characters inside strings
const stringSpecial = /["\\\u0000-\u001f]/g;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const whiteSpace = /[ \t\n\r]*/y;

class Problem extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

function found(source: string, at: number): string {
  const codePoint = source.codePointAt(at);
  return codePoint === undefined ? "the text ends" : `there is ${JSON.stringify(String.fromCodePoint(codePoint))}`;
}

function skipSpace(source: string, at: number): number {
  whiteSpace.lastIndex = at;
  whiteSpace.test(source);
  return whiteSpace.lastIndex;
}

function readString(source: string, at: number): number {
  stringSpecial.lastIndex = at + 1;
  for (;;) {
    const special = stringSpecial.exec(source);
    if (special === null) throw new Problem(source.length, "a string is not closed");
    if (special[0] === '"') return stringSpecial.lastIndex;
    if (special[0] !== "\\") {
      throw new Problem(special.index, "a string has a control character that must be escaped");
    }
    escape.lastIndex = special.index;
    if (!escape.test(source)) throw new Problem(special.index, "a string has an escape that JSON does not know");
    stringSpecial.lastIndex = escape.lastIndex;
  }
}

function readValue(source: string, start: number): number {
  const at = skipSpace(source, start);
  const first = source[at];
  if (first === '"') return readString(source, at);
  if (first === "{" || first === "[") return readMembers(source, at, first === "{");
  literal.lastIndex = at;
  if (literal.test(source)) return literal.lastIndex;
  throw new Problem(at, `a value is expected, but ${found(source, at)}`);
}

function readMembers(source: string, open: number, isObject: boolean): number {
  const close = isObject ? "}" : "]";
  let at = skipSpace(source, open + 1);
  if (source[at] === close) return at + 1;
  for (;;) {
    if (isObject) {
      at = skipSpace(source, at);
      if (source[at] !== '"') throw new Problem(at, `a key in double quotes is expected, but ${found(source, at)}`);
      at = skipSpace(source, readString(source, at));
      if (source[at] !== ":") throw new Problem(at, `":" is expected, but ${found(source, at)}`);
      at += 1;
    }
    at = skipSpace(source, readValue(source, at));
    if (source[at] === close) return at + 1;
    if (source[at] !== ",") throw new Problem(at, `"," or "${close}" is expected, but ${found(source, at)}`);
    at += 1;
  }
}

/**
 * Finds where and why a text is not JSON. V8's own messages quote the text and do not always have a position. Recursive:
 * the nesting must have been bounded before.
 */
export function locateJsonError(source: string): JsonError {
  try {
    const end = skipSpace(source, readValue(source, 0));
    if (end < source.length) throw new Problem(end, `nothing more is expected, but ${found(source, end)}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const before = source.slice(0, error.offset);
    const lineStart = before.lastIndexOf("\n") + 1;
    return {
      line: before.split("\n").length,
      column: error.offset - lineStart + 1,
      problem: error.message,
    };
  }
  return { line: 1, column: 1, problem: "the text is not JSON" };
}
