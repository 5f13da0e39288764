/** A model as it is listed for Anthropic's clients. */
export interface ListedClaude {
  readonly id: string;
  /** Input that fits, in tokens; null: unknown. */
  readonly inputTokens: number | null;
  /** The longest answer in tokens; null: unknown. */
  readonly outputTokens: number | null;
}

/** Nobody here knows when a model was made; clients sort by it, so it is a moment. */
const createdAt = "1970-01-01T00:00:00Z";

/** https://platform.claude.com/docs/en/api/models/list */
const usualLimit = 20;
const mostLimit = 1000;

function modelObject({ id, inputTokens, outputTokens }: ListedClaude): object {
  return {
    type: "model",
    id,
    display_name: id,
    created_at: createdAt,
    max_input_tokens: inputTokens,
    max_tokens: outputTokens,
  };
}

/**
 * A page of the list, as Anthropic has it.
 * @param query the address's part after the question mark: `limit`, `after_id`, `before_id`
 */
export function writeClaudeList(models: readonly ListedClaude[], query: string): Buffer {
  const asked = new URLSearchParams(query);
  const limit = limitOf(asked.get("limit"));
  const after = models.findIndex(({ id }) => id === asked.get("after_id"));
  const before = models.findIndex(({ id }) => id === asked.get("before_id"));
  const rest = before === -1 ? models.slice(after + 1) : models.slice(0, before);
  // The page before an id is the one that ends with its neighbour.
  const page = before === -1 ? rest.slice(0, limit) : rest.slice(-limit);
  return Buffer.from(
    JSON.stringify({
      data: page.map(modelObject),
      has_more: page.length < rest.length,
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    }),
  );
}

function limitOf(stated: string | null): number {
  const limit = Number(stated ?? usualLimit);
  return Number.isInteger(limit) && limit >= 1 ? Math.min(limit, mostLimit) : usualLimit;
}

export function writeClaude(model: ListedClaude): Buffer {
  return Buffer.from(JSON.stringify(modelObject(model)));
}
