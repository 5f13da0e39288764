/** OpenAI's models that do not reason answer the wish with 400 (https://platform.openai.com/docs/guides/reasoning). */
const silent = /^(?:gpt-3|gpt-4|chatgpt-4)/;
/** Efforts beyond low, medium and high are known to these only, and answered with 400 by all others. */
const further: ReadonlyMap<string, readonly [takenBy: RegExp, otherwise: string]> = new Map([
  ["xhigh", [/^gpt-(?:5\.[2-9]|[6-9])|^gpt-5\.1-codex-max/, "high"]],
  ["minimal", [/^gpt-5(?:-|$)/, "low"]],
]);

/**
 * An effort, as a model that is spoken to in one of OpenAI's dialects takes it: clients of other dialects have words that it does not know.
 * @param model the canonical one
 * @param note told where it is not sent as it was asked for
 * @returns null where the model does not reason
 */
export function effortFor(model: string, effort: string, note: (text: string) => void): string | null {
  if (silent.test(model)) {
    note("reasoning was left out: this model has none");
    return null;
  }
  const [takenBy, otherwise] = further.get(effort) ?? [];
  if (takenBy === undefined || otherwise === undefined || takenBy.test(model)) return effort;
  note(`reasoning effort ${effort} was sent as ${otherwise}`);
  return otherwise;
}
