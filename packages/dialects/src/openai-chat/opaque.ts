import type { Dialect } from "@tuloy/contract";

import type { Opaque } from "../hub/request.ts";
import { isObject, text } from "../json/value.ts";

/**
 * How reasoning that only its maker can read travels through a chat client: as OpenRouter's `reasoning_details`
 * (https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks), whose `format` names the maker's dialect.
 */
const formats: readonly (readonly [dialect: Dialect, format: string])[] = [
  ["anthropic-messages", "anthropic-claude-v1"],
  ["openai-responses", "openai-responses-v1"],
  ["gemini", "google-gemini-v1"],
  ["bedrock-converse", "bedrock-converse-v1"],
];

function formatOf(dialect: Dialect): string | null {
  return formats.find(([known]) => known === dialect)?.[1] ?? null;
}

function dialectOf(format: unknown): Dialect | null {
  return formats.find(([, known]) => known === format)?.[0] ?? null;
}

interface SignedThought {
  readonly text: string;
  readonly opaque: Opaque;
  readonly redacted: boolean;
  readonly id: string | null;
  /** The client has the beginning of it under the same index, so there may be no text left. */
  readonly goesOn?: boolean;
}

/** A thought for a client to keep and give back; null: its maker's dialect has no format. */
export function writeReasoningDetail(thought: SignedThought, index: number): Record<string, unknown> | null {
  const format = formatOf(thought.opaque.dialect);
  if (format === null) return null;
  const { data } = thought.opaque;
  const common = { format, index, ...(thought.id === null ? {} : { id: thought.id }) };
  return thought.redacted || (thought.text === "" && thought.goesOn !== true)
    ? { type: "reasoning.encrypted", data, ...common }
    : { type: "reasoning.text", text: thought.text, signature: data, ...common };
}

export interface ReasoningDetail {
  readonly text: string;
  readonly opaque: Opaque | null;
  readonly redacted: boolean;
  readonly id: string | null;
}

/** Null: something else than a thought. */
export function readReasoningDetail(value: unknown): ReasoningDetail | null {
  if (!isObject(value)) return null;
  const dialect = dialectOf(value.format);
  const opaque = (data: string | null): Opaque | null => (data === null || dialect === null ? null : { dialect, data });
  const id = text(value.id);
  switch (value.type) {
    case "reasoning.encrypted":
      return { text: "", opaque: opaque(text(value.data)), redacted: true, id };
    case "reasoning.text":
      return { text: text(value.text) ?? "", opaque: opaque(text(value.signature)), redacted: false, id };
    case "reasoning.summary":
      return { text: text(value.summary) ?? "", opaque: null, redacted: false, id };
    default:
      return null;
  }
}

/**
 * A call's proof that its provider made it, as Google's own endpoint for this dialect sends it
 * (https://ai.google.dev/gemini-api/docs/thought-signatures, "OpenAI compatibility").
 */
export function writeCallProof(opaque: Opaque | null): Record<string, unknown> {
  return opaque?.dialect === "gemini" ? { extra_content: { google: { thought_signature: opaque.data } } } : {};
}

export function readCallProof(extra: unknown): Opaque | null {
  const google = isObject(extra) && isObject(extra.google) ? extra.google : null;
  const data = text(google?.thought_signature);
  return data === null ? null : { dialect: "gemini", data };
}
