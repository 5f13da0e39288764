import type { Capability, ClientError } from "@tuloy/contract";

import { invalidField, kindOf } from "../json/invalid-field.ts";
import { readRequestBody, type RequestBody } from "../json/request-body.ts";
import { setMember, splice, type Edit } from "../json/splice.ts";
import type { ScannedObject } from "../json/strip.ts";
import { count, isObject, text, type JsonObject } from "../json/value.ts";
import { tokensPerAudio, tokensPerImage } from "../openai-chat/media.ts";
import { readSession } from "../overrides/session.ts";
import { translateParameters, translationNotes, type ParameterTarget } from "../parameters/translate.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import type { ReadRequest, RequestFacts } from "../request.ts";
import { boundBy } from "./bound.ts";
import { isForeignReasoning } from "./carried.ts";
import { storedByResponses } from "./stored.ts";

/** English text and JSON have about four bytes a token; most other scripts have about three bytes and one token a character. */
const bytesPerToken = 4;
/** A page of a document, as text and image: what a file of unknown length is counted as. */
const tokensPerFile = 2000;

/** What of an input is no text: its bytes say nothing about its tokens. */
interface Media {
  images: number;
  files: number;
  audio: number;
  /** Bytes of embedded media, as they stand in the body. */
  bytes: number;
  /** Reasoning that another dialect's answers left in the conversation. */
  foreign: boolean;
}

/**
 * Reads a body of `POST /responses`. Only what the relay itself needs is checked; everything else, unknown fields included,
 * is for the upstream to judge.
 */
export function readResponsesRequest(body: Buffer, findStored = false): ReadRequest | ClientError {
  const read = readRequestBody(body);
  if ("code" in read) return read;
  const { input, stream, prompt, previous_response_id: previous, conversation } = read.fields;
  if (input === undefined && (prompt ?? previous ?? conversation ?? null) === null) {
    return invalidField("input", 'The field "input" is missing. Send a text, or an array of items.');
  }
  if (input !== undefined && typeof input !== "string" && !Array.isArray(input)) {
    return invalidField("input", `The field "input" must be a text or an array of items, but it is ${kindOf(input)}.`);
  }
  if (stream !== undefined && stream !== null && typeof stream !== "boolean") {
    return invalidField("stream", `The field "stream" must be true or false, but it is ${kindOf(stream)}.`);
  }
  const media = findMedia(Array.isArray(input) ? input : []);
  return new ResponsesRequest(read, readFacts(read, media, findStored), media.foreign);
}

function readFacts({ fields, sendable, overrides }: RequestBody, media: Media, findStored: boolean): RequestFacts {
  const inputTokens =
    Math.ceil(Math.max(0, sendable.body.length - media.bytes) / bytesPerToken) +
    media.images * tokensPerImage +
    media.files * tokensPerFile +
    media.audio * tokensPerAudio;
  const effort = isObject(fields.reasoning) ? fields.reasoning.effort : undefined;
  return {
    stream: fields.stream === true,
    // Every stream of this dialect ends with its usage.
    wantsUsage: true,
    choices: 1,
    capabilities: usedCapabilities(fields, media),
    inputTokens,
    contextTokens: inputTokens,
    maxOutputTokens: count(fields.max_output_tokens),
    highEffort: effort === "high" || effort === "xhigh" || effort === "max",
    overrides,
    session: readSession(fields),
    parameters: usedParameters(fields),
    stops: 0,
    bound: boundBy(fields),
    stored: findStored ? storedByResponses(fields) : null,
  };
}

function usedCapabilities(fields: JsonObject, media: Media): readonly Capability[] {
  const used: Capability[] = [];
  const { tools } = fields;
  if (Array.isArray(tools) && tools.some((tool) => isObject(tool) && tool.type === "function")) used.push("tools");
  if (media.images > 0) used.push("images");
  if (media.files > 0) used.push("files");
  const format = isObject(fields.text) ? fields.text.format : null;
  if (isObject(format) && format.type === "json_schema") used.push("json_schema");
  if ((count(fields.top_logprobs) ?? 0) > 0) used.push("logprobs");
  if (media.audio > 0) used.push("audio");
  return used;
}

