import { mayBeLeftOut, takenAs, type ParameterFacts } from "@tuloy/contract";

import type { Edit } from "../json/splice.ts";
import { stripMembers, type ScannedObject } from "../json/strip.ts";
import type { Member } from "../json/top-level.ts";
import { isObject, parseJson } from "../json/value.ts";

/** Who a body is for. */
export interface ParameterTarget {
  readonly facts: ParameterFacts;
  /**
   * It serves another model than the one that was asked for. Whoever names a model knows what it takes, and is told by its
   * provider; who stands in is not the sender's choice, so what it does not take is left out.
   */
  readonly substitute: boolean;
}

/** What becomes of one parameter. */
type Fate = "kept" | "left_out" | { readonly as: string };

function fateOf(name: string, { facts, substitute }: ParameterTarget, present: readonly string[]): Fate {
  const as = takenAs(facts, name);
  if (as === name) return "kept";
  // The body has both spellings: the one that is taken says it already.
  if (as !== null) return present.includes(as) ? "left_out" : { as };
  const known = facts.refuses.has(name) || (facts.takes !== null && !facts.takes.has(name));
  return mayBeLeftOut(name) && (known || substitute) ? "left_out" : "kept";
}

/** A body in a deployment's own terms: what it does not take is gone from the object, and the edits rename the rest. */
export interface Translated {
  readonly object: ScannedObject;
  readonly edits: readonly Edit[];
}

/** Puts a body's parameters in a deployment's terms. Nothing else of it changes, and nothing at all where every one is taken. */
export function translateParameters(
  object: ScannedObject,
  used: readonly string[],
  target: ParameterTarget,
): Translated {
  const leftOut = new Set<string>();
  const renamed = new Map<string, string>();
  for (const name of used) {
    const fate = fateOf(name, target, used);
    if (fate === "kept") continue;
    if (fate === "left_out" || spelled(object, name, fate.as) === null) leftOut.add(name);
    else renamed.set(name, fate.as);
  }
  const left = leftOut.size === 0 ? object : stripMembers(object, (key) => leftOut.has(key));
  if (renamed.size === 0) return { object: left, edits: [] };
  const edits = left.members.flatMap((member) => {
    const as = renamed.get(member.key);
    return as === undefined ? [] : renaming(left.body, member, as);
  });
  return { object: left, edits };
}

/** What of a request a deployment gets otherwise than it was sent, in words. */
export function translationNotes(
  object: ScannedObject,
  used: readonly string[],
  target: ParameterTarget,
): readonly string[] {
  const notes: string[] = [];
  for (const name of used) {
    const shown = name.slice(0, 60);
    const fate = fateOf(name, target, used);
    if (fate === "kept") continue;
    const written = fate === "left_out" ? null : spelled(object, name, fate.as);
    if (fate === "left_out" || written === null) notes.push(`${shown} was left out: it is not taken there`);
    else if (written.exact) notes.push(`${shown} was sent as ${fate.as}`);
    else notes.push(`${shown} was sent as ${fate.as}, which cannot say all of it`);
  }
  return notes;
}

/** A value in the other spelling, as JSON. */
interface Spelled {
  readonly value: string;
  /** It says all that the original says. */
  readonly exact: boolean;
}

function spelled(object: ScannedObject, name: string, as: string): Spelled | null {
  const member = object.members.findLast(({ key }) => key === name);
  return member === undefined ? null : respell(object.body.toString("utf8", member.start, member.end), as);
}

/** @returns null when the other spelling has no words for it */
function respell(value: string, as: string): Spelled | null {
  if (as === "reasoning") return { value: `{"effort":${value}}`, exact: true };
  if (as !== "reasoning_effort") return { value, exact: true };
  const reasoning = parseJson(value);
  if (!isObject(reasoning)) return null;
  // `exclude` asks for silence about reasoning; who takes only an effort shows none of it.
  const { effort, enabled, exclude: _exclude, ...more } = reasoning;
  const stated = effort ?? (enabled === false ? "none" : null);
  if (typeof stated !== "string") return null;
  return { value: JSON.stringify(stated), exact: Object.values(more).every((rest) => rest === null) };
}

function renaming(body: Buffer, { start, end }: Member, as: string): Edit[] {
  const value = body.toString("utf8", start, end);
  const key = keyOf(body, start);
  const edits: Edit[] = [{ ...key, text: JSON.stringify(as) }];
  const written = respell(value, as)?.value ?? value;
  if (written !== value) edits.push({ start, end, text: written });
  return edits;
}

/** Where the key of a value stands, quotes included. The names that are changed have no quotes in them, escaped or not. */
function keyOf(body: Buffer, valueStart: number): { start: number; end: number } {
  const colon = body.lastIndexOf(0x3a, valueStart - 1);
  const close = body.lastIndexOf(0x22, colon - 1);
  return { start: body.lastIndexOf(0x22, close - 1), end: close + 1 };
}
