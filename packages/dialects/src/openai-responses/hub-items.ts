import type { HubMessage, HubPart, HubSource, HubText, Opaque } from "../hub/request.ts";
import { isObject, text, type JsonObject } from "../json/value.ts";
import { carried } from "./carried.ts";

/** Makes a conversation's messages from items: neighbours of one role become one message. */
export class HubItems {
  readonly system: HubText[] = [];
  readonly messages: HubMessage[] = [];
  readonly #names = new Map<string, string>();
  #parts: HubPart[] | null = null;
  #role: HubMessage["role"] = "user";
  /** For the call that comes next. */
  #proof: Opaque | null = null;

  user(parts: readonly HubPart[]): void {
    this.#say("user", parts);
  }

  /** @param at where it stands: `input[3]` */
  add(item: JsonObject, at: string, left: string[]): void {
    switch (text(item.type) ?? "message") {
      case "message":
        return this.#message(item, at, left);
      case "function_call":
        return this.#call(item);
      case "function_call_output":
        return this.#result(item, at, left);
      case "reasoning":
        return this.#reasoning(item);
      // Whatever else there is was refused before.
    }
  }

  #message({ role, content }: JsonObject, at: string, left: string[]): void {
    const parts = readContent(content, `${at}.content`, left);
    if (role === "system" || role === "developer") {
      // One in the middle has no place of its own elsewhere.
      if (this.messages.length > 0) left.push(`${at} (moved to the beginning, as all instructions)`);
      for (const part of parts) if (part.kind === "text") this.system.push(part);
      return;
    }
    this.#say(role === "assistant" ? "assistant" : "user", parts);
  }

  #call(item: JsonObject): void {
    const id = text(item.call_id) ?? text(item.id) ?? "";
    const name = text(item.name) ?? "";
    this.#names.set(id, name);
    const proof = this.#proof;
    this.#proof = null;
    this.#say("assistant", [
      {
        kind: "tool_call",
        id,
        name,
        arguments: text(item.arguments) ?? "{}",
        cache: null,
        ...(proof === null ? {} : { opaque: proof }),
      },
    ]);
  }

  #result(item: JsonObject, at: string, left: string[]): void {
    const callId = text(item.call_id) ?? "";
    this.#say("user", [
      {
        kind: "tool_result",
        callId,
        name: this.#names.get(callId) ?? null,
        parts: readContent(item.output, `${at}.output`, left),
        isError: false,
        cache: null,
      },
    ]);
  }

  #reasoning(item: JsonObject): void {
    const shown = summaryText(item);
    const encrypted = text(item.encrypted_content);
    const kept = encrypted === null ? null : carried(encrypted);
    if (kept?.of === "call") {
      this.#proof = kept.opaque;
      return;
    }
    this.#say("assistant", [
      {
        kind: "thought",
        text: shown,
        opaque: kept?.opaque ?? null,
        redacted: kept?.of === "redacted",
        id: text(item.id),
        cache: null,
      },
    ]);
  }

  #say(role: HubMessage["role"], parts: readonly HubPart[]): void {
    if (this.#parts === null || this.#role !== role) {
      this.#parts = [];
      this.#role = role;
      this.messages.push({ role, parts: this.#parts });
    }
    this.#parts.push(...parts);
  }
}

/** What a reasoning item shows: its summary, else the reasoning itself, which open models show. */
export function summaryText({ summary, content }: JsonObject): string {
  const said = textsOf(summary);
  return said === "" ? textsOf(content) : said;
}

/** Stands between the parts of a summary, where they become one text. */
export const summaryBreak = "\n\n";

function textsOf(parts: unknown): string {
  if (!Array.isArray(parts)) return "";
  return parts
    .filter(isObject)
    .map((part) => text(part.text) ?? "")
    .join(summaryBreak);
}

function readContent(content: unknown, at: string, left: string[]): readonly HubPart[] {
  if (typeof content === "string") return [{ kind: "text", text: content, cache: null }];
  if (!Array.isArray(content)) return [];
  return content.flatMap((part, index): readonly HubPart[] => {
    const read = isObject(part) ? readPart(part) : null;
    if (read === null) left.push(`${at}[${index}]`);
    return read === null ? [] : [read];
  });
}

function readPart(part: JsonObject): HubPart | null {
  switch (part.type) {
    case "input_text":
    case "output_text":
    case "text":
      return typeof part.text === "string" ? { kind: "text", text: part.text, cache: null } : null;
    case "refusal":
      return typeof part.refusal === "string" ? { kind: "refusal", text: part.refusal, cache: null } : null;
    case "input_image": {
      const source = sourceOf(part.image_url, part.file_id);
      return source === null ? null : { kind: "image", source, detail: text(part.detail), cache: null };
    }
    case "input_file": {
      const source = fileSource(part);
      return source === null ? null : { kind: "file", source, name: text(part.filename), cache: null };
    }
    case "input_audio": {
      const audio = isObject(part.input_audio) ? part.input_audio : part;
      const data = text(audio.data);
      const format = text(audio.format) ?? "wav";
      return data === null
        ? null
        : { kind: "audio", source: { at: "inline", mediaType: `audio/${format}`, data }, format, cache: null };
    }
    default:
      return null;
  }
}

function fileSource({ file_data: data, file_url: url, file_id: id, filename }: JsonObject): HubSource | null {
  const bytes = text(data);
  if (bytes === null) return sourceOf(url, id);
  const inline = inlineSource(bytes);
  if (inline !== null) return inline;
  const mediaType = text(filename)?.toLowerCase().endsWith(".txt") === true ? "text/plain" : "application/pdf";
  return { at: "inline", mediaType, data: bytes };
}

function sourceOf(url: unknown, id: unknown): HubSource | null {
  const address = text(url);
  if (address !== null) return inlineSource(address) ?? { at: "url", url: address };
  const file = text(id);
  return file === null ? null : { at: "id", id: file, dialect: "openai-responses" };
}

/** The bytes of a `data:` address; null when it is none. */
function inlineSource(address: string): HubSource | null {
  if (!address.startsWith("data:")) return null;
  const comma = address.indexOf(",");
  if (comma === -1) return null;
  const [mediaType = "", ...rest] = address.slice(5, comma).split(";");
  const data = address.slice(comma + 1);
  return {
    at: "inline",
    mediaType: mediaType === "" ? "text/plain" : mediaType,
    data: rest.includes("base64") ? data : Buffer.from(decoded(data)).toString("base64"),
  };
}

function decoded(percentEncoded: string): string {
  try {
    return decodeURIComponent(percentEncoded);
  } catch {
    return percentEncoded;
  }
}
