import { blankLeftOut, callProofsLeftOut, endTrimmed, refusalAsText } from "../hub/parts.ts";
import type {
  CacheMark,
  HubMessage,
  HubPart,
  HubText,
  HubThought,
  HubToolCall,
  HubToolResult,
} from "../hub/request.ts";
import { isObject, parseJson, type JsonObject } from "../json/value.ts";
import { DocumentNames, documentBlock, imageBlock, isDocument, mediaObstacle } from "./media.ts";
import type { ModelWays } from "./models.ts";
import { redactedBytes } from "./redacted.ts";
import { toolUseId } from "./tool-ids.ts";

interface Message {
  readonly role: "user" | "assistant";
  readonly content: unknown[];
}

/** Writes what was said so far, and remembers what the rest of the request has to know of it. One per request. */
export class MessageWriter {
  readonly #ways: ModelWays;
  readonly #notes: Set<string>;
  readonly #names = new DocumentNames();
  /** Tools that were called or answered in an earlier turn, by name. */
  readonly calledTools = new Set<string>();
  /** The turn that the model is in the middle of began with a call that has no signed thought before it. */
  callsWithoutThought = false;

  constructor(ways: ModelWays, notes: Set<string>) {
    this.#ways = ways;
    this.#notes = notes;
  }

  system(parts: readonly HubText[]): unknown[] {
    const blocks: unknown[] = [];
    for (const { text, cache } of parts) {
      if (text.trim() !== "") blocks.push({ text });
      else if (text !== "") this.#notes.add(blankLeftOut);
      this.#mark(blocks, cache);
    }
    return blocks;
  }

  /** Turns alternate and begin with the user's, as Converse demands: neighbours of one role become one. */
  messages(messages: readonly HubMessage[]): Message[] {
    const written: Message[] = [];
    for (const message of messages) {
      const content = this.#content(message);
      if (content.length === 0) continue;
      const last = written.at(-1);
      if (last?.role === message.role) last.content.push(...content);
      else written.push({ role: message.role, content });
    }
    for (const { role, content } of written) if (role === "user") arrange(content);
    if (written[0]?.role === "assistant") {
      written.unshift({ role: "user", content: [{ text: "…" }] });
      this.#notes.add("a first turn of the user was put before the assistant's");
    }
    this.#trimLast(written.at(-1));
    return written;
  }

