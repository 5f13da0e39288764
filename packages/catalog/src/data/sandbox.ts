/**
 * The models of the built-in simulated provider. Their prices are made up, near those of small hosted models, so that costs
 * and cost differences can be seen with no account anywhere.
 */
import type { ModelFacts } from "../facts.ts";

export const sandboxChat: readonly ModelFacts[] = [
  {
    name: "sandbox-chat",
    context: 128_000,
    output: 16_384,
    capabilities: ["tools", "images", "json_schema", "logprobs", "n"],
    hiddenReasoning: false,
    tier: 2,
    price: { input: 0.5, output: 1.5, cachedInput: 0.05 },
  },
  {
    name: "sandbox-reasoner",
    context: 200_000,
    output: 100_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    tier: 3,
    price: { input: 1, output: 4, cachedInput: 0.1 },
  },
];

export const sandboxEmbeddings: readonly ModelFacts[] = [
  {
    name: "sandbox-embedding",
    context: 8192,
    output: null,
    capabilities: [],
    hiddenReasoning: false,
    dimensions: 256,
    price: { input: 0.02, output: 0 },
  },
];
