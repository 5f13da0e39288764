import { mayBeLeftOut, takenAs, type ClientError } from "@tuloy/contract";

import { invalidField, kindOf } from "../json/invalid-field.ts";
import { readRequestBody, type RequestBody } from "../json/request-body.ts";
import { setMember, splice, type Edit } from "../json/splice.ts";
import { stripMembers, type ScannedObject } from "../json/strip.ts";
import { count, isObject, parseJson } from "../json/value.ts";
import { readSession } from "../overrides/session.ts";
import type { ParameterTarget } from "../parameters/translate.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import type { ReadRequest, RequestFacts } from "../request.ts";
import {
  inputTokens,
  isForeignBlock,
  isHighEffort,
  lookThrough,
  sessionOf,
  usedCapabilities,
  type Contents,
} from "./facts.ts";
import { goesOnWithoutThought, withoutThought } from "./thinking.ts";
import { storedByMessages } from "./stored.ts";

/** Parameters by the names that a deployment's facts have for them: OpenAI's, where it has one. */
const parameterNames: ReadonlyMap<string, string> = new Map([
  ["max_tokens", "max_tokens"],
  ["temperature", "temperature"],
  ["top_p", "top_p"],
  ["top_k", "top_k"],
  ["stop_sequences", "stop"],
  ["tools", "tools"],
  ["tool_choice", "tool_choice"],
  ["thinking", "reasoning_effort"],
  ["service_tier", "service_tier"],
]);

/**
 * Reads a body of `POST /messages`. Only what the relay itself needs is checked; everything else, unknown fields included, is for
 * the upstream to judge.
 */
export function readMessagesRequest(body: Buffer, findStored = false): ReadRequest | ClientError {
  const read = readRequestBody(body);
  if ("code" in read) return read;
  const { messages, stream } = read.fields;
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
  const contents = lookThrough(messages);
  return new MessagesRequest(read, readFacts(read, contents, findStored), contents.foreign);
}

function readFacts(
  { fields, sendable, overrides }: RequestBody,
  contents: Contents,
  findStored: boolean,
): RequestFacts {
  const tokens = inputTokens(sendable.body.length, contents);
  const { stop_sequences: stops } = fields;
  return {
    stream: fields.stream === true,
    // Anthropic tells it in every stream.
    wantsUsage: true,
    choices: 1,
    capabilities: usedCapabilities(fields, contents),
    inputTokens: tokens,
    contextTokens: tokens,
    maxOutputTokens: count(fields.max_tokens),
    highEffort: isHighEffort(fields),
    overrides,
    session: readSession(fields) ?? sessionOf(fields),
    parameters: parametersOf(sendable, fields),
    stops: Array.isArray(stops) ? stops.length : 0,
    stored: findStored ? storedByMessages(fields) : null,
  };
}

const nothing: readonly string[] = [];

function parametersOf({ members }: ScannedObject, fields: RequestBody["fields"]): readonly string[] {
  const used: string[] = [];
  for (const { key } of members) {
    const name = parameterNames.get(key);
    if (name !== undefined && fields[key] !== null && !used.includes(name)) used.push(name);
  }
  return used;
}

const foreignWithheld = "reasoning of earlier turns was left out: another provider, or nobody, signed it";

class MessagesRequest implements ReadRequest {
  readonly operation = "chat";
  readonly dialect = "anthropic-messages";
  readonly model: string;
  readonly facts: RequestFacts;
  readonly #sendable: ScannedObject;
  /** What stands in the body: null when the model was the first of `models`. */
  readonly #named: string | null;
  /** There are thoughts that no deployment of this dialect takes. */
  readonly #foreign: boolean;
  #purged: Purged | null = null;

  constructor({ fields, sendable, model }: RequestBody, facts: RequestFacts, foreign: boolean) {
    this.#sendable = sendable;
    this.#named = fields.model === model ? model : null;
    this.#foreign = foreign;
    this.model = model;
    this.facts = facts;
  }

