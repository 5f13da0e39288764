import type { CacheMark, HubFile, HubImage, HubPart, HubSource, HubText } from "../hub/request.ts";
import { calledBy, isObject, text, type JsonObject } from "../json/value.ts";
import { callSignature, readSignature } from "./opaque.ts";

/** What goes on beside the parts while a request's content is read. */
export interface ContentNotes {
  /** Which tool a call's id belongs to: a result names only the id. */
  readonly toolNames: Map<string, string>;
  /** What has no place in the hub, once each. */
  readonly left: Set<string>;
}

/** A cache mark, or null. */
export function readCache({ cache_control: mark }: JsonObject): CacheMark | null {
  return isObject(mark) ? { ttl: text(mark.ttl) } : null;
}

/** The parts of a message, or of a tool's result: text, or blocks. */
export function readContent(content: unknown, notes: ContentNotes): HubPart[] {
  if (typeof content === "string") return content === "" ? [] : [plain(content)];
  const parts: HubPart[] = [];
  // A call that another provider signed: its signature comes in a block of its own, just before it.
  let signature: string | null = null;
  for (const block of Array.isArray(content) ? content : []) {
    if (!isObject(block)) continue;
    if (block.type === "redacted_thinking" && callMark(block) !== null) {
      signature = callMark(block);
      continue;
    }
    const read = readBlock(block, notes);
    for (const part of read) {
      if (part.kind === "tool_call" && signature !== null) {
        const { opaque } = readSignature(signature);
        parts.push(opaque === null ? part : { ...part, opaque });
        signature = null;
      } else parts.push(part);
    }
  }
  return parts;
}

function callMark({ data }: JsonObject): string | null {
  return typeof data === "string" && data.startsWith(callSignature) ? data.slice(callSignature.length) : null;
}

function plain(content: string, cache: CacheMark | null = null): HubText {
  return { kind: "text", text: content, cache };
}

function readBlock(block: JsonObject, notes: ContentNotes): readonly HubPart[] {
  const cache = readCache(block);
  switch (block.type) {
    case "text":
      if (Array.isArray(block.citations) && block.citations.length > 0) notes.left.add("citations");
      return [plain(text(block.text) ?? "", cache)];
    case "image":
      return readImage(block, cache);
    case "document":
      return readDocument(block, cache, notes);
    case "search_result":
      notes.left.add("citations of search results");
      return [plain(searchResult(block), cache)];
    case "tool_use":
      return [readToolUse(block, cache, notes)];
    case "tool_result":
      return [readToolResult(block, cache, notes)];
    case "thinking": {
      const { opaque, id } = readSignature(text(block.signature) ?? "");
      return [{ kind: "thought", text: text(block.thinking) ?? "", opaque, redacted: false, id, cache }];
    }
    case "redacted_thinking": {
      const { opaque, id } = readSignature(text(block.data) ?? "");
      return opaque === null ? [] : [{ kind: "thought", text: "", opaque, redacted: true, id, cache }];
    }
    default:
      notes.left.add(`a block of type ${calledBy(block.type)}`);
      return [];
  }
}

function readSource(source: JsonObject): HubSource | null {
  const { url, data, file_id: id, media_type: mediaType } = source;
  if (source.type === "url" && typeof url === "string") return { at: "url", url };
  if (source.type === "file" && typeof id === "string") return { at: "id", id, dialect: "anthropic-messages" };
  if (typeof data !== "string") return null;
  const kind = text(mediaType) ?? "application/octet-stream";
  // Plain text comes as it is, and bytes in base64.
  const bytes = source.type === "text" ? Buffer.from(data).toString("base64") : data;
  return { at: "inline", mediaType: kind, data: bytes };
}

function readImage(block: JsonObject, cache: CacheMark | null): readonly HubImage[] {
  const source = isObject(block.source) ? readSource(block.source) : null;
  return source === null ? [] : [{ kind: "image", source, detail: null, cache }];
}

function readDocument(block: JsonObject, cache: CacheMark | null, notes: ContentNotes): readonly (HubFile | HubPart)[] {
  if (isObject(block.citations) && block.citations.enabled === true) notes.left.add("citations");
  const context = text(block.context);
  const before = context === null ? [] : [plain(context)];
  const title = text(block.title);
  if (isObject(block.source) && block.source.type === "content") {
    const parts = readContent(block.source.content, notes);
    return [...before, ...(title === null ? [] : [plain(title)]), ...marked(parts, cache)];
  }
  const source = isObject(block.source) ? readSource(block.source) : null;
  return source === null ? before : [...before, { kind: "file", source, name: title, cache }];
}

/** A mark covers all before it, so it belongs on the last part. */
function marked(parts: readonly HubPart[], cache: CacheMark | null): readonly HubPart[] {
  return cache === null ? parts : parts.map((part, at) => (at === parts.length - 1 ? { ...part, cache } : part));
}

function searchResult({ title, source, content }: JsonObject): string {
  const texts = (Array.isArray(content) ? content : []).map((part) => (isObject(part) ? (text(part.text) ?? "") : ""));
  return [text(title), text(source), ...texts].filter((part) => part !== null && part !== "").join("\n");
}

function readToolUse(block: JsonObject, cache: CacheMark | null, { toolNames }: ContentNotes): HubPart {
  const id = text(block.id) ?? "";
  const name = text(block.name) ?? "";
  toolNames.set(id, name);
  return { kind: "tool_call", id, name, arguments: JSON.stringify(block.input ?? {}), cache };
}

function readToolResult(block: JsonObject, cache: CacheMark | null, notes: ContentNotes): HubPart {
  const callId = text(block.tool_use_id) ?? "";
  return {
    kind: "tool_result",
    callId,
    name: notes.toolNames.get(callId) ?? null,
    parts: readContent(block.content, notes),
    isError: block.is_error === true,
    cache,
  };
}
