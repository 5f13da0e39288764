import type { WriteTarget, WrittenRequest } from "../hub/codec.ts";
import { longestAnswer } from "../hub/limits.ts";
import { spelling } from "../hub/parameters.ts";
import type { HubFormat, HubRequest, HubTool, HubToolChoice } from "../hub/request.ts";
import { isObject } from "../json/value.ts";
import { contentsOf } from "./contents.ts";
import { familyOf, thinkingOf, thirdGeneration, type Family } from "./family.ts";
import { geminiSchema } from "./schema.ts";

/** A body of `generateContent` and `streamGenerateContent`, which are the same. */
export function writeGemini(request: HubRequest, target: WriteTarget): WrittenRequest {
  const writer = new Writer(request, target);
  const body = Buffer.from(JSON.stringify(writer.body()));
  return { body, notes: [...writer.notes] };
}

class Writer {
  readonly notes = new Set<string>();
  readonly #request: HubRequest;
  readonly #target: WriteTarget;
  readonly #family: Family;

  constructor(request: HubRequest, target: WriteTarget) {
    this.#request = request;
    this.#target = target;
    this.#family = familyOf(target);
  }

  body(): Record<string, unknown> {
    const request = this.#request;
    const { system, tools, toolChoice } = request;
    const config = this.#config();
    const instructions = [...system.map(({ text }) => text), ...this.#formatInWords()].filter((text) => text !== "");
    this.#say();
    return {
      ...(instructions.length === 0 ? {} : { systemInstruction: { parts: instructions.map((text) => ({ text })) } }),
      contents: contentsOf(request, {
        generation: this.#family.generation,
        kind: this.#target.preset.kind,
        note: (text) => this.notes.add(text),
      }),
      ...(tools.length === 0
        ? {}
        : { tools: [{ functionDeclarations: tools.map((tool, index) => this.#declaration(tool, index)) }] }),
      ...(tools.length === 0 || toolChoice === null
        ? {}
        : { toolConfig: { functionCallingConfig: choiceOf(toolChoice) } }),
      ...(Object.keys(config).length === 0 ? {} : { generationConfig: config }),
    };
  }

  #config(): Record<string, unknown> {
    const { temperature, topP, topK, stop, seed, presencePenalty, frequencyPenalty, reasoning } = this.#request;
    const config: Record<string, unknown> = {};
    const maxTokens = longestAnswer(this.#request, this.#target, (text) => this.notes.add(text));
    if (maxTokens !== null) config.maxOutputTokens = maxTokens;
    if (temperature !== null && this.#takes("temperature")) config.temperature = temperature;
    if (topP !== null && this.#takes("top_p")) config.topP = topP;
    if (topK !== null && this.#takes("top_k")) config.topK = topK;
    if (stop.length > 0) config.stopSequences = stop;
    if (seed !== null && this.#takes("seed")) this.#seed(seed, config);
    if (presencePenalty !== null && this.#takes("presence_penalty")) config.presencePenalty = presencePenalty;
    if (frequencyPenalty !== null && this.#takes("frequency_penalty")) config.frequencyPenalty = frequencyPenalty;
    if (!this.#schemaInWords) Object.assign(config, this.#format());
    if (reasoning !== null && this.#takes("reasoning_effort")) {
      const { config: thinkingConfig, note } = thinkingOf(reasoning, this.#family);
      if (thinkingConfig !== null) config.thinkingConfig = thinkingConfig;
      if (note !== null) this.notes.add(note);
    }
    return config;
  }

  /** A 32-bit number at Google. */
  #seed(seed: number, config: Record<string, unknown>): void {
    if (seed === (seed | 0)) config.seed = seed;
    else this.notes.add("seed was left out: it is no 32-bit integer");
  }

  /** Whether the deployment takes a parameter; noted when not. */
  #takes(name: string): boolean {
    if (spelling(this.#target, name) !== null) return true;
    this.notes.add(`${name} was left out: it is not taken there`);
    return false;
  }

  #format(): Record<string, unknown> {
    const { format } = this.#request;
    if (format === null) return {};
    const responseMimeType = "application/json";
    if (format.kind === "json") return { responseMimeType };
    const { schema } = this.#schema(format.schema, "response_format");
    return { responseMimeType, responseJsonSchema: schema };
  }

  /**
   * Before Gemini 3 a schema beside tools is answered with 400 ("Function calling with a response mime type: 'application/json'
   * is unsupported"), so there the model is asked for it.
   */
  get #schemaInWords(): boolean {
    const { format, tools } = this.#request;
    return format !== null && tools.length > 0 && this.#family.generation < thirdGeneration;
  }

  #formatInWords(): readonly string[] {
    const { format } = this.#request;
    if (format === null || !this.#schemaInWords) return [];
    this.notes.add("response_format was asked for in the system prompt: the model takes no schema beside tools");
    return [inWords(format)];
  }

  #declaration({ name, description, parameters }: HubTool, index: number): Record<string, unknown> {
    const declared = hasMembers(parameters) ? this.#schema(parameters, `tools[${index}]`).schema : null;
    return {
      name,
      ...(description === null ? {} : { description }),
      // Left unset for a function without parameters, as its page asks for.
      ...(declared === null ? {} : { parametersJsonSchema: declared }),
    };
  }

  #schema(schema: unknown, of: string): { readonly schema: unknown } {
    const { schema: converted, told, left } = geminiSchema(schema);
    if (told.size > 0) this.notes.add(`${of}: told in descriptions only: ${[...told].join(", ")}`);
    if (left.size > 0) this.notes.add(`${of}: left out of the schema: ${[...left].join(", ")}`);
    return { schema: converted };
  }

  /** What has no place in the dialect. */
  #say(): void {
    const { parallelToolCalls, user, tools, system, messages } = this.#request;
    if (parallelToolCalls === false && tools.length > 0) {
      this.notes.add("parallel_tool_calls was left out: there may be several calls");
    }
    if (user !== null) this.notes.add("user was left out");
    if (tools.some(({ strict }) => strict === true)) this.notes.add("strict was left out of tools");
    const marked = system.some(isMarked) || tools.some(isMarked) || messages.some(({ parts }) => parts.some(isMarked));
    if (marked) this.notes.add("prompt-cache marks were left out: Gemini caches by itself");
  }
}

function isMarked({ cache }: { readonly cache: unknown }): boolean {
  return cache !== null;
}

function choiceOf(choice: HubToolChoice): Record<string, unknown> {
  switch (choice.kind) {
    case "auto":
      return { mode: "AUTO" };
    case "none":
      return { mode: "NONE" };
    case "required":
      return { mode: "ANY" };
    case "tool":
      return { mode: "ANY", allowedFunctionNames: [choice.name] };
  }
}

function hasMembers(parameters: unknown): boolean {
  if (!isObject(parameters)) return false;
  const { properties, additionalProperties } = parameters;
  if (isObject(properties) && Object.keys(properties).length > 0) return true;
  // An object with any members is still one that may have some.
  return (
    isObject(additionalProperties) ||
    "$ref" in parameters ||
    "anyOf" in parameters ||
    "oneOf" in parameters ||
    "allOf" in parameters
  );
}

function inWords(format: HubFormat): string {
  const alone =
    "When you answer instead of calling a function, answer with one JSON document and nothing else: no introduction, no code fence.";
  return format.kind === "json"
    ? alone
    : `${alone} It must be valid against this JSON Schema: ${JSON.stringify(format.schema)}`;
}
