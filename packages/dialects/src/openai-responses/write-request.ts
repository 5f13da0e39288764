import type { WriteTarget, WrittenRequest } from "../hub/codec.ts";
import { effortFor } from "../hub/efforts.ts";
import { joined } from "../hub/joined.ts";
import { longestAnswer, shortCallId, shortUser } from "../hub/limits.ts";
import { spelling } from "../hub/parameters.ts";
import { callProofsLeftOut, noteCacheMarks } from "../hub/parts.ts";
import {
  effortOf,
  type HubFile,
  type HubFormat,
  type HubImage,
  type HubMessage,
  type HubPart,
  type HubReasoning,
  type HubRequest,
  type HubSource,
  type HubThought,
  type HubTool,
  type HubToolResult,
} from "../hub/request.ts";
import { isObject, type JsonObject } from "../json/value.ts";

/** OpenAI refuses a lower limit with 400 `integer_below_min_value`. */
const leastOutputTokens = 16;
/** OpenAI refuses a longer id of a call. */
const longestCallId = 64;
/** And a longer id of a user. */
const longestUser = 64;

type Notes = Set<string>;

/** Writes a request for a deployment that speaks this dialect. */
export function writeRequest(request: HubRequest, target: WriteTarget): WrittenRequest {
  const notes: Notes = new Set();
  const { system, tools, reasoning } = request;
  const body: Record<string, unknown> = { model: target.model };
  const set = (name: string, value: unknown): void => {
    if (value === null) return;
    if (spelling(target, name) === null) notes.add(`${name} was left out: it is not taken there`);
    else body[name] = value;
  };
  const note = (text: string): void => void notes.add(text);
  if (system.length > 0)
    body.instructions = joined(
      system.map(({ text }) => text),
      note,
    );
  body.input = request.messages.flatMap((message) => writeMessage(message, notes));
  if (tools.length > 0) {
    body.tools = tools.map(writeTool);
    if (request.toolChoice !== null) body.tool_choice = writeToolChoice(request.toolChoice);
    set("parallel_tool_calls", request.parallelToolCalls);
  }
  const maxTokens = longestAnswer(request, target, note);
  if (maxTokens !== null) {
    body.max_output_tokens = Math.max(leastOutputTokens, maxTokens);
    if (maxTokens < leastOutputTokens)
      notes.add(`the limit of ${maxTokens} tokens was sent as ${leastOutputTokens}, the lowest that is taken`);
  }
  set("temperature", request.temperature);
  set("top_p", request.topP);
  if (request.format !== null) body.text = { format: writeFormat(request.format) };
  const written = reasoning === null ? null : writeReasoning(reasoning, target.canonicalModel, notes);
  if (written !== null && spelling(target, "reasoning_effort") !== null) body.reasoning = written;
  else if (written !== null) notes.add("reasoning was left out: it is not taken there");
  set("user", shortUser(request.user, longestUser, note));
  if (request.stream) body.stream = true;
  // With nothing kept, reasoning can only come back encrypted. Who did not ask for any would not know what it is.
  if (reasoning?.enabled === true && encrypts.test(target.canonicalModel))
    body.include = ["reasoning.encrypted_content"];
  // Whoever asks does not know this dialect, so nobody will ever come back for what is kept.
  body.store = false;
  noteUnsaid(request, notes);
  noteCacheMarks(request, note);
  return { body: Buffer.from(JSON.stringify(body)), notes: [...notes] };
}

const noArguments: JsonObject = { type: "object", properties: {} };

/** What this dialect has no word for: https://platform.openai.com/docs/api-reference/responses/create */
function noteUnsaid(request: HubRequest, notes: Notes): void {
  const { topK, stop, seed, presencePenalty, frequencyPenalty } = request;
  const unsaid: readonly (readonly [name: string, set: boolean])[] = [
    ["top_k", topK !== null],
    ["stop", stop.length > 0],
    ["seed", seed !== null],
    // No penalty is what there is without the word.
    ["presence_penalty", (presencePenalty ?? 0) !== 0],
    ["frequency_penalty", (frequencyPenalty ?? 0) !== 0],
  ];
  for (const [name, set] of unsaid) if (set) notes.add(`${name} was left out: the Responses API has no such parameter`);
}

function writeTool({ name, description, parameters, strict }: HubTool): JsonObject {
  return {
    type: "function",
    name,
    ...(description === null ? {} : { description }),
    parameters: isObject(parameters) ? parameters : noArguments,
    // Absent would mean true, and other dialects' default is false.
    strict: strict ?? false,
  };
}

function writeToolChoice(choice: NonNullable<HubRequest["toolChoice"]>): unknown {
  return choice.kind === "tool" ? { type: "function", name: choice.name } : choice.kind;
}

function writeFormat(format: HubFormat): JsonObject {
  if (format.kind === "json") return { type: "json_object" };
  const { name, description, schema, strict } = format;
  return {
    type: "json_schema",
    name,
    ...(description === null ? {} : { description }),
    schema,
    ...(strict === null ? {} : { strict }),
  };
}

/**
 * Models that can't be asked not to reason, and the least that can be asked of them; others of OpenAI's take `none`
 * (https://platform.openai.com/docs/guides/reasoning).
 */
const leastEfforts: readonly (readonly [models: RegExp, effort: string])[] = [
  [/^o\d/, "low"],
  [/^gpt-oss/, "low"],
  [/^gpt-5(?:-|$)/, "minimal"],
];

/** Models without reasoning, as gpt-5-chat is one, refuse the whole member. */
const reasons = /^(?:o\d|gpt-oss|gpt-5(?!.*chat))/;
/** Of those, the ones that encrypt it: OpenAI's own. */
const encrypts = /^(?:o\d|gpt-5(?!.*chat))/;

