import { splice } from "../json/splice.ts";
import { scanTopLevel } from "../json/top-level.ts";
import { isObject, parseJson, type JsonObject } from "../json/value.ts";
import type { Endpoint, MessageWish } from "./preset.ts";

/** A chat request's body in a provider's own terms. */
export interface RewrittenMessages {
  readonly body: Buffer;
  /** What the provider does not get as it was sent, in words. */
  readonly notes: readonly string[];
}

const nothing: readonly string[] = [];

/**
 * The messages of a chat request as an endpoint wants them: a conversation that began elsewhere has members that it refuses and
 * ids that are not its own. Nothing but the messages changes, and those only where one of them must.
 * @returns `body` itself where it has no wish or nothing to change
 */
export function messagesFor({ messages: wish }: Endpoint, body: Buffer): RewrittenMessages {
  const unchanged = { body, notes: nothing };
  if (wish === undefined) return unchanged;
  const scanned = scanTopLevel(body, Infinity);
  // Of a member that is there twice, the last counts at every server that is known, and only that one is read here.
  const member = scanned.kind === "object" ? scanned.members.findLast(({ key }) => key === "messages") : undefined;
  if (member === undefined) return unchanged;
  const sent = parseJson(body.toString("utf8", member.start, member.end));
  if (!Array.isArray(sent)) return unchanged;
  const rewriting = new Rewriting(wish);
  const written = sent.map((message: unknown) => (isObject(message) ? rewriting.message(message) : message));
  if (!rewriting.changed) return unchanged;
  const text = JSON.stringify(written);
  return { body: splice(body, [{ start: member.start, end: member.end, text }]), notes: rewriting.notes() };
}

class Rewriting {
  readonly #without: ReadonlySet<string>;
  readonly #callsWithout: ReadonlySet<string>;
  readonly #idLength: number | null;
  readonly #reasons: boolean;
  readonly #leftOut = new Set<string>();
  #renamed = 0;
  #added = 0;

  constructor({ without = nothing, callsWithout = nothing, callIdLength, reasoningWithCalls }: MessageWish) {
    this.#without = new Set(without);
    this.#callsWithout = new Set(callsWithout);
    this.#idLength = callIdLength ?? null;
    this.#reasons = reasoningWithCalls === true;
  }

  get changed(): boolean {
    return this.#leftOut.size > 0 || this.#renamed > 0 || this.#added > 0;
  }

  notes(): readonly string[] {
    const notes = [...this.#leftOut].map((name) => `${name} of messages was left out: it is not taken there`);
    if (this.#renamed > 0) notes.push("ids of tool calls were replaced: they are not of the form that is taken there");
    if (this.#added > 0)
      notes.push("an empty reasoning_content was added to messages with calls: it is demanded there");
    return notes;
  }

  message(message: JsonObject): JsonObject {
    const rewritten = this.#ofMembers(message);
    if (!this.#reasons || !hasCalls(message) || typeof message.reasoning_content === "string") return rewritten;
    this.#added++;
    return { ...rewritten, reasoning_content: "" };
  }

  #ofMembers(message: JsonObject): JsonObject {
    // Entries, not assignments: `__proto__` is a member like any other.
    return Object.fromEntries(
      Object.entries(message).flatMap(([key, value]) => {
        if (this.#without.has(key)) {
          this.#leftOut.add(key);
          return [];
        }
        return [[key, this.#member(key, value)]];
      }),
    );
  }

  #member(key: string, value: unknown): unknown {
    if (key === "tool_call_id") return this.#id(value);
    if (key !== "tool_calls" || !Array.isArray(value)) return value;
    return value.map((call: unknown) => (isObject(call) ? this.#call(call) : call));
  }

  #call(call: JsonObject): JsonObject {
    return Object.fromEntries(
      Object.entries(call).flatMap(([key, value]) => {
        if (this.#callsWithout.has(key)) {
          this.#leftOut.add(key);
          return [];
        }
        return [[key, key === "id" ? this.#id(value) : value]];
      }),
    );
  }

  #id(value: unknown): unknown {
    const length = this.#idLength;
    if (length === null) return value;
    if (typeof value !== "string" || (value.length === length && /^[a-zA-Z0-9]*$/.test(value))) return value;
    this.#renamed++;
    return shortId(value, length);
  }
}

function hasCalls({ role, tool_calls: calls }: JsonObject): boolean {
  return role === "assistant" && Array.isArray(calls) && calls.length > 0;
}

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * The same id for the same text, in every request and at every gateway: FNV-1a over 64 bits (Fowler, Noll, Vo), in base 62. Nine
 * digits tell 62⁹ apart, so two calls of one conversation practically never get the same.
 */
function shortId(id: string, length: number): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(id)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  let text = "";
  for (let at = 0; at < length; at++) {
    text += digits[Number(hash % 62n)] ?? "0";
    hash /= 62n;
  }
  return text;
}