  get withheld(): readonly string[] {
    return this.#foreign ? this.#withoutForeign().withheld : nothing;
  }

  encode(
    upstreamModel: string,
    _preset: Pick<ProviderPreset, "streamUsage">,
    target: ParameterTarget | null = null,
  ): Buffer {
    // Whoever is to translate it gets it without a model, and with the thoughts of all.
    const translated = upstreamModel === "";
    let object = this.#foreign && !translated ? this.#withoutForeign().object : this.#sendable;
    if (target !== null) {
      const left = this.#leftOut(target);
      if (left.length > 0) object = stripMembers(object, (key) => left.includes(key));
    }
    const edits: Edit[] =
      upstreamModel === this.#named ? [] : setMember(object, "model", JSON.stringify(upstreamModel));
    return splice(object.body, edits);
  }

  notes(target: ParameterTarget): readonly string[] {
    return this.#leftOut(target).map((key) => `${key} was left out: it is not taken there`);
  }

  #leftOut({ facts, substitute }: ParameterTarget): readonly string[] {
    let left: string[] | null = null;
    for (const { key } of this.#sendable.members) {
      const name = parameterNames.get(key);
      if (name === undefined || !mayBeLeftOut(name) || takenAs(facts, name) !== null) continue;
      const known = facts.refuses.has(name) || (facts.takes !== null && !facts.takes.has(name));
      if (known || substitute) (left ??= []).push(key);
    }
    return left ?? nothing;
  }

  #withoutForeign(): Purged {
    return (this.#purged ??= purged(this.#sendable));
  }
}

interface Purged {
  readonly object: ScannedObject;
  readonly withheld: readonly string[];
}

/**
 * Without the thoughts that Anthropic did not sign: it would refuse the whole request for one of them. With them goes the wish to
 * think by a budget, where it would be refused without them.
 */
function purged(object: ScannedObject): Purged {
  const kept = withoutForeignThoughts(object);
  const thinking = valueOf(kept, "thinking");
  const messages = valueOf(kept, "messages");
  const byBudget = isObject(thinking) && thinking.type === "enabled";
  if (!byBudget || !Array.isArray(messages) || !goesOnWithoutThought(messages))
    return { object: kept, withheld: [foreignWithheld] };
  return {
    object: stripMembers(kept, (key) => key === "thinking"),
    withheld: [foreignWithheld, `thinking was left out: ${withoutThought}`],
  };
}

function withoutForeignThoughts(object: ScannedObject): ScannedObject {
  const { body, members, bodyStart } = object;
  const edits: Edit[] = [];
  for (const { key, start, end } of members) {
    if (key !== "messages") continue;
    const messages = parseJson(body.toString("utf8", start, end));
    if (Array.isArray(messages)) edits.push({ start, end, text: JSON.stringify(messages.flatMap(purge)) });
  }
  const written = splice(body, edits);
  let shift = 0;
  const moved = members.map(({ key, start, end }) => {
    const edit = edits.find((one) => one.start === start);
    const from = start + shift;
    if (edit !== undefined) shift += Buffer.byteLength(edit.text) - (end - start);
    return { key, start: from, end: end + shift };
  });
  return { body: written, members: moved, bodyStart };
}

/** The value of a member; of several of one name the last, as JSON has it. */
function valueOf({ body, members }: ScannedObject, name: string): unknown {
  const member = members.findLast(({ key }) => key === name);
  return member === undefined ? undefined : parseJson(body.toString("utf8", member.start, member.end));
}

/** A message of nothing but such thoughts goes as a whole. */
function purge(message: unknown): readonly unknown[] {
  if (!isObject(message) || !Array.isArray(message.content)) return [message];
  const content: readonly unknown[] = message.content.filter((block) => !isObject(block) || !isForeignBlock(block));
  if (content.length === message.content.length) return [message];
  return content.length === 0 ? [] : [{ ...message, content }];
}
