import { findInParts } from "../hub/parts.ts";
import type {
  HubFile,
  HubMessage,
  HubPart,
  HubRequest,
  HubSource,
  HubThought,
  HubToolCall,
  HubToolResult,
} from "../hub/request.ts";
import { shortCallId } from "../hub/limits.ts";
import { writeCallProof, writeReasoningDetail } from "./opaque.ts";

/** OpenAI refuses a longer id of a call: "Expected a string with maximum length 40". */
const longestCallId = 40;

type Written = Record<string, unknown>;

/** What of earlier turns a deployment wants back besides what was said. */
export interface WantedBack {
  /** Reasoning as `reasoning_content`, in messages with calls. */
  readonly reasoning: boolean;
  /** Reasoning as `reasoning_details`, where it is signed. */
  readonly details: boolean;
  /** A call's proof that Google's models made it. */
  readonly proofs: boolean;
}

/** The messages of a request. A turn's tool results come first, each a message of its own, as they must follow the calls. */
export function writeMessages({ system, messages }: HubRequest, wanted: WantedBack, notes: string[]): Written[] {
  const written: Written[] = [];
  if (system.length > 0) written.push({ role: "system", content: joined(system.map(({ text }) => text)) });
  for (const message of messages) {
    if (message.role === "assistant") written.push(assistant(message, wanted, notes));
    else written.push(...user(message));
  }
  return written;
}

/**
 * Texts that stand side by side are one text: several servers (DeepSeek, older llama.cpp) take no list of parts, and no model
 * sees the seam.
 */
function joined(texts: readonly string[]): string {
  return texts.join("\n\n");
}

function user({ parts }: HubMessage): Written[] {
  const results = parts.filter((part) => part.kind === "tool_result");
  const written = results.map((result) => ({
    role: "tool",
    tool_call_id: shortCallId(result.callId, longestCallId),
    content: resultText(result),
  }));
  // A tool message holds text only: what else a tool gave back follows as the user's.
  const shown = results.flatMap((result) => result.parts.filter((part) => part.kind !== "text"));
  const said = [...shown, ...parts.filter((part) => part.kind !== "tool_result")];
  return said.length === 0 && results.length > 0 ? written : [...written, { role: "user", content: content(said) }];
}

function resultText({ parts, isError }: HubToolResult): string {
  const text = joined(parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])));
  const shown = parts.some((part) => part.kind !== "text");
  const said = text === "" && shown ? "The result is in the next message." : text;
  return isError && !/^error\b/i.test(said) ? `Error: ${said}` : said;
}

function content(parts: readonly HubPart[]): unknown {
  const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []));
  return texts.length === parts.length ? joined(texts) : parts.flatMap(writePart);
}

function writePart(part: HubPart): Written[] {
  switch (part.kind) {
    case "text":
      return [{ type: "text", text: part.text }];
    case "image":
      return [
        {
          type: "image_url",
          image_url: { url: urlOf(part.source), ...(part.detail === null ? {} : { detail: part.detail }) },
        },
      ];
    case "audio":
      return [{ type: "input_audio", input_audio: { data: dataOf(part.source), format: part.format } }];
    case "file":
      return [writeFile(part)];
    case "thought":
    case "refusal":
    case "tool_call":
    case "tool_result":
      return [];
  }
}

/** A document of text is its text: as a file, only PDF is taken. */
function writeFile({ source, name }: HubFile): Written {
  if (source.at === "id") return { type: "file", file: { file_id: source.id } };
  if (source.at === "inline" && source.mediaType.startsWith("text/")) {
    const text = Buffer.from(source.data, "base64").toString("utf8");
    return { type: "text", text: name === null ? text : `${name}:\n\n${text}` };
  }
  return { type: "file", file: { file_data: urlOf(source), filename: name ?? "document.pdf" } };
}

function urlOf(source: HubSource): string {
  return source.at === "url"
    ? source.url
    : source.at === "inline"
      ? `data:${source.mediaType};base64,${source.data}`
      : "";
}

function dataOf(source: HubSource): string {
  return source.at === "inline" ? source.data : "";
}

function assistant({ parts }: HubMessage, wanted: WantedBack, notes: string[]): Written {
  const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []));
  const refusals = parts.flatMap((part) => (part.kind === "refusal" ? [part.text] : []));
  const calls = parts.filter((part) => part.kind === "tool_call");
  const thoughts = parts.filter((part) => part.kind === "thought");
  const reasons = wanted.reasoning && calls.length > 0 && thoughts.length > 0;
  const details = wanted.details ? writeDetails(thoughts) : [];
  if (!reasons && thoughts.length > details.length)
    note(notes, "earlier reasoning was left out: it is not taken back there");
  if (!wanted.proofs && calls.some(({ opaque }) => (opaque ?? null) !== null))
    note(notes, "signatures of earlier calls were left out: they are for the model that made them");
  return {
    role: "assistant",
    content: texts.length === 0 ? null : joined(texts),
    ...(refusals.length === 0 ? {} : { refusal: joined(refusals) }),
    ...(reasons ? { reasoning_content: joined(thoughts.map(({ text }) => text)) } : {}),
    ...(details.length === 0 ? {} : { reasoning_details: details }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => writeCall(call, wanted)) }),
  };
}

/** Those that somebody signed whom OpenRouter has a name for. */
function writeDetails(thoughts: readonly HubThought[]): Written[] {
  const details: Written[] = [];
  for (const { text, opaque, redacted, id } of thoughts) {
    if (opaque === null || opaque.dialect === "bedrock-converse") continue;
    const detail = writeReasoningDetail({ text, opaque, redacted, id }, details.length);
    if (detail !== null) details.push(detail);
  }
  return details;
}

function writeCall({ id, name, arguments: json, opaque }: HubToolCall, { proofs }: WantedBack): Written {
  return {
    id: shortCallId(id, longestCallId),
    type: "function",
    function: { name, arguments: json },
    ...(proofs ? writeCallProof(opaque ?? null) : {}),
  };
}

function note(notes: string[], words: string): void {
  if (!notes.includes(words)) notes.push(words);
}

/** What of a request's content this dialect has no words for; null: nothing. */
export function chatObstacle({ messages }: HubRequest): string | null {
  return findInParts(messages, (part) => {
    if (part.kind === "image" && part.source.at === "id") return "takes no images by their id";
    if (part.kind === "audio" && part.source.at !== "inline") return "takes audio only as it is, not by address";
    return part.kind === "file" && part.source.at === "url" ? "takes no files by URL" : null;
  });
}
