import { createHash } from "node:crypto";

import { splice } from "../json/splice.ts";
import { stripMembers } from "../json/strip.ts";
import { scanTopLevel, type Member } from "../json/top-level.ts";
import { parseJson } from "../json/value.ts";
import type { BodyWish, Endpoint, UserIdWish } from "./preset.ts";

/** A request's body in a provider's own terms. */
export interface Fitted {
  readonly body: Buffer;
  /** What the provider does not get as it was sent, in words. */
  readonly notes: readonly string[];
}

export const nothing: readonly string[] = [];

/** A body as an endpoint wants it. No byte changes but those of its members. @returns `body` itself where it has no wish */
export function bodyFor({ body: wish }: Pick<Endpoint, "body">, body: Buffer): Fitted {
  if (wish === undefined) return { body, notes: nothing };
  const fitted = withMembers(wish, body);
  return wish.userId === undefined ? fitted : withUserId(wish.userId, fitted);
}

function withMembers({ without = [], saidElsewhere = [], set = {}, rename = {} }: BodyWish, body: Buffer): Fitted {
  const scanned = scanTopLevel(body, Infinity);
  if (scanned.kind !== "object") return { body, notes: nothing };
  const { members, bodyStart } = scanned;
  const renamed = members.filter(({ key }) => Object.hasOwn(rename, key));
  const left = stripMembers(
    { body, members, bodyStart },
    (key) => without.includes(key) || saidElsewhere.includes(key) || Object.hasOwn(rename, key),
  );
  const added = new Map(Object.entries(set).map(([key, value]) => [key, JSON.stringify(value)]));
  for (const { key, start, end } of renamed) added.set(rename[key] ?? key, body.toString("utf8", start, end));
  // What the body has by the name that is wanted counts.
  for (const { key } of left.members) added.delete(key);
  const notes = notesOf(members, { without, rename }, added);
  if (added.size === 0) return { body: left.body, notes };
  // All that is added stands before the first member.
  const text = [...added].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",");
  const separator = left.members.length > 0 ? "," : "";
  return { body: splice(left.body, [{ start: bodyStart, end: bodyStart, text: text + separator }]), notes };
}

function notesOf(
  members: readonly Member[],
  { without, rename }: Required<Pick<BodyWish, "without" | "rename">>,
  added: ReadonlyMap<string, string>,
): readonly string[] {
  const notes = new Set<string>();
  for (const { key } of members) {
    const as = Object.hasOwn(rename, key) ? rename[key] : undefined;
    if (as !== undefined && added.has(as)) notes.add(`${key} was sent as ${as}`);
    else if (as !== undefined || without.includes(key)) notes.add(`${key} was left out: it is not taken there`);
  }
  return notes.size === 0 ? nothing : [...notes];
}

/** An id in another form becomes its digest, so that it still is the same user's. */
function withUserId({ at, longest }: UserIdWish, fitted: Fitted): Fitted {
  const member = memberAt(fitted.body, at);
  const id = member === null ? null : parseJson(fitted.body.toString("utf8", member.start, member.end));
  if (member === null || typeof id !== "string" || (id.length <= longest && /^[a-zA-Z0-9_-]+$/.test(id))) return fitted;
  const digest = createHash("sha256").update(id).digest("hex").slice(0, longest);
  return {
    body: splice(fitted.body, [{ start: member.start, end: member.end, text: JSON.stringify(digest) }]),
    notes: [...fitted.notes, `${at.join(".")} was sent as a digest: only letters, digits, _ and - are taken there`],
  };
}

/** Where a value stands, by the names on the way to it. Of a member that is there twice, the last counts. */
function memberAt(body: Buffer, names: readonly string[]): Member | null {
  let found: Member = { key: "", start: 0, end: body.length };
  for (const name of names) {
    const scanned = scanTopLevel(body.subarray(found.start, found.end), Infinity);
    const member = scanned.kind === "object" ? scanned.members.findLast(({ key }) => key === name) : undefined;
    if (member === undefined) return null;
    found = { key: name, start: found.start + member.start, end: found.start + member.end };
  }
  return found;
}
