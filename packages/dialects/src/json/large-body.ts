import type { ScannedObject } from "./strip.ts";
import type { Member } from "./top-level.ts";
import { skipSpace, stringEnd, valueEnd } from "./scan.ts";
import { isObject, parseJson, type JsonObject } from "./value.ts";

/** A large body, and what of it routing needs. */
export interface LargeBody {
  readonly object: ScannedObject;
  /** Parsed, with `[]` in place of the list of texts. */
  readonly fields: JsonObject;
}

/**
 * Reads a large body without making strings of its texts, which for a megabyte costs as much as everything else that
 * is done with the request, most of it in collecting the garbage.
 * @param list the member that holds the texts: an array of scalars, or of objects of scalars. Nobody may need its content
 * @param maxDepth how many objects and arrays may be inside each other, the outermost included
 * @returns null for anything else, and for what is no JSON: it has to be parsed
 */
export function readLargeBody(body: Buffer, list: string, maxDepth: number): LargeBody | null {
  const open = skipSpace(body, 0);
  if (body[open] !== 0x7b) return null;
  const members: Member[] = [];
  let texts: Member | null = null;
  let at = skipSpace(body, open + 1);
  for (;;) {
    const keyEnd = body[at] === 0x22 ? stringEnd(body, at + 1) : -1;
    const colon = keyEnd === -1 ? -1 : skipSpace(body, keyEnd);
    if (body[colon] !== 0x3a) return null;
    const key = body.toString("utf8", at + 1, keyEnd - 1);
    if (key.includes("\\") || (key === list && texts !== null)) return null;
    const start = skipSpace(body, colon + 1);
    const end = valueEnd(body, start, key === list ? 2 : maxDepth - 1);
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
  return isObject(fields) ? { object: { body, members, bodyStart: open + 1 }, fields } : null;
}
