import { dialects, type Dialect } from "@tuloy/contract";

import type { Opaque } from "../hub/request.ts";

/**
 * What answers of other dialects want back in the next turn (signatures of Anthropic's and Google's models) has one place in
 * this dialect: a reasoning item's `encrypted_content`, which clients keep and send back as it is
 * (https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items). OpenAI's own never begins like this.
 */
const mark = "tuloy.";

/** What a carried text belongs to. */
export type Carrier = "thought" | "redacted" | "call";

export interface Carried {
  readonly opaque: Opaque;
  readonly of: Carrier;
}

const known: ReadonlySet<string> = new Set(dialects);

/** As an `encrypted_content`: this dialect's own as it is. */
export function carry(opaque: Opaque, of: Carrier): string {
  return opaque.dialect === "openai-responses" ? opaque.data : `${mark}${opaque.dialect}.${of}.${opaque.data}`;
}

/** @returns whose an `encrypted_content` is */
export function carried(content: string): Carried {
  const own: Carried = { opaque: { dialect: "openai-responses", data: content }, of: "thought" };
  if (!content.startsWith(mark)) return own;
  const [, dialect = "", of = "", ...rest] = content.split(".");
  if (!isDialect(dialect) || !isCarrier(of)) return own;
  return { opaque: { dialect, data: rest.join(".") }, of };
}

function isDialect(name: string): name is Dialect {
  return known.has(name);
}

function isCarrier(name: string): name is Carrier {
  return name === "thought" || name === "redacted" || name === "call";
}

/** Ids that are made here, for answers that another dialect gave, begin so: nobody keeps anything under them. */
const made = "tuloy_";

/** The id of a response that no server keeps. @param unique letters, digits, `-` and `_` */
export function madeResponseId(unique: string): string {
  return `resp_${made}${unique.replaceAll(/[^\w-]/g, "_")}`;
}

/** The id of the item at a place of such a response. OpenAI takes no ids beyond 64 characters. */
export function madeItemId(prefix: "msg" | "rs" | "fc", responseId: string, index: number): string {
  return `${prefix}_${responseId.replace(/^resp_/, "").slice(0, 48)}_${index}`;
}

/** Whether an id, of a response or an item, was made here. */
export function isMade(id: string): boolean {
  return /^[a-z]+_tuloy_/.test(id);
}

/** A reasoning item that no server of this dialect could read: it was made here, or holds what another dialect's maker wants back. */
export function isForeignReasoning(id: unknown, encrypted: unknown): boolean {
  return typeof encrypted === "string" ? encrypted.startsWith(mark) : typeof id === "string" && isMade(id);
}
