import { isObject } from "../json/value.ts";
import type { MessageTraits } from "../request.ts";

/** Nearly every message has these alone. */
export const usualMembers = ["role", "content"];

class Traits implements MessageTraits {
  readonly members = new Set<string>();
  readonly callMembers = new Set<string>();
  readonly partMembers = new Set<string>();
  longestCallId = 0;
}

/** @returns null where messages hold nothing but texts: nothing is made for these */
export function traitsOf(messages: readonly unknown[]): MessageTraits | null {
  let traits: Traits | null = null;
  for (const message of messages) {
    if (!isObject(message)) continue;
    const { content } = message;
    if (Array.isArray(content)) traits = withParts(traits, content);
    for (const name in message) {
      if (name === "role" || name === "content") continue;
      traits ??= new Traits();
      traits.members.add(name);
      if (name === "tool_call_id") addId(traits, message.tool_call_id);
      else if (name === "tool_calls" && Array.isArray(message.tool_calls)) addCalls(traits, message.tool_calls);
    }
  }
  return traits;
}

/** The same of messages of which only the names of their members are known, since they are plain objects. */
export function traitsOfTexts(members: ReadonlySet<string>): MessageTraits | null {
  if (members.size === 0) return null;
  // An id that stands alone is not known: it may be too long.
  return { members, callMembers: none, partMembers: none, longestCallId: members.has("tool_call_id") ? Infinity : 0 };
}

const none: ReadonlySet<string> = new Set<string>();

function withParts(known: Traits | null, parts: readonly unknown[]): Traits | null {
  let traits = known;
  for (const part of parts) {
    if (!isObject(part)) continue;
    for (const name in part) {
      if (name !== "type" && name !== "text") (traits ??= new Traits()).partMembers.add(name);
    }
  }
  return traits;
}

function addCalls(traits: Traits, calls: readonly unknown[]): void {
  for (const call of calls) {
    if (!isObject(call)) continue;
    addId(traits, call.id);
    for (const name in call) {
      if (name !== "id" && name !== "type" && name !== "function") traits.callMembers.add(name);
    }
  }
}

function addId(traits: Traits, id: unknown): void {
  if (typeof id === "string" && id.length > traits.longestCallId) traits.longestCallId = id.length;
}
