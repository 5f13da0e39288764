/**
 * How an author is spelled in front of a model's name, at providers that put it there. The first is the catalog's own
 * spelling. Sources: the ids in the data of this folder, and the organizations' names at https://huggingface.co.
 */
const spellings: Readonly<Record<string, readonly string[]>> = {
  alibaba: ["alibaba", "qwen"],
  amazon: ["amazon"],
  anthropic: ["anthropic"],
  baai: ["baai"],
  cohere: ["cohere", "coherelabs", "cohereforai"],
  deepseek: ["deepseek", "deepseek-ai"],
  google: ["google"],
  intfloat: ["intfloat"],
  jina: ["jina", "jinaai"],
  meta: ["meta", "meta-llama"],
  minimax: ["minimax", "minimaxai"],
  mistral: ["mistral", "mistralai", "mistral-ai"],
  moonshotai: ["moonshotai", "moonshot"],
  nomic: ["nomic", "nomic-ai"],
  nvidia: ["nvidia"],
  openai: ["openai"],
  perplexity: ["perplexity"],
  sakana: ["sakana"],
  sarvam: ["sarvam", "sarvamai"],
  stepfun: ["stepfun", "stepfun-ai"],
  tencent: ["tencent"],
  thenlper: ["thenlper"],
  voyage: ["voyage", "voyageai"],
  xai: ["xai", "x-ai"],
  xiaomi: ["xiaomi", "xiaomimimo"],
  zhipuai: ["zhipuai", "z-ai", "zai-org", "zai"],
};

const authorBySpelling: ReadonlyMap<string, string> = new Map(
  Object.entries(spellings).flatMap(([author, spelled]) => spelled.map((spelling) => [spelling, author] as const)),
);

/** The spellings of an author, its own name first; only its own name for one that is not listed. */
export function spellingsOf(author: string): readonly string[] {
  return Object.hasOwn(spellings, author) ? (spellings[author] ?? [author]) : [author];
}

/** The author that a prefix stands for, in any case of letters; null: none that is known. */
export function authorOf(prefix: string): string | null {
  return authorBySpelling.get(prefix.toLowerCase()) ?? null;
}

/** Whether the prefix stands for this author. */
export function spells(prefix: string, author: string): boolean {
  return authorOf(prefix) === author || prefix.toLowerCase() === author;
}

/**
 * Whether a name of the author's without a date means one dated release for good, where the catalog knows of no other:
 * https://platform.openai.com/docs/models, https://docs.anthropic.com/en/docs/about-claude/models. Alibaba's `qwen-plus` does not.
 */
export function datesItsReleases(author: string): boolean {
  return author === "openai" || author === "anthropic";
}

export const allSpellings: readonly string[] = [...authorBySpelling.keys()];
