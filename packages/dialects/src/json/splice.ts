import type { Member } from "./top-level.ts";

/** Text to put in place of the bytes from `start` to `end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Makes the edits, which must not overlap. Every other byte stays as it is. @returns `body` itself when there are none */
export function splice(body: Buffer, edits: readonly Edit[]): Buffer {
  if (edits.length === 0) return body;
  const ordered = edits.length === 1 ? edits : edits.toSorted((a, b) => a.start - b.start || a.end - b.end);
  let length = body.length;
  for (const { start, end, text } of ordered) length += Buffer.byteLength(text) - (end - start);
  const spliced = Buffer.allocUnsafe(length);
  let from = 0;
  let to = 0;
  for (const { start, end, text } of ordered) {
    to += body.copy(spliced, to, from, start);
    to += spliced.write(text, to);
    from = end;
  }
  body.copy(spliced, to, from);
  return spliced;
}

/**
 * The edits that set one member of a scanned object. Where the key occurs several times every occurrence is set: parsers
 * differ in which of them counts. Where it does not occur it becomes the first member.
 * @param value what the member shall be, as JSON
 */
export function setMember(
  scanned: { readonly members: readonly Member[]; readonly bodyStart: number },
  key: string,
  value: string,
): Edit[] {
  const edits: Edit[] = [];
  for (const member of scanned.members) {
    if (member.key === key) edits.push({ start: member.start, end: member.end, text: value });
  }
  return edits.length > 0 ? edits : [insertMember(scanned, key, value)];
}

/** The edit that adds a member which the object does not have. */
export function insertMember(
  scanned: { readonly members: readonly Member[]; readonly bodyStart: number },
  key: string,
  value: string,
): Edit {
  const separator = scanned.members.length > 0 ? "," : "";
  const at = scanned.bodyStart;
  return { start: at, end: at, text: `${JSON.stringify(key)}:${value}${separator}` };
}
