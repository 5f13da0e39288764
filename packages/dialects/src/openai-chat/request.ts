import type { Capability, ClientError } from "@tuloy/contract";

import { invalidField, kindOf } from "../json/invalid-field.ts";
import { readRequestBody, type RequestBody } from "../json/request-body.ts";
import { insertMember, setMember, splice, type Edit } from "../json/splice.ts";
import type { ScannedObject } from "../json/strip.ts";
import { scanTopLevel } from "../json/top-level.ts";
import { count, isObject, text, type JsonObject } from "../json/value.ts";
import { readSession } from "../overrides/session.ts";
import { translateParameters, translationNotes, type ParameterTarget } from "../parameters/translate.ts";
import { usedParameters } from "../parameters/used.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import type { MessageTraits, ReadRequest, RequestFacts } from "../request.ts";
import { base64PerTokenOfFiles, tokensPerAudio, tokensPerImage } from "./media.ts";
import { storedByChat } from "./stored.ts";
import { traitsOf, traitsOfTexts, usualMembers } from "./traits.ts";

/** English text and JSON have about four bytes a token; most other scripts have about three bytes and one token a character. */
const bytesPerToken = 4;
const texts = { member: "messages", usual: usualMembers };

/** Media of a request: their bytes say nothing about their tokens. */
interface Media {
  images: number;
  audio: number;
  files: number;
  /** Tokens of all files, estimated. */
  fileTokens: number;
  /** Bytes of embedded media, as they stand in the body. */
  bytes: number;
}

/**
 * Reads a body of `POST /chat/completions`. Only what the relay itself needs is checked; everything else, unknown fields
 * included, is for the upstream to judge.
 */
export function readChatRequest(body: Buffer, findStored = false): ReadRequest | ClientError {
  // Routing counts the media of messages, which have objects in them. Plain texts it only measures, by their bytes.
  const read = readRequestBody(body, texts);
  if ("code" in read) return read;
  const { fields } = read;
  const { messages, stream } = fields;
  if (messages === undefined) {
    return invalidField("messages", 'The field "messages" is missing. Send the conversation as an array of messages.');
  }
  if (!Array.isArray(messages)) {
    return invalidField(
      "messages",
      `The field "messages" must be an array of messages, but it is ${kindOf(messages)}.`,
    );
  }
  if (stream !== undefined && stream !== null && typeof stream !== "boolean") {
    return invalidField("stream", `The field "stream" must be true or false, but it is ${kindOf(stream)}.`);
  }
  const traits = read.unusual === null ? traitsOf(messages) : traitsOfTexts(read.unusual);
  return new ChatRequest(read, readFacts(read, messages, findStored), traits);
}

function readFacts(
  { fields, sendable, overrides }: RequestBody,
  messages: readonly unknown[],
  findStored: boolean,
): RequestFacts {
  const { body } = sendable;
  const media = findMedia(messages);
  const inputTokens =
    Math.ceil(Math.max(0, body.length - media.bytes) / bytesPerToken) +
    media.images * tokensPerImage +
    media.audio * tokensPerAudio +
    media.fileTokens;
  const options = fields.stream_options;
  const reasoning = isObject(fields.reasoning) ? fields.reasoning.effort : undefined;
  const effort = fields.reasoning_effort ?? reasoning;
  return {
    stream: fields.stream === true,
    wantsUsage: isObject(options) && options.include_usage === true,
    choices: Math.max(1, count(fields.n) ?? 1),
    capabilities: usedCapabilities(fields, media),
    inputTokens,
    contextTokens: inputTokens,
    maxOutputTokens: count(fields.max_completion_tokens) ?? count(fields.max_tokens),
    highEffort: effort === "high" || effort === "xhigh",
    overrides,
    session: readSession(fields),
    parameters: usedParameters(sendable, fields),
    stops: Array.isArray(fields.stop) ? fields.stop.length : typeof fields.stop === "string" ? 1 : 0,
    stored: findStored ? storedByChat(fields) : null,
  };
}

