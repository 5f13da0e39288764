const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** A member of the outermost object, as offsets into the scanned bytes. */
export interface Member {
  /** Decoded: `"\u006dodel"` is `model`. */
  readonly key: string;
  /** First byte of the value. */
  readonly start: number;
  /** One past the last byte of the value. */
  readonly end: number;
}

export type TopLevel =
  | {
      readonly kind: "object";
      /** In their order; a key that occurs twice is there twice. */
      readonly members: readonly Member[];
      /** Where the first member would begin: just after the opening brace. */
      readonly bodyStart: number;
    }
  /** Something else than an object, or too broken to tell. */
  | { readonly kind: "not_object" }
  /** More than the allowed number of objects and arrays inside each other; `offset` is where the first one too many opens. */
  | { readonly kind: "too_deep"; readonly offset: number };

/** Short distances are walked: a call of indexOf costs as much as some thirty bytes. */
const walkedBytes = 32;

/**
 * Strings are mostly skipped by indexOf. Where quotes are dense (code and JSON inside a string, every quote escaped) they are
 * walked.
 * @returns the offset of the string's closing quote, or the length when there is none. `start` is just after the opening one
 */
function closingQuote(body: Buffer, start: number): number {
  let i = start;
  while (i < body.length) {
    const walkEnd = Math.min(i + walkedBytes, body.length);
    while (i < walkEnd) {
      const byte = body[i];
      if (byte === quote) return i;
      i += byte === backslash ? 2 : 1;
    }
    const at = body.indexOf(quote, i);
    if (at === -1) return body.length;
    let slashes = at;
    while (slashes > i && body[slashes - 1] === backslash) slashes--;
    if ((at - slashes) % 2 === 0) return at;
    i = at + 1;
  }
  return body.length;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function decodeKey(body: Buffer, start: number, end: number): string {
  const raw = body.toString("utf8", start, end);
  if (!raw.includes("\\")) return raw;
  try {
    const decoded: unknown = JSON.parse(`"${raw}"`);
    return typeof decoded === "string" ? decoded : raw;
  } catch {
    return raw;
  }
}

/**
 * Finds the members of a JSON object in one pass over its bytes, so that a value can be replaced without touching any other
 * byte. It also bounds the nesting before anything recursive sees the text.
 *
 * It does not validate: what it says is right for valid JSON only, which `JSON.parse` decides; for anything else it ends
 * without a throw and in time linear in the length.
 * @param maxDepth how many objects and arrays may be inside each other, the outermost included
 */
export function scanTopLevel(body: Buffer, maxDepth: number): TopLevel {
  const length = body.length;
  let i = 0;
  while (i < length && isSpace(body[i])) i++;
  if (body[i] !== openBrace) return i < length && body[i] === openBracket ? scanDepth(body, i, maxDepth) : notObject;
  const bodyStart = i + 1;
  const members: Member[] = [];
  let depth = 1;
  let key = "";
  /** First byte of the current value, or -1 while no key has been read. */
  let valueStart = -1;
  /** One past the last byte that belongs to the value, white space not counted. */
  let valueEnd = -1;
  for (i = bodyStart; i < length; i++) {
    switch (body[i] ?? 0) {
      case quote: {
        const close = closingQuote(body, i + 1);
        if (depth === 1 && valueStart === -1) key = decodeKey(body, i + 1, close);
        i = close;
        valueEnd = close + 1;
        break;
      }
      case openBrace:
      case openBracket:
        if (++depth > maxDepth) return { kind: "too_deep", offset: i };
        break;
      case closeBrace:
      case closeBracket:
        if (--depth === 0) {
          if (valueStart !== -1) members.push({ key, start: valueStart, end: valueEnd });
          return { kind: "object", members, bodyStart };
        }
        valueEnd = i + 1;
        break;
      case colon:
        if (depth === 1) {
          valueStart = i + 1;
          while (valueStart < length && isSpace(body[valueStart])) valueStart++;
          i = valueStart - 1;
        }
        break;
      case comma:
        if (depth === 1) {
          if (valueStart !== -1) members.push({ key, start: valueStart, end: valueEnd });
          valueStart = -1;
        }
        break;
      case 0x20:
      case 0x0a:
      case 0x0d:
      case 0x09:
        break;
      default:
        valueEnd = i + 1;
    }
  }
  return notObject;
}

const notObject: TopLevel = { kind: "not_object" };

/** An array's nesting has to be bounded too, although it is refused afterwards. */
function scanDepth(body: Buffer, start: number, maxDepth: number): TopLevel {
  let depth = 0;
  for (let i = start; i < body.length; i++) {
    const byte = body[i];
    if (byte === quote) i = closingQuote(body, i + 1);
    else if (byte === openBrace || byte === openBracket) {
      if (++depth > maxDepth) return { kind: "too_deep", offset: i };
    } else if (byte === closeBrace || byte === closeBracket) depth--;
  }
  return notObject;
}
