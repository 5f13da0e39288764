/** What a deployment is known to do with the parameters of a request. */
export interface ParameterFacts {
  /** All that it takes; null: unknown, so anything may be sent. */
  readonly takes: ReadonlySet<string> | null;
  /** What this provider is known not to take, whatever the model. */
  readonly refuses: ReadonlySet<string>;
  /** What the model is known not to take at this provider. */
  readonly modelRefuses: ReadonlySet<string>;
  /** The most stop sequences; null: unknown. */
  readonly maxStops: number | null;
}

/** What a request uses of a deployment's parameters. */
export interface ParameterUse {
  /** Names of the parameters that the body sets beyond its content: sampling, limits, tools, formats. */
  readonly parameters: readonly string[];
  /** How many stop sequences. */
  readonly stops: number;
}

/**
 * Two names for one thing. OpenAI's reasoning models take only `max_completion_tokens`
 * (https://platform.openai.com/docs/guides/reasoning), many servers that speak its dialect only `max_tokens`; OpenRouter's
 * `reasoning.effort` is OpenAI's `reasoning_effort` (https://openrouter.ai/docs/use-cases/reasoning-tokens).
 */
const otherNames: ReadonlyMap<string, string> = new Map([
  ["max_tokens", "max_completion_tokens"],
  ["max_completion_tokens", "max_tokens"],
  ["reasoning", "reasoning_effort"],
  ["reasoning_effort", "reasoning"],
]);

/** Without these the answer would be of another kind, without an end, or of another length: they are never left out. */
const essential: ReadonlySet<string> = new Set([
  "max_tokens",
  "max_completion_tokens",
  "stop",
  "n",
  "logprobs",
  "top_logprobs",
  "response_format",
  "tools",
  "tool_choice",
  "functions",
  "function_call",
  "modalities",
  "audio",
  "dimensions",
  "encoding_format",
]);

function takes(facts: ParameterFacts, name: string): boolean {
  return (facts.takes === null || facts.takes.has(name)) && !facts.refuses.has(name) && !facts.modelRefuses.has(name);
}

/** Under which name a deployment takes a parameter: its own, its other one, or null for under none. */
export function takenAs(facts: ParameterFacts, name: string): string | null {
  if (takes(facts, name)) return name;
  const other = otherNames.get(name);
  return other !== undefined && takes(facts, other) ? other : null;
}

/** Whether a parameter that is not taken may be left out, so that the answer is still the kind of answer that was asked for. */
export function mayBeLeftOut(name: string): boolean {
  return !essential.has(name);
}
