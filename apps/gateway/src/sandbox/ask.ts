import type { ApiError } from "./faults.ts";
import { estimateTokens } from "./text.ts";

/** What the sandbox needs to know of a chat request. */
export interface ChatAsk {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Null: no limit asked for. */
  readonly maxTokens: number | null;
  readonly jsonObject: boolean;
  /** Role and text of every message: what the answer depends on. */
  readonly prompt: string;
  /** The text of the last user message: where a fault may be asked for. Older ones would strike again with every turn. */
  readonly lastUserText: string;
  readonly promptTokens: number;
  /** The text of a last assistant message: the beginning of the answer. Null: there is none. */
  readonly begun: string | null;
}

export interface EmbeddingsAsk {
  readonly model: string;
  readonly inputs: readonly string[];
  readonly dimensions: number;
  readonly base64: boolean;
  readonly promptTokens: number;
}

type Asked<T> = { readonly ok: true; readonly ask: T } | { readonly ok: false; readonly error: ApiError };

/** Reads the body of a chat request. What the sandbox cannot do is refused, since a wrong answer would teach a wrong lesson. */
export function readChatAsk(body: unknown): Asked<ChatAsk> {
  if (!isRecord(body)) return refused("The body must be a JSON object.");
  const { model, messages } = body;
  if (typeof model !== "string" || model === "") return refused("'model' must be a non-empty string.");
  if (!Array.isArray(messages) || messages.length === 0) return refused("'messages' must be a non-empty list.");
  if (typeof body["n"] === "number" && body["n"] !== 1) return refused("The sandbox gives one choice: 'n' must be 1.");
  if (demandsTool(body["tool_choice"]))
    return refused("The sandbox calls no tools: 'tool_choice' must be auto or none.");
  const format = isRecord(body["response_format"]) ? body["response_format"]["type"] : undefined;
  if (format === "json_schema") return refused("The sandbox follows no JSON schema.");
  const limit = body["max_completion_tokens"] ?? body["max_tokens"] ?? null;
  if (limit !== null && !isPositiveInteger(limit)) return refused("The token limit must be a positive integer.");

  const all = messages.map((message) => messageText(message));
  const last = all.at(-1);
  const begun = last?.role === "assistant" ? last.text : null;
  // What the answer depends on is the question, so that going on gives what the whole answer would have been.
  const texts = begun === null ? all : all.slice(0, -1);
  const streamOptions = body["stream_options"];
  return {
    ok: true,
    ask: {
      model,
      stream: body["stream"] === true,
      includeUsage: isRecord(streamOptions) && streamOptions["include_usage"] === true,
      maxTokens: limit,
      jsonObject: format === "json_object",
      prompt: texts.map(({ role, text }) => `${role}: ${text}`).join("\n"),
      begun,
      lastUserText: texts.findLast(({ role }) => role === "user")?.text ?? "",
      // Each message costs some tokens for its role and its limits, as in OpenAI's own counting.
      promptTokens: all.reduce((sum, { text }) => sum + estimateTokens(text) + 4, 3),
    },
  };
}

/** Reads the body of an embeddings request. Token lists are taken as text: their numbers are the words. */
export function readEmbeddingsAsk(body: unknown): Asked<EmbeddingsAsk> {
  if (!isRecord(body)) return refused("The body must be a JSON object.");
  const { model, input } = body;
  if (typeof model !== "string" || model === "") return refused("'model' must be a non-empty string.");
  const inputs = readInputs(input);
  if (inputs === null) return refused("'input' must be a string, or a non-empty list of strings or tokens.");
  const dimensions = body["dimensions"] ?? 256;
  if (!isPositiveInteger(dimensions) || dimensions > 4096) return refused("'dimensions' must be from 1 to 4096.");
  return {
    ok: true,
    ask: {
      model,
      inputs,
      dimensions,
      base64: body["encoding_format"] === "base64",
      promptTokens: inputs.reduce((sum, text) => sum + estimateTokens(text), 0),
    },
  };
}

function readInputs(input: unknown): string[] | null {
  if (typeof input === "string") return [input];
  if (!Array.isArray(input) || input.length === 0 || input.length > 2048) return null;
  if (input.every((item) => typeof item === "number")) return [input.join(" ")];
  const texts: string[] = [];
  for (const item of input) {
    if (typeof item === "string") texts.push(item);
    else if (Array.isArray(item) && item.every((token) => typeof token === "number")) texts.push(item.join(" "));
    else return null;
  }
  return texts;
}

function messageText(message: unknown): { role: string; text: string } {
  if (!isRecord(message)) return { role: "", text: "" };
  const { role, content } = message;
  const text = Array.isArray(content)
    ? content.map((part: unknown) => (isRecord(part) && typeof part["text"] === "string" ? part["text"] : "")).join("")
    : content;
  return { role: typeof role === "string" ? role : "", text: typeof text === "string" ? text : "" };
}

function demandsTool(choice: unknown): boolean {
  return choice === "required" || isRecord(choice);
}

function refused(message: string): { ok: false; error: ApiError } {
  return { ok: false, error: { status: 400, type: "invalid_request_error", code: null, message } };
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isInteger(value) && typeof value === "number" && value > 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
