import { splice } from "../json/splice.ts";
import { scanTopLevel } from "../json/top-level.ts";
import { isObject, parseJson, type JsonObject } from "../json/value.ts";
import { shortCallId } from "../hub/limits.ts";
import type { MessageTraits } from "../request.ts";
import { nothing, type Fitted } from "./body.ts";
import type { Endpoint, MessageWish } from "./preset.ts";

/**
 * The messages of a chat request as an endpoint wants them: a conversation that began elsewhere has members that it refuses and
 * ids that are not its own. Nothing but the messages changes, and those only where one of them must.
 * @param traits undefined: unknown
 * @returns `body` itself where it has no wish or nothing to change
 */
export function messagesFor(
  { messages: wish }: Pick<Endpoint, "messages">,
  body: Buffer,
  traits?: MessageTraits | null,
): Fitted {
  const unchanged = { body, notes: nothing };
  if (wish === undefined || traits === null || (traits !== undefined && !concerns(wish, traits))) return unchanged;
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

/** Whether a wish may have something to do with messages of these traits. They are not parsed again where it has not. */
function concerns(wish: MessageWish, { members, callMembers, partMembers, longestCallId }: MessageTraits): boolean {
  const { without = nothing, callsWithout = nothing, partsWithout = nothing } = wish;
  return (
    longestCallId > (wish.longestCallId ?? Infinity) ||
    (wish.callIdLength !== undefined && (members.has("tool_calls") || members.has("tool_call_id"))) ||
    (wish.reasoningWithCalls === true && members.has("tool_calls")) ||
    without.some((name) => members.has(name)) ||
    callsWithout.some((name) => callMembers.has(name)) ||
    partsWithout.some((name) => partMembers.has(name))
  );
}

class Rewriting {
  readonly #wish: MessageWish;
  readonly #without: ReadonlySet<string>;
  readonly #callsWithout: ReadonlySet<string>;
  readonly #partsWithout: ReadonlySet<string>;
  readonly #leftOut = new Set<string>();
  #renamed = 0;
  #added = 0;

  constructor(wish: MessageWish) {
    this.#wish = wish;
    this.#without = new Set(wish.without);
    this.#callsWithout = new Set(wish.callsWithout);
    this.#partsWithout = new Set(wish.partsWithout);
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
    const rewritten = this.#object(message, this.#without, (key, value) => this.#member(key, value));
    const demanded = this.#wish.reasoningWithCalls === true;
    if (!demanded || !hasCalls(message) || typeof message.reasoning_content === "string") return rewritten;
    this.#added++;
    return { ...rewritten, reasoning_content: "" };
  }

  #object(
    object: JsonObject,
    without: ReadonlySet<string>,
    rewrite: (key: string, value: unknown) => unknown,
  ): JsonObject {
    // Entries, not assignments: `__proto__` is a member like any other.
    return Object.fromEntries(
      Object.entries(object).flatMap(([key, value]) => {
        if (!without.has(key)) return [[key, rewrite(key, value)]];
        this.#leftOut.add(key);
        return [];
      }),
    );
  }

  #member(key: string, value: unknown): unknown {
    if (key === "tool_call_id") return this.#id(value);
    if (!Array.isArray(value)) return value;
    if (key === "tool_calls") {
      return value.map((call: unknown) =>
        isObject(call)
          ? this.#object(call, this.#callsWithout, (name, inner) => (name === "id" ? this.#id(inner) : inner))
          : call,
      );
    }
    if (key !== "content" || this.#partsWithout.size === 0) return value;
    return value.map((part: unknown) =>
      isObject(part) ? this.#object(part, this.#partsWithout, (_, inner) => inner) : part,
    );
  }

  #id(value: unknown): unknown {
    if (typeof value !== "string") return value;
    const id = fittingId(value, this.#wish);
    if (id !== value) this.#renamed++;
    return id;
  }
}

/** @returns the same id where it is of the form that is wanted */
function fittingId(id: string, { callIdLength: length, longestCallId: longest }: MessageWish): string {
  if (length !== undefined) return id.length === length && /^[a-zA-Z0-9]*$/.test(id) ? id : shortId(id, length);
  return longest === undefined ? id : shortCallId(id, longest);
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