/** What is known of deployments' parameters is by the names of chat's. These are the same here. */
const sharedParameters = ["temperature", "top_p", "parallel_tool_calls", "service_tier"] as const;
const nothing: readonly string[] = [];

function usedParameters(fields: JsonObject): readonly string[] {
  const used = sharedParameters.filter((name) => fields[name] !== undefined && fields[name] !== null);
  return used.length === 0 ? nothing : used;
}

function findMedia(input: readonly unknown[]): Media {
  const media: Media = { images: 0, files: 0, audio: 0, bytes: 0, foreign: false };
  for (const item of input) {
    if (!isObject(item)) continue;
    if (item.type === "reasoning") media.foreign ||= isForeignReasoning(item.id, item.encrypted_content);
    else addMedia(item.content ?? item.output, media);
  }
  return media;
}

function addMedia(content: unknown, media: Media): void {
  if (!Array.isArray(content)) return;
  for (const part of content) {
    if (!isObject(part)) continue;
    if (part.type === "input_image") {
      media.images += 1;
      media.bytes += text(part.image_url)?.length ?? 0;
    } else if (part.type === "input_file") {
      media.files += 1;
      media.bytes += text(part.file_data)?.length ?? 0;
    } else if (part.type === "input_audio") {
      media.audio += 1;
      media.bytes += isObject(part.input_audio) ? (text(part.input_audio.data)?.length ?? 0) : 0;
    }
  }
}

class ResponsesRequest implements ReadRequest {
  readonly operation = "chat";
  readonly dialect = "openai-responses";
  readonly model: string;
  readonly facts: RequestFacts;
  readonly withheld: readonly string[];
  readonly #sendable: ScannedObject;
  /** What stands in the body: null when the model was the first of `models`. */
  readonly #named: string | null;
  /** The input without reasoning that only other dialects' servers can read, as JSON; null: it has none. */
  readonly #ownInput: string | null;

  constructor({ fields, sendable, model }: RequestBody, facts: RequestFacts, foreign: boolean) {
    this.#sendable = sendable;
    this.#named = fields.model === model ? model : null;
    this.#ownInput = foreign ? withoutForeign(fields.input) : null;
    this.withheld = foreign ? foreignWithheld : nothing;
    this.model = model;
    this.facts = facts;
  }

  encode(
    upstreamModel: string,
    _preset: Pick<ProviderPreset, "streamUsage">,
    target: ParameterTarget | null = null,
  ): Buffer {
    const { parameters } = this.facts;
    const edits: Edit[] = [];
    let object = this.#sendable;
    if (target !== null && parameters.length > 0) {
      const translated = translateParameters(object, parameters, target);
      object = translated.object;
      edits.push(...translated.edits);
    }
    if (upstreamModel !== this.#named) edits.push(...setMember(object, "model", JSON.stringify(upstreamModel)));
    // For no deployment in particular, it is still to be told to those who can read it.
    if (this.#ownInput !== null && upstreamModel !== "") edits.push(...setMember(object, "input", this.#ownInput));
    return splice(object.body, edits);
  }

  notes(target: ParameterTarget): readonly string[] {
    return translationNotes(this.#sendable, this.facts.parameters, target);
  }
}

const foreignWithheld = ["reasoning of earlier turns was left out: only its own provider takes it back"];

function withoutForeign(input: unknown): string | null {
  if (!Array.isArray(input)) return null;
  return JSON.stringify(
    input.filter(
      (item) => !isObject(item) || item.type !== "reasoning" || !isForeignReasoning(item.id, item.encrypted_content),
    ),
  );
}