function writeReasoning(reasoning: HubReasoning, model: string, notes: Notes): JsonObject | null {
  const { enabled, effort, budget, shown } = reasoning;
  const said: Record<string, unknown> = {};
  if (!enabled) {
    if (!reasons.test(model)) return null;
    const least = leastEfforts.find(([models]) => models.test(model))?.[1] ?? "none";
    if (least !== "none") notes.add(`reasoning can't be turned off there: it was asked for with effort ${least}`);
    said.effort = least;
  } else {
    const stated = effort ?? (budget === null ? null : effortOf(budget));
    if (stated !== null) {
      const taken = effortFor(model, stated, (text) => notes.add(text));
      if (taken === null) return null;
      said.effort = taken;
      if (effort === null) notes.add(`a reasoning budget of ${budget} tokens was sent as effort ${taken}`);
    }
  }
  if (enabled && shown === true) said.summary = "auto";
  return Object.keys(said).length > 0 ? said : null;
}

/** Text, images and files of one turn are one item; calls, results and thoughts are items of their own between them. */
function writeMessage({ role, parts }: HubMessage, notes: Notes): JsonObject[] {
  const items: JsonObject[] = [];
  let content: JsonObject[] = [];
  const close = (): void => {
    if (content.length > 0) items.push({ type: "message", role, content });
    content = [];
  };
  for (const part of parts) {
    const item = writeItem(part, notes);
    if (item !== undefined) {
      close();
      if (item !== null) items.push(item);
      continue;
    }
    const written = role === "user" ? writeInput(part, notes) : writeOutput(part, notes);
    if (written !== null) content.push(written);
  }
  close();
  return items;
}

/** @returns undefined for what is no item of its own; null for an item that is left out */
function writeItem(part: HubPart, notes: Notes): JsonObject | null | undefined {
  if (part.kind === "tool_call") {
    if (part.opaque !== undefined) notes.add(callProofsLeftOut);
    const { id, name } = part;
    return {
      type: "function_call",
      call_id: shortCallId(id, longestCallId),
      name,
      arguments: callArguments(part.arguments),
    };
  }
  if (part.kind === "tool_result")
    return {
      type: "function_call_output",
      call_id: shortCallId(part.callId, longestCallId),
      output: writeResult(part, notes),
    };
  return part.kind === "thought" ? writeThought(part, notes) : undefined;
}

function callArguments(json: string): string {
  return json === "" ? "{}" : json;
}

/** Only what OpenAI encrypted itself is taken back: a summary alone would be an item that it does not find. */
function writeThought({ text, opaque, id }: HubThought, notes: Notes): JsonObject | null {
  if (opaque?.dialect !== "openai-responses") {
    notes.add("reasoning of earlier turns was left out: only its own provider takes it back");
    return null;
  }
  return {
    type: "reasoning",
    ...(id === null ? {} : { id }),
    summary: text === "" ? [] : [{ type: "summary_text", text }],
    encrypted_content: opaque.data,
  };
}

function writeResult({ parts, isError }: HubToolResult, notes: Notes): unknown {
  if (isError) notes.add("that a tool failed is said by its output alone");
  const texts = parts.map((part) => (part.kind === "text" ? part.text : null));
  const alone = texts.filter((text) => text !== null);
  if (alone.length === texts.length) return joined(alone, (text) => notes.add(text));
  return parts.map((part) => writeInput(part, notes)).filter((part) => part !== null);
}

function writeInput(part: HubPart, notes: Notes): JsonObject | null {
  if (part.kind === "text") return { type: "input_text", text: part.text };
  if (part.kind === "image") return writeImage(part, notes);
  if (part.kind === "file") return writeFile(part, notes);
  notes.add(`${part.kind} was left out: the Responses API takes none there`);
  return null;
}

function writeImage({ source, detail }: HubImage, notes: Notes): JsonObject | null {
  const written = writeSource(source, "image_url");
  if (written === null) notes.add("an image that is kept at another provider was left out");
  return written === null ? null : { type: "input_image", ...written, detail: detail ?? "auto" };
}

function writeFile({ source, name }: HubFile, notes: Notes): JsonObject | null {
  if (source.at === "inline") {
    // Bytes without a name are refused.
    return { type: "input_file", ...fileData(source), filename: name ?? `document.${extensionOf(source.mediaType)}` };
  }
  const written = writeSource(source, "file_url");
  if (written === null) notes.add("a file that is kept at another provider was left out");
  return written === null ? null : { type: "input_file", ...written };
}

function writeOutput(part: HubPart, notes: Notes): JsonObject | null {
  if (part.kind === "text") return { type: "output_text", text: part.text };
  if (part.kind === "refusal") return { type: "refusal", refusal: part.text };
  notes.add(`${part.kind} of the assistant was left out: the Responses API has no place for it`);
  return null;
}

function writeSource(source: HubSource, url: "image_url" | "file_url"): JsonObject | null {
  if (source.at === "url") return { [url]: source.url };
  if (source.at === "inline") return { [url]: `data:${source.mediaType};base64,${source.data}` };
  // One account's files, whichever of its two dialects they are named in.
  const ours = source.dialect === "openai-responses" || source.dialect === "openai-chat";
  return ours ? { file_id: source.id } : null;
}

function fileData({ mediaType, data }: Extract<HubSource, { at: "inline" }>): JsonObject {
  return { file_data: `data:${mediaType};base64,${data}` };
}

function extensionOf(mediaType: string): string {
  if (mediaType === "application/pdf") return "pdf";
  return mediaType.startsWith("text/") ? "txt" : "bin";
}
