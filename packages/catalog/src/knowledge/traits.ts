import type { Tokenizer } from "../tokens/tokenizer.ts";

/** What follows from who made a model and how it is called. */

/** Kinds of provider that serve an author's models as the author does, with the same refusals. */
const servingKinds: Readonly<Record<string, readonly string[]>> = {
  anthropic: ["anthropic", "bedrock", "vertex", "azure"],
  openai: ["openai", "azure"],
};

export function servesAsAuthor(kind: string, author: string): boolean {
  return Object.hasOwn(servingKinds, author) && (servingKinds[author] ?? []).includes(kind);
}

/** The kinds that are an author's own. */
const ownKinds: Readonly<Record<string, readonly string[]>> = {
  alibaba: ["alibaba"],
  anthropic: ["anthropic"],
  cohere: ["cohere"],
  deepseek: ["deepseek"],
  google: ["gemini", "vertex"],
  minimax: ["minimax"],
  mistral: ["mistral"],
  moonshotai: ["moonshot"],
  nvidia: ["nvidia"],
  openai: ["openai"],
  perplexity: ["perplexity"],
  sakana: ["sakana"],
  stepfun: ["stepfun"],
  voyage: ["voyage"],
  jina: ["jina"],
  xai: ["xai"],
  xiaomi: ["xiaomi"],
  zhipuai: ["zai", "zhipuai"],
};

export function isOwnKind(kind: string, author: string): boolean {
  return Object.hasOwn(ownKinds, author) && (ownKinds[author] ?? []).includes(kind);
}

/**
 * Whether a model that reasons does so unseen, so that its first visible token is late. Open models and Claude stream their
 * reasoning; OpenAI, Google and xAI keep it to themselves (https://platform.openai.com/docs/guides/reasoning,
 * https://ai.google.dev/gemini-api/docs/thinking, https://docs.x.ai/docs/guides/reasoning).
 */
export function reasonsUnseen(author: string, openWeights: boolean): boolean {
  return !openWeights && ["openai", "google", "xai"].includes(author);
}

/** What is never taken, whatever the source says of it. */
export function cannot(author: string, reasons: boolean): readonly ("n" | "logprobs")[] {
  // https://docs.anthropic.com/en/api/messages has neither.
  if (author === "anthropic") return ["n", "logprobs"];
  // https://platform.openai.com/docs/api-reference/chat/create: logprobs only by models that do not reason first.
  return author === "openai" && reasons ? ["logprobs"] : [];
}

/** What is done though the source does not say it: https://platform.openai.com/docs/guides/function-calling. */
export function takesToolsAnyway(name: string): boolean {
  return name === "gpt-3.5-turbo";
}

/** https://platform.openai.com/docs/guides/pdf-files: by every model that sees images, from GPT-4o on. */
export function takesFilesAnyway(author: string, name: string): boolean {
  return author === "openai" && !name.startsWith("gpt-4-");
}

const families: readonly (readonly [RegExp, string, Tokenizer | null])[] = [
  [/^gpt-(3\.5-turbo|4|4-turbo)$|^text-embedding-/, "cl100k", "cl100k"],
  [/^(gpt-|o\d)/, "o200k", "o200k"],
  [/^claude-/, "claude", null],
  [/^gemini-/, "gemini", null],
  [/^gemma-/, "gemma", null],
  [/^llama-4/, "llama4", null],
  [/^llama-3/, "llama3", null],
  [/^(qwen|qwq)/, "qwen", null],
  [/^deepseek-/, "deepseek", null],
  [/^kimi-/, "kimi", null],
  [/^glm-/, "glm", null],
  [/^minimax-/, "minimax", null],
  [/^(mistral|codestral|devstral|magistral|pixtral)/, "mistral", null],
  [/^(command|embed-|north-)/, "cohere", null],
  [/^grok-/, "grok", null],
];

export function tokenizerOf(name: string): { readonly family: string | null; readonly tokenizer: Tokenizer | null } {
  const row = families.find(([pattern]) => pattern.test(name));
  return { family: row?.[1] ?? null, tokenizer: row?.[2] ?? null };
}
