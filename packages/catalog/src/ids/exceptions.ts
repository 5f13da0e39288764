/** What the rules would read wrongly, each with its reason. */
interface Exception {
  /** In lower case, without what names a region or an account. */
  readonly id: string;
  /** Null: another thing than any model of the catalog. */
  readonly model: string | null;
  readonly because: string;
}

const base = "the repository of that name holds the base model; the one that answers people ends in -Instruct";

export const exceptions: readonly Exception[] = [
  {
    id: "deepseek.v3-v1:0",
    model: "deepseek-v3.1",
    because:
      "https://docs.aws.amazon.com/bedrock/latest/userguide/model-cards-deepseek.html: V3.1 is the only V3 without .2 there",
  },
  {
    id: "snowflake-llama3.3-70b",
    model: null,
    because:
      "https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql: derived from the model, with SwiftKV trained in",
  },
  {
    id: "snowflake-llama-3.3-70b",
    model: null,
    because:
      "https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql: derived from the model, with SwiftKV trained in",
  },
  { id: "meta-llama/llama-3.1-8b", model: null, because: base },
  { id: "meta-llama/meta-llama-3.1-8b", model: null, because: base },
  { id: "meta-llama/llama-3.1-70b", model: null, because: base },
  { id: "meta-llama/meta-llama-3.1-70b", model: null, because: base },
  { id: "qwen/qwen2.5-72b", model: null, because: base },
];

const byId: ReadonlyMap<string, string | null> = new Map(exceptions.map(({ id, model }) => [id, model]));

/** Which model an id is though the rules say otherwise; null: none; undefined: the rules hold. */
export function exceptionFor(id: string): string | null | undefined {
  return byId.get(id.toLowerCase());
}
