import type { ParameterFacts } from "./parameters.ts";

/** USD per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cachedInput?: number;
  readonly cacheWrite?: number;
}

/** What a request may ask of a model beyond plain text. */
export const capabilities = ["tools", "images", "files", "json_schema", "logprobs", "n", "audio"] as const;
export type Capability = (typeof capabilities)[number];

/** What is asked of a model. */
export const operations = ["chat", "embeddings"] as const;
export type Operation = (typeof operations)[number];

/** The wire formats. The first three are spoken by clients, the rest by upstreams too. */
export const dialects = [
  "openai-chat",
  "openai-responses",
  "openai-embeddings",
  "anthropic-messages",
  "gemini",
  "bedrock-converse",
] as const;
export type Dialect = (typeof dialects)[number];

/**
 * The precision of a model's weights as a deployment serves them. `full`: as its author publishes or serves it, whatever
 * that is called.
 */
export const servedQuantizations = ["full", "fp32", "bf16", "fp16", "fp8", "int8", "fp6", "fp4", "int4"] as const;
export type Quantization = (typeof servedQuantizations)[number];

/** One model at one provider in one region, under that provider's id for it. */
export interface Deployment {
  /** Unique and stable across configuration changes: `provider/model`, with `@region` where the provider has one. */
  readonly id: string;
  readonly provider: string;
  /** The canonical model. */
  readonly model: string;
  /** The provider's own id for the model: what is sent upstream. */
  readonly upstreamModel: string;
  readonly operation: Operation;
  /** What it is spoken to in: a client of one of these is forwarded, any other is translated into the first. Never empty. */
  readonly dialects: readonly Dialect[];
  readonly region: string | null;
  /** Input plus output tokens that fit, or null when unknown. */
  readonly contextTokens: number | null;
  /** The longest answer in tokens, or null when unknown. */
  readonly outputTokens: number | null;
  /** Null when unknown: an unknown ability excludes nothing. */
  readonly capabilities: ReadonlySet<Capability> | null;
  readonly price: Price | null;
  /** Reasoning happens before the first visible token, so first-token limits are longer (six times as long). */
  readonly hiddenReasoning: boolean;
  /** Null when nothing is known: then every parameter is sent as it came. */
  readonly parameters: ParameterFacts | null;
  /** Of the weights; null when unknown, which counts as `full` unless a route is strict. */
  readonly quantization: Quantization | null;
  /** The organization that alone may see it (a private provider's deployment); null: everybody. */
  readonly owner: string | null;
  /** Whether the provider keeps what it is sent, beyond answering. Null when unknown: then nobody can count on it. */
  readonly retains: boolean | null;
  /** Whether the provider trains on what it is sent. Null when unknown. */
  readonly trains: boolean | null;
}
