import type { ClientError } from "@tuloy/contract";

import { invalidField, kindOf } from "../json/invalid-field.ts";
import { readRequestBody, type RequestBody } from "../json/request-body.ts";
import { setMember, splice } from "../json/splice.ts";
import type { ScannedObject } from "../json/strip.ts";
import { readSession } from "../overrides/session.ts";
import { translateParameters, translationNotes, type ParameterTarget } from "../parameters/translate.ts";
import { usedParameters } from "../parameters/used.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import type { ReadRequest, RequestFacts } from "../request.ts";

const bytesPerToken = 4;

/**
 * Reads a body of `POST /embeddings`. Only what the relay itself needs is checked; everything else, unknown fields
 * included, is for the upstream to judge.
 */
export function readEmbeddingsRequest(body: Buffer): ReadRequest | ClientError {
  const read = readRequestBody(body);
  if ("code" in read) return read;
  const { input } = read.fields;
  if (input === undefined) {
    return invalidField("input", 'The field "input" is missing. Send a text, an array of texts, or tokens.');
  }
  if (typeof input !== "string" && !Array.isArray(input)) {
    return invalidField(
      "input",
      `The field "input" must be a text, an array of texts, or tokens, but it is ${kindOf(input)}.`,
    );
  }
  return new EmbeddingsRequest(read, readFacts(read, input));
}

function readFacts({ fields, sendable, overrides }: RequestBody, input: string | readonly unknown[]): RequestFacts {
  const { total, largest } = estimate(input);
  return {
    stream: false,
    wantsUsage: false,
    choices: 1,
    capabilities: [],
    inputTokens: total,
    contextTokens: largest,
    maxOutputTokens: 0,
    highEffort: false,
    overrides,
    session: readSession(fields),
    parameters: usedParameters(sendable, fields),
    stops: 0,
  };
}

/** `input` is one text, several, one list of tokens, or several. */
function estimate(input: string | readonly unknown[]): { total: number; largest: number } {
  if (typeof input === "string" || typeof input[0] === "number") {
    const tokens = tokensOf(input);
    return { total: tokens, largest: tokens };
  }
  let total = 0;
  let largest = 0;
  for (const item of input) {
    const tokens = tokensOf(item);
    total += tokens;
    if (tokens > largest) largest = tokens;
  }
  return { total, largest };
}

function tokensOf(item: unknown): number {
  if (typeof item === "string") return Math.ceil(Buffer.byteLength(item) / bytesPerToken);
  return Array.isArray(item) ? item.length : 0;
}

class EmbeddingsRequest implements ReadRequest {
  readonly operation = "embeddings";
  readonly dialect = "openai-embeddings";
  readonly model: string;
  readonly facts: RequestFacts;
  readonly #sendable: ScannedObject;
  /** What stands in the body: null when the model was the first of `models`. */
  readonly #named: string | null;

  constructor({ fields, sendable, model }: RequestBody, facts: RequestFacts) {
    this.#sendable = sendable;
    this.#named = fields.model === model ? model : null;
    this.model = model;
    this.facts = facts;
  }

  encode(
    upstreamModel: string,
    _preset: Pick<ProviderPreset, "streamUsage">,
    target: ParameterTarget | null = null,
  ): Buffer {
    const { parameters } = this.facts;
    const { object, edits } =
      target === null || parameters.length === 0
        ? { object: this.#sendable, edits: [] }
        : translateParameters(this.#sendable, parameters, target);
    if (upstreamModel === this.#named) return splice(object.body, edits);
    return splice(object.body, [...edits, ...setMember(object, "model", JSON.stringify(upstreamModel))]);
  }

  notes(target: ParameterTarget): readonly string[] {
    return translationNotes(this.#sendable, this.facts.parameters, target);
  }
}
