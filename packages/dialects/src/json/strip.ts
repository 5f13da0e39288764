import { splice, type Edit } from "./splice.ts";
import type { Member } from "./top-level.ts";

/** A JSON object's text with the places of its members. */
export interface ScannedObject {
  readonly body: Buffer;
  readonly members: readonly Member[];
  /** Just after the opening brace. */
  readonly bodyStart: number;
}

/**
 * Takes members out of an object, every occurrence of them, with the comma that joined each to the others. All other bytes stay
 * as they are, and the places of what is left are worked out, not searched for again.
 * @returns the object itself when it has none of them
 */
export function stripMembers(object: ScannedObject, strip: (key: string) => boolean): ScannedObject {
  const { body, members, bodyStart } = object;
  const edits: Edit[] = [];
  const kept: Member[] = [];
  let removed = 0;
  for (const [index, member] of members.entries()) {
    const { key, start, end } = member;
    if (!strip(key)) {
      kept.push(removed === 0 ? member : { key, start: start - removed, end: end - removed });
      continue;
    }
    // From the end of the member before; where all before it go too, its own comma goes instead of that one.
    const edit = kept.length > 0 ? { start: members[index - 1]?.end ?? bodyStart, end } : leading(object, index);
    removed += edit.end - edit.start;
    edits.push({ ...edit, text: "" });
  }
  return edits.length === 0 ? object : { body: splice(body, edits), members: kept, bodyStart };
}

/** The range of a member that no kept one precedes: up to its comma, or to its value's end when it is the last. */
function leading({ body, members, bodyStart }: ScannedObject, index: number): { start: number; end: number } {
  const start = index === 0 ? bodyStart : afterComma(body, members[index - 1]?.end ?? bodyStart);
  const end = members[index]?.end ?? start;
  return { start, end: index === members.length - 1 ? end : afterComma(body, end) };
}

/** Between a value's end and its comma there is nothing but white space. */
function afterComma(body: Buffer, valueEnd: number): number {
  return body.indexOf(0x2c, valueEnd) + 1;
}