function usedCapabilities(fields: JsonObject, media: Media): readonly Capability[] {
  const used: Capability[] = [];
  const { tools, functions, response_format: format, modalities } = fields;
  if ((Array.isArray(tools) && tools.length > 0) || (Array.isArray(functions) && functions.length > 0))
    used.push("tools");
  if (media.images > 0) used.push("images");
  if (media.files > 0) used.push("files");
  if (isObject(format) && format.type === "json_schema") used.push("json_schema");
  if (fields.logprobs === true || (count(fields.top_logprobs) ?? 0) > 0) used.push("logprobs");
  if ((count(fields.n) ?? 1) > 1) used.push("n");
  if (media.audio > 0 || isObject(fields.audio) || (Array.isArray(modalities) && modalities.includes("audio"))) {
    used.push("audio");
  }
  return used;
}

function findMedia(messages: readonly unknown[]): Media {
  const media: Media = { images: 0, audio: 0, files: 0, fileTokens: 0, bytes: 0 };
  for (const message of messages) {
    if (!isObject(message) || !Array.isArray(message.content)) continue;
    for (const part of message.content) if (isObject(part)) addMedia(part, media);
  }
  return media;
}

function addMedia(part: JsonObject, media: Media): void {
  if (part.type === "image_url") {
    media.images += 1;
    const url = isObject(part.image_url) ? part.image_url.url : part.image_url;
    media.bytes += text(url)?.length ?? 0;
  } else if (part.type === "input_audio") {
    media.audio += 1;
    media.bytes += isObject(part.input_audio) ? (text(part.input_audio.data)?.length ?? 0) : 0;
  } else if (part.type === "file") {
    const length = isObject(part.file) ? (text(part.file.file_data)?.length ?? 0) : 0;
    media.files += 1;
    media.bytes += length;
    media.fileTokens += Math.ceil(length / base64PerTokenOfFiles);
  }
}

class ChatRequest implements ReadRequest {
  readonly operation = "chat";
  readonly dialect = "openai-chat";
  readonly model: string;
  readonly facts: RequestFacts;
  readonly messageTraits: MessageTraits | null;
  readonly #sendable: ScannedObject;
  /** What stands in the body: null when the model was the first of `models`. */
  readonly #named: string | null;

  constructor({ fields, sendable, model }: RequestBody, facts: RequestFacts, traits: MessageTraits | null) {
    this.#sendable = sendable;
    this.#named = fields.model === model ? model : null;
    this.model = model;
    this.facts = facts;
    this.messageTraits = traits;
  }

  encode(
    upstreamModel: string,
    preset: Pick<ProviderPreset, "streamUsage">,
    target: ParameterTarget | null = null,
  ): Buffer {
    const { stream, wantsUsage, parameters } = this.facts;
    const edits: Edit[] = [];
    let object = this.#sendable;
    if (target !== null && parameters.length > 0) {
      const translated = translateParameters(object, parameters, target);
      object = translated.object;
      edits.push(...translated.edits);
    }
    if (upstreamModel !== this.#named) edits.push(...setMember(object, "model", JSON.stringify(upstreamModel)));
    if (stream && !wantsUsage && preset.streamUsage) edits.push(...usageEdits(object));
    return splice(object.body, edits);
  }

  notes(target: ParameterTarget): readonly string[] {
    return translationNotes(this.#sendable, this.facts.parameters, target);
  }
}

/** Without usage in the stream, what it cost could only be estimated. Options that the client did set are kept. */
function usageEdits(object: ScannedObject): Edit[] {
  const edits: Edit[] = [];
  let present = false;
  for (const { key, start, end } of object.members) {
    if (key !== "stream_options") continue;
    present = true;
    const options = object.body.subarray(start, end);
    const inner = scanTopLevel(options, Infinity);
    if (inner.kind === "object") {
      for (const edit of setMember(inner, "include_usage", "true")) {
        edits.push({ start: start + edit.start, end: start + edit.end, text: edit.text });
      }
    } else if (options.toString("latin1") === "null") {
      edits.push({ start, end, text: '{"include_usage":true}' });
    }
  }
  if (!present) edits.push(insertMember(object, "stream_options", '{"include_usage":true}'));
  return edits;
}
