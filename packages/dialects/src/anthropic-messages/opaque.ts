import { dialects, type Dialect } from "@tuloy/contract";

import type { Opaque } from "../hub/request.ts";

/**
 * What only another provider can read, in the place where Anthropic's clients keep a signature: they give it back with the next
 * turn as they got it, and so it finds its way to whoever made it. Anthropic would refuse it, so it is never sent there.
 */
const mark = "tuloy:";

/**
 * In front of the signature of a call, in a block of its own before the call: `redacted_thinking`, which clients give back as it
 * is. A call itself has no place for one.
 */
export const callSignature = "tuloy:call:";

/** Its makers sign thoughts alike: signatures from one of them are accepted by the others (https://platform.claude.com/docs/en/build-with-claude/extended-thinking, "Thinking encryption"). */
export function isAnthropics({ dialect }: Opaque): boolean {
  return dialect === "anthropic-messages" || dialect === "bedrock-converse";
}

/** @param opaque null for a thought that nobody signed @param id of the item it belongs to, in dialects that have one */
export function writeSignature(opaque: Opaque | null, id: string | null = null): string {
  if (opaque === null) return mark;
  return isAnthropics(opaque)
    ? opaque.data
    : `${mark}${opaque.dialect}:${id === null ? "" : encodeURIComponent(id)}:${opaque.data}`;
}

export interface Signature {
  readonly opaque: Opaque | null;
  readonly id: string | null;
}

const unsigned: Signature = { opaque: null, id: null };

export function readSignature(signature: string): Signature {
  if (!signature.startsWith(mark))
    return signature === "" ? unsigned : { opaque: { dialect: "anthropic-messages", data: signature }, id: null };
  const [name, id] = signature.slice(mark.length).split(":", 2);
  const dialect = dialects.find((known): known is Dialect => known === name);
  if (dialect === undefined || id === undefined) return unsigned;
  const data = signature.slice(mark.length + dialect.length + id.length + 2);
  return { opaque: { dialect, data }, id: id === "" ? null : decoded(id) };
}

/** Whether Anthropic would refuse it: it is ours, or there is none. */
export function isForeign(signature: string): boolean {
  return signature === "" || signature.startsWith(mark);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
