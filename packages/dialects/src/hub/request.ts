import type { Dialect } from "@tuloy/contract";

/**
 * A chat request as the hub sees it: what every dialect can say, in one form. A request goes from a client's dialect to a
 * deployment's through this and never directly, so that each dialect is written once.
 *
 * Every member is there and null where the request says nothing, so that a writer has to decide about each.
 */
export interface HubRequest {
  /** In order; a system prompt in several parts keeps them, since each may carry a cache mark. */
  readonly system: readonly HubText[];
  /** Alternating or not, as the client sent them: a writer merges neighbours where its dialect demands it. */
  readonly messages: readonly HubMessage[];
  readonly tools: readonly HubTool[];
  readonly toolChoice: HubToolChoice | null;
  /** Whether several calls in one turn are allowed. */
  readonly parallelToolCalls: boolean | null;
  /** The longest answer in tokens, hidden reasoning included. */
  readonly maxTokens: number | null;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly stop: readonly string[];
  readonly seed: number | null;
  readonly presencePenalty: number | null;
  readonly frequencyPenalty: number | null;
  readonly format: HubFormat | null;
  readonly reasoning: HubReasoning | null;
  /** Who the end user is, for the provider's abuse checks. */
  readonly user: string | null;
  readonly stream: boolean;
  /** What the client said besides, which has no place here: dropped, each with a note on the trace. Names in the client's spelling. */
  readonly left: readonly string[];
}

export interface HubMessage {
  /** What tools gave back is part of a `user` message. */
  readonly role: "user" | "assistant";
  readonly parts: readonly HubPart[];
}

export type HubPart = HubText | HubImage | HubFile | HubAudio | HubToolCall | HubToolResult | HubThought | HubRefusal;

/** A prompt-cache mark: what stands before and with it may be kept by the provider. */
export interface CacheMark {
  /** `5m` or `1h`; null: the provider's default. */
  readonly ttl: string | null;
}

interface Marked {
  readonly cache: CacheMark | null;
}

export interface HubText extends Marked {
  readonly kind: "text";
  readonly text: string;
}

/** Where bytes are to be had. `id`: kept at one provider, and meaningless anywhere else. */
export type HubSource =
  | { readonly at: "url"; readonly url: string }
  /** `data` in base64. */
  | { readonly at: "inline"; readonly mediaType: string; readonly data: string }
  | { readonly at: "id"; readonly id: string; readonly dialect: Dialect };

export interface HubImage extends Marked {
  readonly kind: "image";
  readonly source: HubSource;
  /** OpenAI's `low`, `high`, `auto`. */
  readonly detail: string | null;
}

/** A document: PDF, or text. */
export interface HubFile extends Marked {
  readonly kind: "file";
  readonly source: HubSource;
  readonly name: string | null;
}

export interface HubAudio extends Marked {
  readonly kind: "audio";
  readonly source: HubSource;
  /** `wav`, `mp3`, … */
  readonly format: string;
}

export interface HubToolCall extends Marked {
  readonly kind: "tool_call";
  readonly id: string;
  readonly name: string;
  /** JSON text, as the model wrote it: it may be no valid JSON. Empty arguments are `{}`. */
  readonly arguments: string;
  /** Proof by the provider that it made this call (Gemini's `thoughtSignature`), given back to it and to nobody else. */
  readonly opaque?: Opaque;
}

export interface HubToolResult extends Marked {
  readonly kind: "tool_result";
  /** The call's id. */
  readonly callId: string;
  /** The tool's name, where it is known from the call before it: Gemini wants it. */
  readonly name: string | null;
  /** Text, images and files. */
  readonly parts: readonly HubPart[];
  readonly isError: boolean;
}

/** Something that only its maker can read, to be given back unchanged to it and dropped for all others. */
export interface Opaque {
  readonly dialect: Dialect;
  readonly data: string;
}

/** Reasoning of an earlier turn. */
export interface HubThought extends Marked {
  readonly kind: "thought";
  /** Empty where only its opaque form exists. */
  readonly text: string;
  /** Its signature or encrypted form; null: unsigned, which no provider takes back. */
  readonly opaque: Opaque | null;
  /** The provider shows nothing of it (Anthropic's `redacted_thinking`). */
  readonly redacted: boolean;
  /** The item's id, in dialects where it has one. */
  readonly id: string | null;
}

export interface HubRefusal extends Marked {
  readonly kind: "refusal";
  readonly text: string;
}

export interface HubTool extends Marked {
  readonly name: string;
  readonly description: string | null;
  /** JSON Schema of the arguments; null: none. */
  readonly parameters: unknown;
  readonly strict: boolean | null;
}

export type HubToolChoice =
  | { readonly kind: "auto" | "none" | "required" }
  | { readonly kind: "tool"; readonly name: string };

export type HubFormat =
  | { readonly kind: "json" }
  | {
      readonly kind: "json_schema";
      readonly name: string;
      readonly description: string | null;
      readonly schema: unknown;
      readonly strict: boolean | null;
    };

export interface HubReasoning {
  /** False: asked not to reason. */
  readonly enabled: boolean;
  /** `minimal`, `low`, `medium`, `high`, `xhigh`; null: not said. */
  readonly effort: string | null;
  /** The most tokens to reason with; null: not said. */
  readonly budget: number | null;
  /** Whether the reasoning, or a summary, shall be shown; null: the dialect's default. */
  readonly shown: boolean | null;
}

/** Where effort has to become a budget, or the other way round: tokens for each effort, as providers' own layers map them. */
export const effortBudgets: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 16384,
  xhigh: 32768,
};

/** @returns the effort whose budget is nearest */
export function effortOf(budget: number): "low" | "medium" | "high" {
  return budget <= 4096 ? "low" : budget <= 12288 ? "medium" : "high";
}
