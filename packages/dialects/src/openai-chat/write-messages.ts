import { joined } from "../hub/joined.ts";
import { callProofsLeftOut, findInParts, noteCacheMarks } from "../hub/parts.ts";
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
/** Gets what was not sent as it was said, in words, once each. */
type Note = (words: string) => void;

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
export function writeMessages(request: HubRequest, wanted: WantedBack, notes: string[]): Written[] {
  const { system, messages } = request;
  const written: Written[] = [];
  const note: Note = (words) => {
    if (!notes.includes(words)) notes.push(words);
  };
  noteCacheMarks(request, note);
  // One text each: several servers (DeepSeek, older llama.cpp) take no list of parts.
  if (system.length > 0)
    written.push({
      role: "system",
      content: joined(
        system.map(({ text }) => text),
        note,
      ),
    });
  for (const message of messages) {
    if (message.role === "assistant") written.push(assistant(message, wanted, note));
    else written.push(...user(message, note));
  }
  return written;
}

function user({ parts }: HubMessage, note: Note): Written[] {
  const results = parts.filter((part) => part.kind === "tool_result");
  const written = results.map((result) => ({
    role: "tool",
    tool_call_id: shortCallId(result.callId, longestCallId),
    content: resultText(result, note),
  }));
  // A tool message holds text only: what else a tool gave back follows as the user's.
  const shown = results.flatMap((result) => result.parts.filter((part) => part.kind !== "text"));
  if (shown.length > 0)
    note("what a tool gave back besides text was sent as the user's: a result holds text alone there");
  const said = [...shown, ...parts.filter((part) => part.kind !== "tool_result")];
  return said.length === 0 && results.length > 0
    ? written
    : [...written, { role: "user", content: content(said, note) }];
}

function resultText({ parts, isError }: HubToolResult, note: Note): string {
  const text = joined(
    parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])),
    note,
  );
  const shown = parts.some((part) => part.kind !== "text");
  const said = text === "" && shown ? "The result is in the next message." : text;
  if (!isError) return said;
  const saysSo = /^error\b/i.test(said);
  note(`that a tool failed is said by ${saysSo ? "its output alone" : "'Error: ' before its output"}`);
  return saysSo ? said : `Error: ${said}`;
}

function content(parts: readonly HubPart[], note: Note): unknown {
  const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []));
  return texts.length === parts.length ? joined(texts, note) : parts.flatMap((part) => writePart(part, note));
}

function writePart(part: HubPart, note: Note): Written[] {
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
      return [writeFile(part, note)];
    case "thought":
    case "refusal":
    case "tool_call":
    case "tool_result":
      note(`${part.kind.replace("_", " ")} was left out of a user's message, which has no place for it there`);
      return [];
  }
}

/** A document of text is its text: as a file, only PDF is taken. */
function writeFile({ source, name }: HubFile, note: Note): Written {
  if (source.at === "id") return { type: "file", file: { file_id: source.id } };
  if (source.at === "inline" && source.mediaType.startsWith("text/")) {
    note("a document of text was sent as text: as a file only PDF is taken there");
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

function assistant({ parts }: HubMessage, wanted: WantedBack, note: Note): Written {
  const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []));
  const refusals = parts.flatMap((part) => (part.kind === "refusal" ? [part.text] : []));
  const calls = parts.filter((part) => part.kind === "tool_call");
  const thoughts = parts.filter((part) => part.kind === "thought");
  const reasons = wanted.reasoning && calls.length > 0 && thoughts.length > 0;
  const details = wanted.details ? writeDetails(thoughts) : [];
  if (!reasons && thoughts.length > details.length) note("earlier reasoning was left out: it is not taken back there");
  if (!wanted.proofs && calls.some(({ opaque }) => (opaque ?? null) !== null)) note(callProofsLeftOut);
  for (const part of parts) {
    if (part.kind === "image" || part.kind === "file" || part.kind === "audio")
      note(`${part.kind} of the assistant was left out: its messages have no place for it there`);
  }
  return {
    role: "assistant",
    content: texts.length === 0 ? null : joined(texts, note),
    ...(refusals.length === 0 ? {} : { refusal: joined(refusals, note) }),
    ...(reasons
      ? {
          reasoning_content: joined(
            thoughts.map(({ text }) => text),
            note,
          ),
        }
      : {}),
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

/** What of a request's content this dialect has no words for; null: nothing. */
export function chatObstacle({ messages }: HubRequest): string | null {
  return findInParts(messages, (part) => {
    if (part.kind === "image" && part.source.at === "id") return "takes no images by their id";
    if (part.kind === "audio" && part.source.at !== "inline") return "takes audio only as it is, not by address";
    return part.kind === "file" && part.source.at === "url" ? "takes no files by URL" : null;
  });
}
