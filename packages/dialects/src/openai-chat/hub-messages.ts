import type {
  CacheMark,
  HubMessage,
  HubPart,
  HubSource,
  HubText,
  HubThought,
  HubToolCall,
  HubToolResult,
} from "../hub/request.ts";
import { isObject, text, type JsonObject } from "../json/value.ts";
import { partsText } from "./hub-answer.ts";
import { readCallProof, readReasoningDetail } from "./opaque.ts";
import { Untranslatable } from "./untranslatable.ts";

/** A conversation, with what of it has no place in the hub. */
interface Conversation {
  readonly system: readonly HubText[];
  readonly messages: readonly HubMessage[];
  readonly left: readonly string[];
}

/** Reads the messages of a request. What tools gave back to one turn becomes one message of the user's. */
export function readMessages(messages: readonly unknown[]): Conversation {
  const system: HubText[] = [];
  const read: { role: "user" | "assistant"; parts: HubPart[] }[] = [];
  const left = new Set<string>();
  const names = new Map<string, string>();
  let afterTool = false;
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`;
    if (!isObject(message)) throw new Untranslatable(at, `${at} is no message`);
    const { role } = message;
    if (text(message.name) !== null && role !== "tool") left.add("the name in a message");
    if (role === "tool") {
      const result = toolResult(message, names, at);
      const last = read.at(-1);
      if (afterTool && last !== undefined) last.parts.push(result);
      else read.push({ role: "user", parts: [result] });
      afterTool = true;
      continue;
    }
    afterTool = false;
    if (role === "system" || role === "developer") {
      if (read.length > 0) left.add("the place of a system message");
      system.push(...readParts(message.content, `${at}.content`).filter(isText));
    } else if (role === "user") {
      read.push({ role, parts: readParts(message.content, `${at}.content`) });
    } else if (role === "assistant") {
      read.push({ role, parts: assistantParts(message, names, at) });
    } else {
      const named = text(role)?.slice(0, 40) ?? "none";
      throw new Untranslatable(`${at}.role`, `a message of role ${named} is known to this dialect only`);
    }
  }
  return { system, messages: read, left: [...left] };
}

function isText(part: HubPart): part is HubText {
  return part.kind === "text";
}

function toolResult(message: JsonObject, names: ReadonlyMap<string, string>, at: string): HubToolResult {
  const callId = text(message.tool_call_id) ?? "";
  const parts = readParts(message.content, `${at}.content`);
  const last = parts.at(-1);
  const cache = cacheMark(message.cache_control) ?? last?.cache ?? null;
  return { kind: "tool_result", callId, name: names.get(callId) ?? text(message.name), parts, isError: false, cache };
}

function assistantParts(message: JsonObject, names: Map<string, string>, at: string): HubPart[] {
  const { content, refusal, tool_calls: calls } = message;
  if (isObject(message.function_call))
    throw new Untranslatable(`${at}.function_call`, "function_call is the old form of tool_calls; use tool_calls");
  if (isObject(message.audio)) throw new Untranslatable(`${at}.audio`, "a spoken answer is known to one provider only");
  const parts: HubPart[] = [...thoughts(message), ...readParts(content, `${at}.content`)];
  const said = text(refusal);
  if (said !== null) parts.push({ kind: "refusal", text: said, cache: null });
  for (const [index, call] of (Array.isArray(calls) ? calls : []).entries()) {
    const read = toolCall(call, `${at}.tool_calls[${index}]`);
    names.set(read.id, read.name);
    parts.push(read);
  }
  return parts;
}

/** `reasoning_details` says all that `reasoning` says; without it there is only the text. */
function thoughts(message: JsonObject): HubThought[] {
  const { reasoning_details: details } = message;
  if (Array.isArray(details) && details.length > 0) {
    return details.flatMap((detail) => {
      const read = readReasoningDetail(detail);
      return read === null ? [] : [{ kind: "thought" as const, cache: null, ...read }];
    });
  }
  const said = text(message.reasoning_content) ?? text(message.reasoning);
  return said === null ? [] : [{ kind: "thought", text: said, opaque: null, redacted: false, id: null, cache: null }];
}

function toolCall(call: unknown, at: string): HubToolCall {
  const made = isObject(call) && isObject(call.function) ? call.function : null;
  if (!isObject(call) || made === null)
    throw new Untranslatable(at, "a call that is no function's is known to this dialect only");
  const opaque = readCallProof(call.extra_content);
  return {
    kind: "tool_call",
    id: text(call.id) ?? "",
    name: text(made.name) ?? "",
    arguments: text(made.arguments) ?? "{}",
    cache: null,
    ...(opaque === null ? {} : { opaque }),
  };
}

/** A message's content: a text, parts, or nothing. */
function readParts(content: unknown, at: string): HubPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content, cache: null }];
  if (content === undefined || content === null) return [];
  if (!Array.isArray(content)) throw new Untranslatable(at, `${at} is neither a text nor a list of parts`);
  return content.flatMap((part: unknown, index) => readPart(part, `${at}[${index}]`));
}

function readPart(part: unknown, at: string): HubPart[] {
  if (!isObject(part)) throw new Untranslatable(at, `${at} is no part of a message`);
  const cache = cacheMark(part.cache_control);
  switch (part.type) {
    case "text":
      return text(part.text) === null ? [] : [{ kind: "text", text: text(part.text) ?? "", cache }];
    case "refusal":
      return [{ kind: "refusal", text: text(part.refusal) ?? "", cache }];
    case "image_url": {
      const image = isObject(part.image_url) ? part.image_url : { url: part.image_url };
      return [
        { kind: "image", source: urlSource(text(image.url) ?? "", "image/jpeg"), detail: text(image.detail), cache },
      ];
    }
    case "input_audio": {
      const audio = isObject(part.input_audio) ? part.input_audio : {};
      const format = text(audio.format) ?? "wav";
      return [{ kind: "audio", source: inline(`audio/${format}`, text(audio.data) ?? ""), format, cache }];
    }
    case "file": {
      const file = isObject(part.file) ? part.file : {};
      const id = text(file.file_id);
      const source: HubSource =
        id === null
          ? urlSource(text(file.file_data) ?? "", "application/pdf")
          : { at: "id", id, dialect: "openai-chat" };
      return [{ kind: "file", source, name: text(file.filename), cache }];
    }
    // Mistral's reasoning models answer with such parts, and clients give them back.
    case "thinking":
      return [{ kind: "thought", text: partsText(part.thinking), opaque: null, redacted: false, id: null, cache }];
    default:
      throw new Untranslatable(
        at,
        `a part of type ${text(part.type)?.slice(0, 60) ?? "unknown"} is known to this dialect only`,
      );
  }
}

const dataUrl = /^data:([^;,]*)((?:;[^;,]*)*),/;

/** A `data:` URL holds the bytes themselves. OpenAI takes bare base64 for a file too. */
function urlSource(url: string, usual: string): HubSource {
  const found = dataUrl.exec(url);
  if (found === null) return /^[a-z][a-z0-9+.-]*:/i.test(url) ? { at: "url", url } : inline(usual, url);
  const [head, mediaType, flags = ""] = found;
  const data = url.slice(head.length);
  const encoded = flags.split(";").includes("base64");
  return inline(mediaType || usual, encoded ? data : Buffer.from(unescaped(data)).toString("base64"));
}

function unescaped(data: string): string {
  try {
    return decodeURIComponent(data);
  } catch {
    return data;
  }
}

function inline(mediaType: string, data: string): HubSource {
  return { at: "inline", mediaType, data };
}

/** Clients of gateways mark what a provider may keep as Anthropic's own clients do. */
function cacheMark(mark: unknown): CacheMark | null {
  return isObject(mark) && mark.type === "ephemeral" ? { ttl: text(mark.ttl) } : null;
}
