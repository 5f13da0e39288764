/**
 * How able the models are, 1 to 5: ours. An author's flagships of the newest generations are 5, and each step down (an older
 * generation, a smaller size) is one less, as the authors describe them; open models are placed beside the closed ones that
 * they match in the benchmarks of the source. The first row that matches holds.
 */
const rows: readonly (readonly [RegExp, number])[] = [
  [/guard|safety|voicechat|rerank/, 1],
  // OpenAI
  [/^gpt-5(\.\d)?(-pro|-codex|-codex-max)?$/, 5],
  [/^gpt-5(\.\d)?-(chat-latest|instant|codex-mini)$|^gpt-5\.4-mini$/, 4],
  [/^gpt-5-mini$|^gpt-5\.4-nano$/, 3],
  [/^gpt-5-nano$/, 2],
  [/^o3-pro$/, 5],
  [/^o3-mini$/, 3],
  [/^o\d/, 4],
  [/^gpt-4\.1$/, 4],
  [/^gpt-4\.1-mini$|^gpt-4-turbo|^gpt-4o(-20|$)|^gpt-oss-(safeguard-)?120b/, 3],
  [/^gpt-4\.1-nano$|^gpt-4o-mini|^gpt-4$|^gpt-oss/, 2],
  [/^gpt-3\.5/, 1],
  // Anthropic
  [/^claude-(fable|(opus|sonnet)-[5-9]|opus-4-[5-9]|sonnet-4-6)/, 5],
  [/^claude-(opus|sonnet-4|haiku-4-5|3-7)/, 4],
  [/^claude-3-5-sonnet/, 3],
  [/^claude-3-5-haiku|^claude-3-haiku/, 2],
  // Google
  [/^gemini-(3|2\.5)(\.\d)?-pro|^gemini-3\.5-flash$/, 5],
  [/^gemini-3-flash|^gemini-2\.5-flash$|^gemini-flash-latest/, 4],
  [/^gemini-.*flash-lite/, 3],
  [/^gemini-2\.0|^gemini-/, 2],
  [/^gemma-4/, 3],
  [/^gemma/, 2],
  // Alibaba
  [/^qwen3\.[67]-(max|plus)|^qwen3\.5-(397b|plus)/, 5],
  [/^qwen3\.5-9b/, 2],
  [/^qwen3\.[56]-(27b|35b)/, 3],
  [/^qwen3-max|^qwen3-coder-(480b|plus)|^qwen3\.[56]-|^qwen3-235b/, 4],
  [/^qwen3-|^qwen-(max|plus|vl-max)|^qwq/, 3],
  [/^qwen/, 2],
  // Open models of others
  [/^deepseek-v4-pro|^kimi-k2\.[5-9]|^glm-5|^minimax-m3|^minimax-m2\.7|^mimo-v2\.5-pro/, 5],
  [/^deepseek-(v4|chat|reasoner|r1|v3)|^kimi-k2|^glm-4\.[67]$|^minimax|^mimo-v2(\.5|-pro)|^step-|^hy3|^fugu/, 4],
  [/^glm-4\.(5$|5-air|5v|6v|7-flash)|^mimo|^glm/, 3],
  [/^llama-4-maverick|^llama-3\.1-405b|^llama-3\.1-nemotron-ultra|^nemotron-3-(super|ultra)/, 3],
  [/^llama-(3\.[13]-70b|4-scout|3\.[13]-nemotron)|^nemotron|^mistral-nemotron/, 2],
  [/^llama/, 1],
  // Mistral
  [/^mistral-(large-(2512|latest)|medium-(2604|latest))/, 4],
  [/^mistral-(large|medium)|^magistral|^devstral|^codestral|^pixtral-large|^mistral-small-(2603|latest)/, 3],
  [/^mistral|^pixtral/, 2],
  // Others
  [/^grok-4/, 5],
  [/^grok/, 4],
  [/^sonar-(pro|reasoning)/, 4],
  [/^sonar/, 3],
  [/^command-a-plus/, 4],
  [/^command-a/, 3],
  [/^command-r|^north|^sarvam/, 2],
];

/** The tier of a chat model; null when nobody placed it. */
export function tierOf(name: string): number | null {
  return rows.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}
