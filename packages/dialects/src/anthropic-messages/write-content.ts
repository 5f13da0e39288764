import { blankLeftOut, callProofsLeftOut, endTrimmed, findInParts, refusalAsText } from "../hub/parts.ts";
import type {
  CacheMark,
  HubFile,
  HubImage,
  HubMessage,
  HubPart,
  HubRequest,
  HubSource,
  HubThought,
  HubToolCall,
  HubToolResult,
} from "../hub/request.ts";
import { isObject, parseJson, type JsonObject } from "../json/value.ts";
import { isAnthropics, isForeign } from "./opaque.ts";
import { toolUseId } from "./tool-ids.ts";

/** Gets what was left out, in words, once each. */
export type Notes = Set<string>;

/** `cache_control` of a block, as members. */
export function cacheMembers(cache: CacheMark | null): JsonObject {
  if (cache === null) return {};
  return { cache_control: cache.ttl === null ? { type: "ephemeral" } : { type: "ephemeral", ttl: cache.ttl } };
}

/**
 * The messages of a conversation. Neighbours of one role become one message, since all results of a turn's calls must stand
 * together and first (https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls).
 */
export function writeMessages(messages: readonly HubMessage[], notes: Notes): readonly JsonObject[] {
  const written: { readonly role: string; readonly content: JsonObject[] }[] = [];
  for (const { role, parts } of messages) {
    const blocks = parts.flatMap((part) => writePart(part, notes));
    if (blocks.length === 0) continue;
    const last = written.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else written.push({ role, content: blocks });
  }
  if (written[0]?.role !== "user") {
    notes.add("a user message was put first: a conversation here begins with one");
    written.unshift({ role: "user", content: [{ type: "text", text: "." }] });
  }
  const last = written.at(-1);
  if (last?.role === "assistant") trimEnd(last.content, notes);
  return written.map(({ role, content }) => ({ role, content: role === "user" ? resultsFirst(content) : content }));
}

function resultsFirst(blocks: readonly JsonObject[]): readonly JsonObject[] {
  const results = blocks.filter(({ type }) => type === "tool_result");
  return results.length === 0 ? blocks : [...results, ...blocks.filter(({ type }) => type !== "tool_result")];
}

/** A conversation that ends with the assistant's own words must not end with white space: that is answered with 400. */
function trimEnd(blocks: JsonObject[], notes: Notes): void {
  const last = blocks.at(-1);
  if (last?.type !== "text" || typeof last.text !== "string") return;
  const text = last.text.trimEnd();
  if (text !== last.text) notes.add(endTrimmed);
  blocks.splice(-1, 1, { ...last, text });
}

/** Empty text, and text of nothing but white space, is answered with 400. */
export function textBlocks(text: string, cache: CacheMark | null, notes: Notes): readonly JsonObject[] {
  if (text.trim() !== "") return [{ type: "text", text, ...cacheMembers(cache) }];
  if (text !== "") notes.add(blankLeftOut);
  return [];
}

function writePart(part: HubPart, notes: Notes): readonly JsonObject[] {
  switch (part.kind) {
    case "refusal":
      notes.add(refusalAsText);
      return textBlocks(part.text, part.cache, notes);
    case "text":
      return textBlocks(part.text, part.cache, notes);
    case "image":
      return [writeImage(part, notes)];
    case "file":
      return [writeFile(part, notes)];
    case "audio":
      notes.add("audio was left out: it is not taken there");
      return [gap("A sound")];
    case "tool_call":
      return [writeToolCall(part, notes)];
    case "tool_result":
      return [writeToolResult(part, notes)];
    case "thought":
      return writeThought(part, notes);
  }
}

/** What of a conversation's content Anthropic takes from nobody, in words that go on "the dialect"; null: nothing. */
export function contentObstacle({ messages }: HubRequest): string | null {
  return findInParts(messages, (part) => {
    if (part.kind !== "file" || part.source.at !== "inline") return null;
    const { mediaType } = part.source;
    return inlineDocument(mediaType, "") === null ? `takes no files of type ${mediaType.slice(0, 60)}` : null;
  });
}

/** In place of what can't be sent, so that the model does not make up what it never saw. */
function gap(what: string): JsonObject {
  return { type: "text", text: `[${what} that stood here could not be passed on.]` };
}

function urlOrFile(source: HubSource): JsonObject | null {
  if (source.at === "url") return { type: "url", url: source.url };
  return source.at === "id" && source.dialect === "anthropic-messages" ? { type: "file", file_id: source.id } : null;
}

function writeImage({ source, cache }: HubImage, notes: Notes): JsonObject {
  const written =
    source.at === "inline"
      ? { type: "base64", media_type: imageType(source.mediaType), data: source.data }
      : urlOrFile(source);
  if (written !== null) return { type: "image", source: written, ...cacheMembers(cache) };
  notes.add("an image was left out: it is kept at another provider");
  return gap("An image");
}

/** Many write `image/jpg`, which others take and Anthropic answers with 400. */
function imageType(mediaType: string): string {
  return mediaType.toLowerCase() === "image/jpg" ? "image/jpeg" : mediaType;
}

/** PDF as bytes or by address, and plain text, is all that it reads (https://platform.claude.com/docs/en/build-with-claude/pdf-support). */
function writeFile({ source, name, cache }: HubFile, notes: Notes): JsonObject {
  const written = source.at === "inline" ? inlineDocument(source.mediaType, source.data) : urlOrFile(source);
  if (written !== null) {
    return { type: "document", source: written, ...(name === null ? {} : { title: name }), ...cacheMembers(cache) };
  }
  const kind = source.at === "inline" ? `it is ${source.mediaType.slice(0, 60)}` : "it is kept at another provider";
  notes.add(`a file was left out: ${kind}`);
  return gap("A file");
}

function inlineDocument(mediaType: string, data: string): JsonObject | null {
  if (mediaType === "application/pdf") return { type: "base64", media_type: mediaType, data };
  return mediaType.startsWith("text/")
    ? { type: "text", media_type: "text/plain", data: Buffer.from(data, "base64").toString("utf8") }
    : null;
}

function writeToolCall({ id, name, arguments: json, cache, opaque }: HubToolCall, notes: Notes): JsonObject {
  if (opaque !== undefined) notes.add(callProofsLeftOut);
  const input = json.trim() === "" ? {} : parseJson(json);
  if (!isObject(input)) notes.add("arguments of an earlier call were left out: they are no JSON object");
  return {
    type: "tool_use",
    id: toolUseId(id),
    name,
    input: isObject(input) ? input : {},
    ...cacheMembers(cache),
  };
}

function writeToolResult({ callId, parts, isError, cache }: HubToolResult, notes: Notes): JsonObject {
  const content = parts.flatMap((part) => writePart(part, notes));
  return {
    type: "tool_result",
    tool_use_id: toolUseId(callId),
    ...(content.length === 0 ? {} : { content }),
    ...(isError ? { is_error: true } : {}),
    ...cacheMembers(cache),
  };
}

/** A thought that is not signed by its maker is refused, and one that is passed off as text is taken for an attempt to extract thoughts. */
function writeThought({ text, opaque, redacted }: HubThought, notes: Notes): readonly JsonObject[] {
  // What Bedrock keeps to itself is marked as its own: only Bedrock reads that.
  if (opaque === null || !isAnthropics(opaque) || isForeign(opaque.data)) {
    notes.add("reasoning of earlier turns was left out: it is not signed for this provider");
    return [];
  }
  return redacted
    ? [{ type: "redacted_thinking", data: opaque.data }]
    : [{ type: "thinking", thinking: text, signature: opaque.data }];
}
