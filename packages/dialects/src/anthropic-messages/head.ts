import { isObject, parseJson, type JsonObject } from "../json/value.ts";

/** `other`: one that nothing here writes. */
export type BlockKind = "text" | "thinking" | "tool_use" | "other";

const kinds: ReadonlyMap<unknown, BlockKind> = new Map<unknown, BlockKind>([
  ["text", "text"],
  ["thinking", "thinking"],
  ["tool_use", "tool_use"],
]);

/** What a stream began with, and how far it has come, for another that goes on after it: kept as the `head` of what was sent. */
export class MessageHead {
  /** So that it is a head like that of any other dialect. */
  readonly [member: string]: unknown;
  /** Of `message_start`. */
  readonly message: JsonObject;
  /** The stream's end and its counts come together, with its last event. */
  readonly endsLate: boolean;
  /** Of the block that came last; -1 before the first. */
  index = -1;
  /** What that block is, if it is not closed yet. */
  open: BlockKind | null = null;

  constructor(message: JsonObject, endsLate: boolean) {
    this.message = message;
    this.endsLate = endsLate;
  }
}

/** What a stream of Anthropic's own began with: its `message_start`. */
export function headOf(name: string, data: string): MessageHead | null {
  if (name !== "message_start") return null;
  const event = parseJson(data);
  return isObject(event) && isObject(event.message) ? new MessageHead(event.message, false) : null;
}

/** How it goes on: its blocks are numbered in their order. */
export function follow(head: JsonObject, name: string, data: string): void {
  if (!(head instanceof MessageHead)) return;
  if (name === "content_block_start") {
    const event = parseJson(data);
    const block = isObject(event) ? event.content_block : null;
    head.index++;
    head.open = kinds.get(isObject(block) ? block.type : null) ?? "other";
  } else if (name === "content_block_stop") head.open = null;
}
