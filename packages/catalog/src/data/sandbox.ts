/**
 * The models of the built-in simulated provider. Their prices are made up, near those of small hosted models, so that costs
 * and cost differences can be seen with no account anywhere.
 */
import type { ModelRow, OfferRow } from "../data-rows.ts";

export const sandboxModels: readonly ModelRow[] = [
  {
    name: "sandbox-chat",
    author: "tuloy",
    title: "Sandbox Chat",
    aliases: ["tuloy/sandbox-chat"],
    context: 128_000,
    output: 16_384,
    can: ["tools", "images", "json_schema", "logprobs", "n"],
    tier: 2,
  },
  {
    name: "sandbox-reasoner",
    author: "tuloy",
    title: "Sandbox Reasoner",
    aliases: ["tuloy/sandbox-reasoner"],
    context: 200_000,
    output: 100_000,
    can: ["tools", "images", "json_schema", "n"],
    unseen: true,
    tier: 3,
  },
  {
    name: "sandbox-embedding",
    author: "tuloy",
    title: "Sandbox Embedding",
    aliases: ["tuloy/sandbox-embedding"],
    context: 8192,
    embeds: { dimensions: 256, normalized: true },
  },
];

export const sandboxOffers: Readonly<Record<string, readonly OfferRow[]>> = {
  sandbox: [
    ["sandbox-chat", "sandbox-chat", "author", [0.5, 1.5, 0.05]],
    ["sandbox-reasoner", "sandbox-reasoner", "author", [1, 4, 0.1]],
    ["sandbox-embedding", "sandbox-embedding", "author", [0.02, 0]],
  ],
};