  #content({ role, parts }: HubMessage): unknown[] {
    const content: unknown[] = [];
    let signed = false;
    for (const part of parts) {
      if (role === "assistant") {
        signed ||= part.kind === "thought" && this.#gives(part);
        if (part.kind === "tool_call") this.callsWithoutThought = !signed;
      } else if (part.kind !== "tool_result") {
        this.callsWithoutThought = false;
      }
      const block = this.#block(part, role);
      if (block !== null) content.push(block);
      this.#mark(content, part.cache);
    }
    return content;
  }

  #block(part: HubPart, role: "user" | "assistant"): unknown {
    switch (part.kind) {
      case "refusal":
        this.#notes.add(refusalAsText);
        return this.#text(part.text);
      case "text":
        return this.#text(part.text);
      case "thought":
        return this.#thought(part);
      case "tool_call":
        return this.#call(part);
      case "tool_result":
        return this.#result(part);
      case "image":
      case "file":
        return this.#media(part, role);
      case "audio":
        this.#notes.add("audio was left out");
        return null;
    }
  }

  /** "The text field in the ContentBlock object … is blank" is what it says to white space. */
  #text(text: string): unknown {
    if (text.trim() !== "") return { text };
    if (text !== "") this.#notes.add(blankLeftOut);
    return null;
  }

  #media(part: Extract<HubPart, { readonly kind: "image" | "file" }>, role: "user" | "assistant"): unknown {
    if (role === "assistant" || mediaObstacle(part) !== null) {
      this.#notes.add(part.kind === "image" ? "an image was left out" : "a file was left out");
      return null;
    }
    return part.kind === "image" ? imageBlock(part) : documentBlock(part, this.#names);
  }

  /** Only Claude takes thoughts back, and signs them alike wherever it is served; what is redacted only the same API reads. */
  #gives({ opaque, redacted }: HubThought): boolean {
    if (this.#ways.claude === null || opaque === null) return false;
    return opaque.dialect === "bedrock-converse" || (opaque.dialect === "anthropic-messages" && !redacted);
  }

  #thought(thought: HubThought): unknown {
    const { text, opaque, redacted } = thought;
    if (opaque === null || !this.#gives(thought)) {
      this.#notes.add("reasoning of earlier turns was left out");
      return null;
    }
    // What shows nothing but was signed comes back as if it were redacted.
    const bytes = redactedBytes(opaque.data);
    return {
      reasoningContent:
        redacted && bytes !== null ? { redactedContent: bytes } : { reasoningText: { text, signature: opaque.data } },
    };
  }

  #call({ id, name, arguments: written, opaque }: HubToolCall): unknown {
    if (opaque !== undefined) this.#notes.add(callProofsLeftOut);
    this.calledTools.add(name);
    const value = written.trim() === "" ? {} : parseJson(written);
    if (!isObject(value)) this.#notes.add(`the arguments of an earlier call of ${name} are no JSON object`);
    return { toolUse: { toolUseId: toolUseId(id), name, input: isObject(value) ? value : { text: written } } };
  }

  #result({ callId, name, parts, isError }: HubToolResult): unknown {
    if (name !== null) this.calledTools.add(name);
    const content: unknown[] = [];
    for (const part of parts) {
      const block = this.#block(part, "user");
      if (block !== null) content.push(block);
    }
    if (content.length === 0) content.push({ text: "(no output)" });
    const failed = isError && this.#ways.toolStatus;
    if (isError && !failed) this.#notes.add("that a tool failed was left out");
    return { toolResult: { toolUseId: toolUseId(callId), content, ...(failed ? { status: "error" } : {}) } };
  }

  /** A mark stands behind what it is about. There is none before anything was said. */
  #mark(blocks: unknown[], cache: CacheMark | null): void {
    if (cache === null || blocks.length === 0) return;
    const point = cachePoint(cache, this.#ways, this.#notes);
    if (point !== null) blocks.push(point);
  }

  /** A turn that the model is to go on with may not end in white space, and the model writes it again. */
  #trimLast(last: Message | undefined): void {
    if (last?.role !== "assistant") return;
    const block = last.content.at(-1);
    if (!isObject(block) || typeof block.text !== "string") return;
    const text = block.text.trimEnd();
    if (text !== block.text) this.#notes.add(endTrimmed);
    last.content[last.content.length - 1] = { text };
  }
}

export function cachePoint({ ttl }: CacheMark, ways: ModelWays, notes: Set<string>): JsonObject | null {
  if (ways.caches === "none") {
    notes.add("prompt-cache marks were left out");
    return null;
  }
  const told = ttl !== null && ways.cacheTtl;
  if (ttl !== null && ttl !== "5m" && !told) notes.add(`the prompt cache keeps for less than ${ttl}`);
  return { cachePoint: { type: "default", ...(told ? { ttl } : {}) } };
}

/** Results stand before all else in their turn, and a document never without a word. */
function arrange(content: unknown[]): void {
  const results = content.filter(isResult);
  if (results.length > 0 && results.length < content.length && !content.slice(0, results.length).every(isResult)) {
    const rest = content.filter((block) => !isResult(block));
    content.splice(0, content.length, ...results, ...rest);
  }
  if (content.some(isDocument) && !content.some((block) => isObject(block) && "text" in block)) {
    content.push({ text: "(a document)" });
  }
}

function isResult(block: unknown): boolean {
  return isObject(block) && "toolResult" in block;
}
