import type { ScannedObject } from "./strip.ts";
import type { Member } from "./top-level.ts";
import { bytesAre, skipSpace, stringEnd, valueEnd } from "./scan.ts";
import { isObject, parseJson, type JsonObject } from "./value.ts";

/** A large body, and what of it routing needs. */
export interface LargeBody {
  readonly object: ScannedObject;
  /** Parsed, with `[]` in place of the list of texts. */
  readonly fields: JsonObject;
  /** Names of members of the list's objects, other than the usual ones. */
  readonly unusual: ReadonlySet<string>;
}

/** A member that holds texts: an array of scalars, or of objects of scalars. Nobody may need the texts. */
export interface TextList {
  readonly member: string;
  /** What its objects mostly have, by ASCII names: nobody needs to be told of these. */
  readonly usual: readonly string[];
}

/**
 * Reads a large body without making strings of its texts, which for a megabyte costs as much as everything else that
 * is done with the request, most of it in collecting the garbage.
 * @param maxDepth how many objects and arrays may be inside each other, the outermost included
 * @returns null for anything else, and for what is no JSON: it has to be parsed
 */
export function readLargeBody(body: Buffer, { member: list, usual }: TextList, maxDepth: number): LargeBody | null {
  const open = skipSpace(body, 0);
  if (body[open] !== 0x7b) return null;
  const members: Member[] = [];
  const unusual = new Set<string>();
  let texts: Member | null = null;
  let at = skipSpace(body, open + 1);
  for (;;) {
    const keyEnd = body[at] === 0x22 ? stringEnd(body, at + 1) : -1;
    const colon = keyEnd === -1 ? -1 : skipSpace(body, keyEnd);
    if (body[colon] !== 0x3a) return null;
    const key = body.toString("utf8", at + 1, keyEnd - 1);
    if (key.includes("\\") || (key === list && texts !== null)) return null;
    const start = skipSpace(body, colon + 1);
    const end = key === list ? textsEnd(body, start, usual, unusual) : valueEnd(body, start, maxDepth - 1);
    if (end === -1) return null;
    const member = { key, start, end };
    members.push(member);
    if (key === list) texts = member;
    at = skipSpace(body, end);
    if (body[at] === 0x7d) break;
    if (body[at] !== 0x2c) return null;
    at = skipSpace(body, at + 1);
  }
  if (skipSpace(body, at + 1) !== body.length || texts === null || body[texts.start] !== 0x5b) return null;
  const fields = parseJson(`${body.toString("utf8", open, texts.start)}[]${body.toString("utf8", texts.end, at + 1)}`);
  return isObject(fields) ? { object: { body, members, bodyStart: open + 1 }, fields, unusual } : null;
}

/** Where a list of texts ends, or -1 when it is none. The names that are not usual are added to `unusual`. */
function textsEnd(body: Buffer, at: number, usual: readonly string[], unusual: Set<string>): number {
  if (body[at] !== 0x5b) return -1;
  let i = skipSpace(body, at + 1);
  if (body[i] === 0x5d) return i + 1;
  for (;;) {
    i = body[i] === 0x7b ? textEnd(body, i, usual, unusual) : valueEnd(body, i, 0);
    if (i === -1) return -1;
    i = skipSpace(body, i);
    if (body[i] === 0x5d) return i + 1;
    if (body[i] !== 0x2c) return -1;
    i = skipSpace(body, i + 1);
  }
}

/** The same for one of its objects. */
function textEnd(body: Buffer, at: number, usual: readonly string[], unusual: Set<string>): number {
  let i = skipSpace(body, at + 1);
  if (body[i] === 0x7d) return i + 1;
  for (;;) {
    const start = i + 1;
    i = body[i] === 0x22 ? stringEnd(body, start) : -1;
    if (i === -1) return -1;
    if (!isOneOf(usual, body, start, i - 1)) {
      const name = body.toString("utf8", start, i - 1);
      if (name.includes("\\")) return -1;
      unusual.add(name);
    }
    i = skipSpace(body, i);
    if (body[i] !== 0x3a) return -1;
    i = valueEnd(body, skipSpace(body, i + 1), 0);
    if (i === -1) return -1;
    i = skipSpace(body, i);
    if (body[i] === 0x7d) return i + 1;
    if (body[i] !== 0x2c) return -1;
    i = skipSpace(body, i + 1);
  }
}

function isOneOf(names: readonly string[], body: Buffer, start: number, end: number): boolean {
  for (const name of names) if (name.length === end - start && bytesAre(body, start, name)) return true;
  return false;
}
